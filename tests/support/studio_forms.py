"""Pages of the studio as tests use them: every form filled as the page has it, and what each page must not have."""

from requests import Response

from tests.support.client import Client
from tests.support.pages import Page, read
from tests.support.staff import send


def valid(page: Page, language: str) -> None:
    """Check that a page is in its language, has one heading, no id twice, no inline script or style, and no dead anchor."""
    assert (page.status, page.root.get("lang")) == (200, language)
    ids = [element.get("id") for element in page.root.iter() if element.get("id")]
    assert len(ids) == len(set(ids)), ids
    assert not [e for e in page.root.iter() if e.get("style") or any(n.startswith("on") for n in e.attrib)]
    assert len(page.all("h1")) == 1
    assert {link[1:] for link in page.links() if link.startswith("#")} <= set(ids)
    targets = {label.get("for") for label in page.all("label") if label.get("for")}
    assert targets <= set(ids)


def fields_of(page: Page, action: str) -> dict[str, str]:
    """Return what a browser would send of the form with this address, unless somebody types or presses something else."""
    form = page.all("form", action=action, method="post")[0]
    found: dict[str, str] = {}
    for field in page.within(form, "input"):
        name, kind = field.get("name"), field.get("type")
        ticked = kind not in ("checkbox", "radio") or field.get("checked") is not None
        if name and ticked and kind != "file":
            found[name] = field.get("value") or ""
    for area in page.within(form, "textarea"):
        found[area.get("name") or ""] = (area.text or "").removeprefix("\n")
    for choice in page.within(form, "select"):
        options = page.within(choice, "option")
        chosen = [option for option in options if option.get("selected") is not None] or options[:1]
        found[choice.get("name") or ""] = chosen[0].get("value") or ""
    return found


def fill(browser: Client, path: str, action: str, **typed: str) -> Response:
    """Open a page, fill a form of it, and send it; return the answer.

    Args:
        browser: Somebody who has signed in.
        path: The page.
        action: The address of the form.
        **typed: What is typed, chosen or pressed.
    """
    return send(browser, action, **(fields_of(read(browser, path), action) | typed))
