"""Search, browse and suggest: the search engine answers (`service`), or PostgreSQL when no engine answers (`fallback`).

`facets` names the values that the engine counts; `suggestions` makes offers of what either of them found.
"""
