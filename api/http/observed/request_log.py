"""One line in the log for a request. Called by the edge, which has bound the request's id.

The line has no address, query, header or body: they may hold words of a listener, e-mail addresses or secrets.
"""

import logging

from litestar.types import HTTPScope

log = logging.getLogger(__name__)
# Of answers that are no refusals, the log has every hundredth; metrics have all of them.
SAMPLE = 100
_CALM = 400
_OURS = 500


def write(scope: HTTPScope | None, number: int, method: str, route: str, status: int, seconds: float) -> None:
    """Write the line, or leave it out when the request is not in the sample.

    Args:
        scope: The request; its `user` is the Principal that was checked. None when the framework did not see it.
        number: Which request of this process it is.
        method: The HTTP method as it was sent.
        route: The template of the route.
        status: The status of the answer.
        seconds: How long it took.
    """
    if status < _CALM and number % SAMPLE:
        return
    principal = None if scope is None else scope.get("user")
    actor = "nobody"
    if principal is not None:
        actor = f"key:{principal.key_id}" if principal.key_id else f"account:{principal.account_id}"
    fields = {
        "method": method[:16],
        "route": route,
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "actor": actor,
    }
    log.log(logging.ERROR if status >= _OURS else logging.INFO, "request", extra=fields)
