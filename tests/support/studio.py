"""Editors at the studio's pages of a program, without a browser's scripts."""

from api.web.rendering.locales import texts
from tests.support.client import Client
from tests.support.filled import fields, submit
from tests.support.pages import Page, read


def at(program_id: object) -> str:
    """Return the address of the editor of a program."""
    return f"/studio/programs/{program_id}"


def the_form(page: Page) -> dict[str, str]:
    """Return the fields of the form of a program as they stand on a page."""
    return fields(page, page.one("form", id="program"))


def save(browser: Client, path: str, **changed: str | None) -> Page | str:
    """Change fields of a page's form and press the button.

    Args:
        browser: Somebody who has signed in.
        path: The page.
        **changed: What was typed instead.

    Returns:
        Where it leads, or the page that refuses.
    """
    page = read(browser, path)
    answer = submit(browser, page, page.one("form", id="program"), **changed)
    return answer.headers["location"] if answer.status_code == 303 else Page(answer)


def offered(page: Page) -> set[str]:
    """Return the steps that a page of a program offers."""
    return {str(form.get("data-step")) for form in page.all("form") if form.get("data-step")}


def take(browser: Client, program_id: object, step: str, **said: str) -> str | Page:
    """Take a step as the page of a program offers it, and say yes where a page asks.

    Args:
        browser: Somebody who has signed in.
        program_id: The program.
        step: The name of the step.
        **said: What the page that asks is told.

    Returns:
        What is said about it afterwards, or the page that refuses.
    """
    page = read(browser, at(program_id))
    form = page.one("form", data_step=step)
    if form.get("method") == "post":
        answer = submit(browser, page, form)
    else:
        asked = Page(browser.ask("GET", form.get("action", ""), params=fields(page, form)))
        assert asked.status == 200
        (question,) = (one for one in asked.all("form") if one.get("action") == form.get("action"))
        answer = submit(browser, asked, question, **said)
    if answer.status_code != 303:
        return Page(answer)
    told = read(browser, answer.headers["location"]).texts("p", class_="done")
    return told[0] if told else answer.headers["location"]


def says(name: str) -> str:
    """Return an English text of the pages."""
    found = texts("en")[name]
    assert isinstance(found, str)
    return found
