"""What editors put together for listeners: collections of programs in an order of their own, pins, and synonyms.

`collections`, `pins` and `synonyms` have the only writes, and `recording` what all of them do; `expansions` says what
synonyms mean; `queries` has the statements that read. Functions flush; the caller commits. Every write notes the curation as
changed (`catalog.core.changes`), so that cached pages are superseded after the commit.
"""
