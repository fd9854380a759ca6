"""The HTTP API: routes, authentication, rate limits, cached answers. `api.app.create_app` builds it from its parts."""
