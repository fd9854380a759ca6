"""The studio of editors, under /studio: programs, reviews, names, curation, imports.

It reads and writes through the handlers of the routes under /catalog (`api.web.signin.asking`), so there is no second
way to do anything. Each room has the handlers of a part; `routes` has the router.
"""
