"""Query parameters that a route does not know, or gets twice, are refused by every route in the same way."""

import pytest
from litestar.datastructures import MultiDict
from litestar.routes import HTTPRoute

from api.app import create_app
from api.discovery.params import search_request
from api.settings import Settings
from tests.support.client import Client


@pytest.mark.slow
def test_every_route_refuses_what_it_does_not_know(
    listener: Client, staff: dict[str, Client], settings: Settings
) -> None:
    routes = [
        (method, route.path, handler)
        for route in create_app(settings).routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS" and handler.resolve_include_in_schema() and not handler.opt.get("probe")
    ]
    assert len(routes) > 80
    for method, template, handler in routes:
        path = "/".join("1" if part.startswith("{") else part for part in template.split("/"))
        sender = staff["admin"] if "roles" in handler.opt else listener
        for role in handler.opt.get("roles", ()):
            sender = staff[role]
        answer = sender.ask(method, f"{path}?nobodyKnows=1", json={})
        assert answer.status_code == 400, (method, path, answer.text)
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter"), (
            method,
            path,
            answer.text,
        )


@pytest.mark.parametrize("query", ["q=&q=", "q=a&q=", "q=&q=a", "q=a&q=a"])
def test_a_parameter_is_given_once_even_when_it_is_empty(listener: Client, query: str) -> None:
    answer = listener.get(f"/discovery/search?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_equal_requests_have_one_key() -> None:
    asked = [
        {"q": "a  b", "facets": "kind,language", "page": "1"},
        {"facets": "language, kind,kind", "q": " a b", "sort": "relevance"},
        {"limit": "020", "q": "a b", "facets": "language,kind", "language": ""},
    ]
    assert len({search_request(MultiDict(one)).key() for one in asked}) == 1
