"""The Chromium of the system, driven by Playwright, and what a page does in it that it must not do."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, ViewportSize, expect, sync_playwright

AXE = (Path(__file__).parent / "vendor/axe.min.js").read_text()
PHONE, DESKTOP = ViewportSize(width=390, height=844), ViewportSize(width=1440, height=900)
# The shell draws no window: a test in it takes three fifths of the processor time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Milliseconds that an expectation is waited for: many, because a machine may be as slow as it likes.
PATIENCE = 60_000
# Chromium has no sandbox of its own where the tests run as root.
_ARGUMENTS = ["--no-sandbox"] if os.geteuid() == 0 else []


def chromium() -> str | None:
    """Return the path of a Chromium: of the variable CHROMIUM, else of PATH; None when there is none."""
    named = os.environ.get("CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


# For modules whose tests need a browser.
IN_A_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(
        chromium() is None, reason=f"no Chromium: none of {NAMES} is on PATH, CHROMIUM is not set"
    ),
]


@contextmanager
def browsing() -> Iterator[Browser]:
    """Run a Chromium until the block ends."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=_ARGUMENTS)
        yield browser
        browser.close()


class Visit:
    """A tab, with everything that its pages did wrong.

    Attributes:
        page: Playwright's page.
        faults: Errors, warnings of policies, and requests that left the origin.
        asked: The addresses of all requests.
    """

    def __init__(self, browser: Browser, base: str, **options: Any) -> None:
        """Open a tab.

        Args:
            browser: A running browser.
            base: The address of the product; paths are below it.
            **options: Of Playwright's `new_context`: viewport, locale, color_scheme and so on.
        """
        self._origins = {urlsplit(base).netloc}
        self._context = browser.new_context(base_url=base, **options)
        self.page: Page = self._context.new_page()
        self.faults: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._request)

    def allow(self, url: str) -> None:
        """Let pages ask the server of this address too."""
        self._origins.add(urlsplit(url).netloc)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.faults.append(message.text)

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)
        if urlsplit(request.url).netloc not in self._origins:
            self.faults.append(f"asked {request.url}")

    def violations(self, *rules: str) -> list[str]:
        """Return what axe finds wrong with the page as it is now.

        Args:
            *rules: The only rules to check; without any, all of WCAG 2.2 A and AA and axe's own.
        """
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        # Nothing but what is wrong is gathered, and no selectors are sought for it: half of axe's work.
        options = {"runOnly": list(rules) or _TAGS, "resultTypes": ["violations"], "selectors": False}
        # Sizes and overlaps depend on the font: the fallback's until the page's own has arrived.
        found = self.page.evaluate(
            "options => document.fonts.ready.then(() => axe.run(document, options))", options
        )
        return [
            f"{broken['id']}: {node['html'][:150]} {node['failureSummary'][:200]}"
            for broken in found["violations"]
            for node in broken["nodes"]
        ]

    def closed_to_anybody(self) -> list[str]:
        """Return what is wrong with the page in the colours of both schemes, on a desktop and on a phone."""
        page, found = self.page, self.violations()
        # What the colours and the width of the screen can change.
        page.emulate_media(color_scheme="dark")
        found += self.violations("color-contrast")
        page.set_viewport_size(PHONE)
        found += self.violations("color-contrast", "target-size")
        page.emulate_media(color_scheme="light")
        found += self.violations("color-contrast", "region", "scrollable-region-focusable")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            found.append(f"{width} pixels wide")
        return found

    def close(self) -> None:
        """Close the tab."""
        self._context.close()


_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
