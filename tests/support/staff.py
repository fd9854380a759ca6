"""People who sign in at the pages, with a browser's cookies and without its scripts."""

from requests import Response

from tests.support.accounts import PASSWORD
from tests.support.client import Client
from tests.support.pages import Page


def visitor(api: Client) -> Client:
    """Return somebody without a cookie, who reads English."""
    return Client(api.base, **{"Accept-Language": "en"})


def token_of(page: Page) -> str:
    """Return the token that the forms of a page send."""
    (found,) = {field.get("value") or "" for field in page.all("input", name="token")}
    return found


def send(browser: Client, path: str, **fields: str) -> Response:
    """Send a form."""
    return browser.ask("POST", path, data=fields)


def sign_in(browser: Client, role: str, **fields: str) -> Response:
    """Sign in as ROLE@example.com, with the form that the page has; `fields` replace some of its own."""
    token = token_of(Page(browser.get("/sign-in")))
    filled = {"token": token, "email": f"{role}@example.com", "password": PASSWORD} | fields
    return send(browser, "/sign-in", **filled)


def signed_in_at_pages(api: Client, role: str) -> Client:
    """Return somebody who has signed in at the pages."""
    browser = visitor(api)
    answer = sign_in(browser, role)
    assert answer.status_code == 303, answer.text
    return browser
