"""HTTP: routes, authentication, caches. `api.app.create_app` is where the parts meet."""
