"""One search: its parameters, its filter, its hits, facets and highlights. `http/routes/` calls it."""
