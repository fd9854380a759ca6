"""The catalogue's side of the search indexes. Terms: docs/glossary.md.

Which engines and indexes exist, which programs have to be sent to each index, and the rebuilds and audits of indexes.

`models` holds the tables; every other module owns the writes of its subject. `indexer/` calls them.
"""
