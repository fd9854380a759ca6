"""Rebuilds, drift audits and the garbage collection of indexes (`thmanyah reindex`, `thmanyah drift`)."""
