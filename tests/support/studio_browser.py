"""Editors at the studio's pages of a program, in a real browser."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.support.accounts import PASSWORD
from tests.support.browser import DESKTOP, Visit
from tests.support.client import Client


def entered(browser: Browser, api: Client, role: str, path: str, language: str = "en") -> Visit:
    """A tab of somebody who has signed in."""
    options = {"viewport": DESKTOP, "locale": language, "timezone_id": "Asia/Tokyo"}
    visit = Visit(browser, api.base, reduced_motion="reduce", **options)
    page = visit.page
    page.goto(f"/sign-in?next={path}")
    page.locator("[name=email]").fill(f"{role}@example.com")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{path}$"))
    # A page that showed the times of another zone has loaded itself once more.
    expect(page.locator("[name=zone]")).to_have_value("Asia/Tokyo")
    return visit


def press(page: Page, name: str) -> None:
    """Press a button with the keyboard alone."""
    page.get_by_role("button", name=name, exact=True).first.focus()
    page.keyboard.press("Enter")


def write(page: Page, field: str, text: str) -> None:
    """Write a text into a field with the keyboard, in the place of what it had."""
    page.locator(f"[name={field}]").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def kept(page: Page) -> int:
    """Return how many texts this browser keeps that the server does not have."""
    found: int = page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('studio:')).length")
    return found
