"""No page of the studio is open: neither to strangers nor to people without a role of editors, whatever they send."""

import re

from api.app import create_app
from tests.support.shared import SharedApi
from tests.support.staff import signed_in_at_pages, visitor

LETTERS = {"int": "1", "str": "x", "path": "x"}


def routes(shared: SharedApi) -> list[tuple[str, str]]:
    """Return every method and address of the studio."""
    return sorted(
        (method, re.sub(r"\{\w+:(\w+)\}", lambda found: LETTERS[found[1]], route.path))
        for route in create_app(shared.settings).routes
        if route.path.startswith("/studio")
        for method in getattr(route, "methods", ())
        if method not in ("OPTIONS", "HEAD")
    )


def test_strangers_are_led_to_the_sign_in(shared: SharedApi) -> None:
    stranger, found = visitor(shared.listener), routes(shared)
    assert {method for method, _ in found} == {"GET", "POST"}
    for method, path in found:
        answer = stranger.ask(method, path, data={"token": "x"} if method == "POST" else None)
        assert answer.status_code == 303, (method, path)
        assert answer.headers["location"].partition("?")[0] == "/sign-in", (method, path)


def test_operators_are_refused(shared: SharedApi) -> None:
    operator = signed_in_at_pages(shared.listener, "ops")
    for method, path in routes(shared):
        answer = operator.ask(method, path, data={"token": "x"} if method == "POST" else None)
        assert answer.status_code == 403, (method, path)


def test_a_form_of_another_site_is_refused(shared: SharedApi) -> None:
    reviewer = signed_in_at_pages(shared.listener, "reviewer")
    for method, path in routes(shared):
        if method == "POST":
            for data in ({}, {"token": "x" * 64}):
                assert reviewer.ask(method, path, data=data).status_code in (403, 415), path
