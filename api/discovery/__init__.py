"""Routes under /discovery, which listeners use: search, browse, suggestions, programs, series, categories, view counts.

`params` reads the query strings, `searching` and `lookups` compute the answers, `api.answers` caches them.
"""
