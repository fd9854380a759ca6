"""What operators do on the board, without a browser's scripts."""

from api.web.rendering.locales import texts
from tests.support.client import Client
from tests.support.pages import Page, read
from tests.support.staff import send


def act(browser: Client, name: str, **fields: object) -> int:
    """Ask for an action as the board does, and say yes; return the status."""
    asked = Page(browser.ask("GET", f"/ops/board/do/{name}", params=fields))
    assert asked.status == 200
    said = asked.one("form", action=f"/ops/board/do/{name}")
    filled = {field.get("name"): field.get("value") or "" for field in asked.within(said, "input")}
    answer = send(browser, f"/ops/board/do/{name}", **{str(key): value for key, value in filled.items()})
    if answer.status_code == 303:
        assert answer.headers["location"].startswith(f"/ops/board?done={name}#")
        assert texts("en")[f"done.{name}"] in read(browser, answer.headers["location"]).texts(
            "p", role="status"
        )
    return answer.status_code
