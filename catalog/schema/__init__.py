"""The schema: the list of all tables, and how a database is brought to the newest migration."""
