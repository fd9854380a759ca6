"""How fast answers leave, and what clients wait for: the edge, caches, codings, connections, pages, traces."""
