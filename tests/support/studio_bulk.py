"""Steps with many programs at the studio, as a browser without scripts takes them."""

from xml.etree.ElementTree import Element

from requests import Response

from catalog.core.db import session_factory
from tests.support.client import Client
from tests.support.pages import Page
from tests.support.programs import make
from tests.support.shared import SharedApi

DO = "/studio/programs/do"


def sent_by(page: Page, form: Element) -> list[tuple[str, str]]:
    """Return what a browser sends of a form, in its order."""
    fields = [(f.get("name") or "", f.get("value") or "") for f in page.within(form, "input")]
    for choice in page.within(form, "select"):
        options = page.within(choice, "option")
        chosen = [option for option in options if option.get("selected") is not None] or options[:1]
        value = chosen[0].get("value")
        fields.append((choice.get("name") or "", value if value is not None else chosen[0].text or ""))
    return fields


def made(shared: SharedApi, *states: str, **values: object) -> list[str]:
    """Make programs in these states; return what a form names them by."""
    with session_factory(shared.database).begin() as session:
        programs = [make(session, state, **values) for state in states]
        return [f"{program.id}:{program.rev}" for program in programs]


def asked(browser: Client, step: str, ids: list[str], **fields: str) -> Page:
    """The page that asks for a step."""
    return Page(browser.ask("GET", DO, params={"step": step, "id": ids, **fields}))


def yes(browser: Client, page: Page, **filled: str) -> Response:
    """Say yes to what a page asks, with what is filled in."""
    (form,) = page.all("form", action=DO)
    fields = sent_by(page, form)
    body = [(name, value) for name, value in fields if name not in filled] + list(filled.items())
    return browser.ask("POST", DO, data=body)


def done(browser: Client, step: str, ids: list[str], **filled: str) -> Page:
    """Take a step; return the page with its outcome."""
    return Page(yes(browser, asked(browser, step, ids), **filled))


def undone(browser: Client, page: Page) -> list[Page]:
    """Take the step of a page back, as far as it offers that; return the pages with the outcomes."""
    outcomes = []
    for form in page.all("form", action=DO):
        outcomes.append(Page(yes(browser, Page(browser.ask("GET", DO, params=sent_by(page, form))))))
    return outcomes


def now(shared: SharedApi, ids: list[str]) -> list[dict[str, object]]:
    """The programs as editors see them, deleted ones as nothing."""
    found = [shared.staff["reviewer"].get(f"/catalog/programs/{one.partition(':')[0]}") for one in ids]
    return [answer.json().get("data", {}) for answer in found]
