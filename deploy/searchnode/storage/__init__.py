"""What is on disk: the SQLite file that survives a crash, and snapshots that save time at a start."""
