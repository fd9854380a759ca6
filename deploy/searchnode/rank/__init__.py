"""Which documents a query finds and in what order: bucket sort by Meilisearch's ranking rules.

`search.py` is the door: `query/` calls `rank` with what a search asks for.
"""
