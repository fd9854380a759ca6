"""Imports: programs that come from feeds, YouTube and files.

`models` the tables · `sources` remembered feeds and channels · `runs` one import from its request to its end ·
`leases` which process works on a run · `items` what became of each item · `options` what an editor chose ·
`refreshing` refreshes of sources · `writing/` from rows to programs · `quota`, `youtube` for YouTube · `queries` reading.
 `indexer/importing/` fetches and reads; docs/imports.md describes the whole.
"""
