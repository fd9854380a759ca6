"""What editors put together for listeners: collections of programs in an order of their own, and pins.

`collections` and `pins` have the only writes; `queries` has the statements that read. Functions flush; the caller commits.
Every write notes the curation as changed (`catalog.core.changes`), so that cached pages are superseded after the commit.
"""
