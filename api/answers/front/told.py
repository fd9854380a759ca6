"""Answers that the edge gives without a route: that the process is alive, and refusals."""

from typing import NamedTuple

from api.answers.front.asked import Asked, Text
from api.http.errors import MEDIA_TYPE, Problem
from api.http.limits.rate_limit import needs_credential

# Characters of a path and bytes of a query string together. Listeners need at most about 7,000; an upload has its
# options in the query string, and a list of the studio its filters.
MAX_TARGET, MAX_SIGNED_IN_TARGET = 8192, 65_536
_STAFF = ("/studio/", "/ops/board/")


class Told(NamedTuple):
    """A response without the headers that every response has.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case, and values.
        body: The body; it is left out for HEAD.
        route: What it is counted as.
        is_news: Whether its line is always in the log, not in the sample alone.
    """

    status: int
    headers: tuple[Text, ...]
    body: bytes
    route: str
    is_news: bool = False


# The same bytes as long as the process answers at all. `api.operations.health` describes the route.
ALIVE, _ALIVE_BODY = "/health/live", b'{"status":"ok"}'
ALIVE_TOLD = Told(
    200, (("content-type", "application/json"), ("content-length", str(len(_ALIVE_BODY)))), _ALIVE_BODY, ALIVE
)


def limited(asked: Asked, seconds: int) -> Told:
    """Return the response to a request over its budget, which may come again in so many seconds."""
    problem = Problem("rate_limited", f"Try again in {seconds} s.", headers={"Retry-After": str(seconds)})
    return _refusal(problem, asked.path, asked.request_id, "limited")


def too_long(asked: Asked) -> Told | None:
    """Return the response to a request whose address is too long to be repeated; None when it is not."""
    path, query = asked.path, asked.query
    if len(path) + len(query) <= MAX_TARGET:
        return None
    signed_in = needs_credential(path) or path.startswith(_STAFF)
    longest = MAX_SIGNED_IN_TARGET if signed_in else MAX_TARGET
    if len(path) > MAX_TARGET:
        detail = f"At most {MAX_TARGET} bytes of path."
    elif len(path) + len(query) > longest:
        detail = f"At most {longest} bytes of path and query string."
    else:
        return None
    return _refusal(Problem("target_too_long", detail), "", asked.request_id, "too_long", is_news=True)


def unreadable(asked: Asked, name: str) -> Told:
    """Return the response to a request with a header that has other characters than printable ASCII."""
    problem = Problem("bad_request", f"The header {name} has characters that are not ASCII.")
    return _refusal(problem, asked.path, asked.request_id, "unreadable", is_news=True)


def _refusal(problem: Problem, path: str, request_id: str, route: str, *, is_news: bool = False) -> Told:
    """Return a problem as a response.

    Args:
        problem: The problem.
        path: What was asked for.
        request_id: What the request is called.
        route: What it is counted as.
        is_news: Whether its line is always in the log.
    """
    body = problem.encode(path[:MAX_TARGET], request_id)
    headers = (
        ("content-type", MEDIA_TYPE),
        ("content-length", str(len(body))),
        *((name.lower(), value) for name, value in problem.headers.items()),
    )
    return Told(problem.status, headers, body, route, is_news)
