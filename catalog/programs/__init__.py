"""Programs: the rows that everything else is derived from.

`models` the tables · `rules` what a field may contain · `editing` creating and changing · `pending` changes that need a
reviewer · `lifecycle` the state machine · `bulk` many new programs at once · `slugs` addresses · `snapshot` revisions ·
`queries` reading · `fallback/` searching without an engine.
"""
