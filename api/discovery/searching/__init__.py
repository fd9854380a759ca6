"""Search, browse and suggest: the search engine answers (`service`), or PostgreSQL when no engine answers (`fallback`).

`pins` puts pinned programs to their places; `suggestions` makes offers of what either of them found.
"""
