"""The OpenAPI document, built from the declarations of the routes: paths, parameters, bodies, answers, errors.

The framework reads the signatures of the routes. This room adds exact schemas (msgspec knows more about its types
than the framework), an example of every body, parameter and answer, and the errors. Some errors are derived: of a
route that needs a role, of a route with a body. Keys in the `opt` of a route say the rest: `errors` are the codes of
its own errors, `example` is an answer that is not JSON, `body` is a body that is a file, `parameters` describes a
query string that the route reads by itself, `probe` marks a route that has no common errors. `api.app` serves the
document, `thmanyah openapi` prints it.
"""

from api.openapi.document import document, encoded

__all__ = ["document", "encoded"]
