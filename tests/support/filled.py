"""What a browser without scripts sends of a form."""

from xml.etree.ElementTree import Element

from requests import Response

from tests.support.client import Client
from tests.support.pages import Page, text_of


def fields(page: Page, form: Element) -> dict[str, str]:
    """Return the fields of a form as it stands on a page."""
    found: dict[str, str] = {}
    for field in page.within(form, "input"):
        kind, name = field.get("type", "text"), field.get("name")
        if name and (kind not in ("checkbox", "radio") or field.get("checked") is not None):
            found[name] = field.get("value", "on" if kind == "checkbox" else "")
    for field in page.within(form, "textarea"):
        found[field.get("name", "")] = field.text or ""
    for field in page.within(form, "select"):
        options = page.within(field, "option")
        chosen = [one for one in options if one.get("selected") is not None] or options[:1]
        found[field.get("name", "")] = chosen[0].get("value", text_of(chosen[0]))
    return found


def submit(browser: Client, page: Page, form: Element, **changed: str | None) -> Response:
    """Send a form.

    Args:
        browser: Somebody who has signed in.
        page: The page that has the form.
        form: The form.
        **changed: What was typed instead; None leaves a field out, as a box that is not ticked.
    """
    sent = {**fields(page, form), **changed}
    data = {name: value for name, value in sent.items() if value is not None}
    return browser.ask("POST", form.get("action", ""), data=data)
