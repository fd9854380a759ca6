"""Routes under /catalog for imports: runs, uploaded files, remembered sources, and streams of a run's progress."""
