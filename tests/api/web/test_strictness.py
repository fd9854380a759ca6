"""The reader of pages that other tests use refuses what a browser would have to repair."""

import pytest
from requests import Response

from tests.support.pages import Page


def page(body: str) -> Page:
    """A page as a server sends it."""
    answer = Response()
    answer.status_code, answer.headers["content-type"] = 200, "text/html; charset=utf-8"
    answer._content = (
        f"<!doctype html><html lang=en><head><title>t</title></head><body>{body}</body></html>".encode()
    )
    return Page(answer)


@pytest.mark.parametrize(
    "body",
    [
        "<p><div></p></div>",
        "<a href='x'href='y'>a</a>",
        "<p id=a id=b>a",
        "<span>a",
        "&nothing;",
        "<noscript><p></div></noscript>",
    ],
)
def test_mistakes_are_refused(body: str) -> None:
    with pytest.raises(AssertionError):
        page(body)


def test_elements_and_texts_are_found_also_those_without_scripts() -> None:
    found = page('<div>a<noscript><p>b <a href="/?x=1&amp;y">c</a></p> d</noscript>e</div>')
    assert (found.texts("div"), found.texts("p"), list(found.links())) == (["ab c de"], ["b c"], ["/?x=1&y"])
