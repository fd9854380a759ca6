"""Takes the pictures of the README from a running product: `make pictures`, while `make run` runs in another terminal.

A picture is a JPEG of the first screen, so that it stays small.
"""

import argparse

from tests.support.browser import browsing
from tests.support.paths import ROOT

FOLDER = ROOT / "docs/pictures"
# Name of a picture -> the page that it shows.
PAGES = {"listener": "/ar"}
_SCREEN = {"width": 1280, "height": 860}
_QUALITY = 70


def main() -> None:
    """Take every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="Where the product answers.")
    url = parser.parse_args().url
    with browsing() as browser:
        page = browser.new_page(base_url=url, viewport=_SCREEN, reduced_motion="reduce")
        for name, path in PAGES.items():
            page.goto(path, wait_until="networkidle")
            page.screenshot(path=FOLDER / f"{name}.jpg", type="jpeg", quality=_QUALITY)
            print(FOLDER / f"{name}.jpg")


if __name__ == "__main__":
    main()
