"""Routes under /discovery, which listeners use: search, browse, suggestions, programs, series, categories, view counts.

`params` and `narrowing` read the query strings, `searching`, `facets` and `lookups` compute the answers, `api.answers` caches them.
"""
