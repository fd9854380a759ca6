"""Takes the pictures of the README from a running product: `make pictures`, while `make run` runs in another terminal.

A picture is a JPEG of the first screen, so that it stays small. The pages of staff are seen by the account that
`make run` shows.
"""

import argparse
import json
from typing import NamedTuple

from tests.support.browser import browsing
from tests.support.paths import ROOT

FOLDER = ROOT / "docs/pictures"
SECRETS = ROOT / ".thmanyah/secrets.json"
ADMIN = "admin@thmanyah.local"
_SCREEN = {"width": 1280, "height": 860}
_QUALITY = 70


class Picture(NamedTuple):
    """The name of a picture, the page that it shows, and the language of a page that has none in its address."""

    name: str
    path: str
    language: str


PICTURES = (
    Picture("listener", "/ar", "ar"),
    Picture("studio", "/studio/programs", "ar"),
    Picture("board", "/ops/board", "en"),
)


def main() -> None:
    """Take every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="Where the product answers.")
    url = parser.parse_args().url
    with browsing() as browser:
        page = browser.new_page(base_url=url, viewport=_SCREEN, reduced_motion="reduce")
        page.goto("/sign-in")
        page.locator("[name=email]").fill(ADMIN)
        page.locator("[name=password]").fill(json.loads(SECRETS.read_text())["adminPassword"])
        page.locator("main button").click()
        page.wait_for_load_state("networkidle")
        for picture in PICTURES:
            page.goto(f"/language/{picture.language}")
            # The board's events never end.
            page.goto(picture.path, wait_until="load")
            page.wait_for_timeout(1500)
            page.screenshot(path=FOLDER / f"{picture.name}.jpg", type="jpeg", quality=_QUALITY)
            print(FOLDER / f"{picture.name}.jpg")


if __name__ == "__main__":
    main()
