"""How soon a listener sees a page, and how much it loads: Chromium with a processor four times slower.

`python -m perf.benches.answers.pages [--rounds 7]` needs Chromium. Every visit has an empty cache, as a first one has. The time until
something is painted stands beside that of a page of three words from a server of its own, in the same browser.
"""

import argparse
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

from playwright.sync_api import Browser

from perf.tables import compare
from tests.support.browser import PHONE, browsing, chromium
from tests.support.stack import product

# The bars: seconds until the first contentful paint, bytes that a page loads, and bytes of its scripts, compressed.
BAR_SECONDS, BAR_BYTES, BAR_SCRIPTS = 0.5, 100_000, 60_000
SLOWER = 4
# The first two have the bars; the others are what a listener sees besides.
SEARCHES = (f"/ar/search?q={quote('قهوة')}", "/en/search?q=coffee")
OTHERS = ("/ar", "/en")
_PAINTED = """() => new Promise((done) => {
  const first = () => performance.getEntriesByName("first-contentful-paint")[0];
  if (first()) return done(first().startTime);
  new PerformanceObserver(() => first() && done(first().startTime)).observe({type: "paint", buffered: true});
})"""


@dataclass
class Visit:
    """One visit.

    Attributes:
        seconds: From the request until something was painted.
        loaded: Bytes of all answers, as they were sent, heads included.
        scripts: Bytes of the scripts among them.
    """

    seconds: float = 0.0
    loaded: int = 0
    scripts: int = 0
    kinds: dict[str, str] = field(default_factory=dict)


def visit(browser: Browser, url: str) -> Visit:
    """Open a page on a phone with an empty cache; return what it took.

    Args:
        browser: A running browser.
        url: The page.
    """
    found = Visit()
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    devtools = context.new_cdp_session(page)

    def answered(event: dict[str, str]) -> None:
        found.kinds[event["requestId"]] = event["type"]

    def finished(event: dict[str, str]) -> None:
        size = int(event["encodedDataLength"])
        found.loaded += size
        found.scripts += size * (found.kinds.get(event["requestId"]) == "Script")

    devtools.on("Network.responseReceived", answered)
    devtools.on("Network.loadingFinished", finished)
    devtools.send("Network.enable")
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(url, wait_until="networkidle")
    found.seconds = page.evaluate(_PAINTED) / 1000
    context.close()
    return found


class _ThreeWords(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer with a page."""
        body = b"<!doctype html><title>Page</title><p>Only three words"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def three_words() -> Iterator[str]:
    """Serve a page of three words until the block ends; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _ThreeWords) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def main() -> None:
    """Measure, and print the tables.

    Raises:
        SystemExit: There is no Chromium, or a bar was missed.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if chromium() is None:
        raise SystemExit("there is no Chromium on PATH, and CHROMIUM is not set")
    missed = False
    with product(0) as running, three_words() as least, browsing() as browser:
        pages = {path: running.api + path for path in (*SEARCHES, *OTHERS)}
        for url in (least, *pages.values()):
            visit(browser, url)
        for path, url in pages.items():
            rounds = [(visit(browser, least), visit(browser, url)) for _ in range(options.rounds)]
            seconds = statistics.median(page.seconds for _, page in rounds)
            beside = statistics.median(page.seconds / empty.seconds for empty, page in rounds)
            loaded = max(page.loaded for _, page in rounds)
            scripts = max(page.scripts for _, page in rounds)
            has_bar = path in SEARCHES
            missed |= has_bar and (seconds > BAR_SECONDS or loaded > BAR_BYTES or scripts > BAR_SCRIPTS)
            compare(
                path,
                [
                    ("first contentful paint, s", f"{seconds:.2f}", f"{BAR_SECONDS}" if has_bar else ""),
                    ("÷ a page of three words", f"{beside:.1f}", ""),
                    ("bytes loaded", f"{loaded:,}", f"{BAR_BYTES:,}" if has_bar else ""),
                    ("of scripts", f"{scripts:,}", f"{BAR_SCRIPTS:,}" if has_bar else ""),
                ],
            )
    if missed:
        raise SystemExit("a bar was missed")


if __name__ == "__main__":
    main()
