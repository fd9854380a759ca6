"""The schema's history: expand, backfill, contract; every step gives up rather than wait for a lock."""
