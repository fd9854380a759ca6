"""One index in memory: its documents, the words of its texts, the values of its facets, its settings.

`tasks/` changes it, `query/` and `rank/` read it, `storage/` saves and loads it.
"""
