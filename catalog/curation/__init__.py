"""What editors put together for listeners: collections of programs in an order of their own.

`collections` has the only writes; `queries` has the statements of listeners' lookups. Functions flush; the caller commits.
Every write notes the curation as changed (`catalog.core.changes`), so that cached pages are superseded after the commit.
"""
