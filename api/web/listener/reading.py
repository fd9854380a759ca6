"""Reads the query strings of pages. A listener who follows a link with a wrong parameter gets the page without it."""

from collections.abc import Callable
from typing import TypeVar

from litestar.datastructures import MultiDict

from api.answers.answer import Reply
from api.discovery.narrowing.filters import SEVERAL
from api.http.errors import Problem, UnknownParameter
from api.http.query import QueryString
from api.web.listener.narrowing import ordered
from api.web.rendering.links import query
from api.web.rendering.page import PageRequest

Parsed = TypeVar("Parsed")


def state(request: PageRequest) -> dict[str, tuple[str, ...]]:
    """Return the parameters that have a value, in the order of the addresses that we make."""
    sent = request.query_params
    query_string = QueryString(sent, sent.keys(), SEVERAL)
    single = {name: (value,) for name, value in query_string.values.items()}
    return ordered(single | {name: query_string.several(name) for name in SEVERAL})


def parsed(request: PageRequest, parse: Callable[[MultiDict[str]], Parsed]) -> Parsed | Reply:
    """Return what the query string says, or a redirect to the address without its wrong parameters.

    Args:
        request: The request of a page.
        parse: Reads the parameters as the API does.

    Raises:
        Problem: The query string is wrong as a whole.
    """
    try:
        return parse(MultiDict(request.query_params.multi_items()))
    except Problem:
        kept = right(request.query_params, parse)
    return moved(f"{request.url.path}{query(MultiDict(kept).dict())}", 302)


def right(sent: MultiDict[str], parse: Callable[[MultiDict[str]], object]) -> list[tuple[str, str]]:
    """Return the parameters without those that are wrong.

    Args:
        sent: The parameters.
        parse: Reads them as the API does.

    Raises:
        Problem: They are wrong as a whole.
    """
    kept = list(sent.multi_items())
    while True:
        try:
            parse(MultiDict(kept))
        except Problem as problem:
            # All unknown names at once: every step reads all parameters again.
            wrong = {error.field for error in problem.errors}
            if isinstance(problem, UnknownParameter):
                wrong |= problem.names
            rest = [(name, value) for name, value in kept if name not in wrong]
            if len(rest) == len(kept):
                raise
            kept = rest
        else:
            return kept


def moved(location: str, status: int = 301) -> Reply:
    """Return a redirect, which caches may keep for a minute."""
    headers = [
        (b"location", location.encode("ascii", "xmlcharrefreplace")),
        (b"cache-control", b"public, max-age=60"),
        (b"content-length", b"0"),
    ]
    return Reply(status, headers, b"")
