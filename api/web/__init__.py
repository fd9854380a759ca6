"""Pages for people: what listeners see in a browser, under /ar and /en.

`routes` has the routers. `listener` reads what a page shows from the services of `api.discovery`, `rendering` makes
documents of it, from `templates/`, `texts/` and `static/`. Pages are cached and served as the answers of the API are.
"""
