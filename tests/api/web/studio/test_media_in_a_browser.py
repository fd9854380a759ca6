"""The files of a program in the editor, in a real browser: what is behind an address is said beside its field."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import files
from tests.support.browser import IN_A_BROWSER
from tests.support.editorial import created
from tests.support.shared import SharedApi
from tests.support.sites import Site, site
from tests.support.studio import at, says
from tests.support.studio_browser import entered, press, write

pytestmark = IN_A_BROWSER


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with site() as found:
        monkeypatch.setenv("IMPORT_TRUSTED", found.trusted)
        found.pages["/a.wav"] = (200, {"Content-Type": "audio/wav"}, files.wav(65))
        found.pages["/p.png"] = (200, {"Content-Type": "image/png"}, files.png(400, 300))
        yield found


def _give(page: Page, field: str, address: str) -> str:
    """Write an address and leave its field; return where what is behind it is said."""
    write(page, field, address)
    page.keyboard.press("Tab")
    return f"[data-file]:has([name={field}]) [data-checked]"


def test_sound_is_played_and_lasts_what_the_browser_reads(
    browser: Browser, shared: SharedApi, stranger: Site
) -> None:
    program_id = created(shared.staff["editor"], title="With sound")["id"]
    visit = entered(browser, shared.listener, "editor", at(program_id))
    visit.allow(stranger.url())
    page = visit.page
    line = page.locator(_give(page, "mediaUrl", stranger.url("/a.wav")))
    expect(line).to_contain_text("Audio")
    expect(line).to_contain_text("It lasts 1:05.")
    press(page, "Take 1:05 as the duration")
    expect(page.locator("[name=durationSec]")).to_have_value("1:05")
    expect(page.locator("#saving")).to_have_text(re.compile("Saved at"))
    assert visit.closed_to_anybody() == []
    # Another address makes the player go.
    _give(page, "mediaUrl", stranger.url("/none"))
    expect(line).to_have_text(says("editor_check.not_found"))
    expect(page.locator("[data-play] audio")).to_have_count(0)
    assert visit.faults == []
    visit.close()


def test_a_picture_is_shown_or_why_not(browser: Browser, shared: SharedApi, stranger: Site) -> None:
    visit = entered(browser, shared.listener, "editor", "/studio/programs/new", "ar")
    visit.allow(stranger.url())
    page, thumb = visit.page, visit.page.locator("[data-thumb]")
    line = page.locator(_give(page, "thumbnailUrl", stranger.url("/p.png")))
    expect(line).to_contain_text("٤٠٠ × ٣٠٠")
    expect(thumb).to_be_visible()
    # It is visible before it has arrived.
    expect(thumb).to_have_js_property("naturalWidth", 400)
    _give(page, "thumbnailUrl", stranger.url("/a.wav"))
    expect(line).to_contain_text("ليست هذه صورة")
    expect(thumb).to_be_hidden()
    _give(page, "thumbnailUrl", "http://127.0.0.1/x.png")
    expect(line).to_contain_text("ليس على الإنترنت العام")
    assert visit.faults == []
    visit.close()


def test_a_picture_is_uploaded(
    browser: Browser, shared: SharedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICTURES_FOLDER", str(tmp_path / "pictures"))
    monkeypatch.setenv("PICTURES_MAX_BYTES", "20000")
    program_id = created(shared.staff["editor"], title="With a picture")["id"]
    visit = entered(browser, shared.listener, "editor", at(program_id))
    page = visit.page
    line, chosen = (
        page.locator("[data-file]:has([name=thumbnailUrl]) [data-checked]"),
        page.locator("[data-upload] input"),
    )

    def choose(content: bytes) -> None:
        chosen.set_input_files({"name": "cover.png", "mimeType": "image/png", "buffer": content})

    # It is kept at the address that the site is known by, which is another port here.
    page.route(
        "**/pictures/*", lambda route: route.fulfill(body=files.png(300, 300), content_type="image/png")
    )
    visit.allow(shared.settings.api.site)
    choose(files.png(300, 300))
    expect(line).to_have_text(says("editor_upload.kept"))
    expect(page.locator("[name=thumbnailUrl]")).to_have_value(re.compile(r"/pictures/[0-9a-f]{32}\.png$"))
    expect(page.locator("[data-thumb]")).to_be_visible()
    expect(page.locator("#saving")).to_have_text(re.compile("Saved at"))
    saved = shared.staff["editor"].get(f"/catalog/programs/{program_id}").json()["data"]["thumbnailUrl"]
    assert saved == page.locator("[name=thumbnailUrl]").input_value()
    choose(files.SVG)
    expect(line).to_contain_text("This is no picture")
    choose(files.png(300, 300, more=bytes(20_001)))
    expect(line).to_have_text("A picture has at most 20 kB.")
    assert page.locator("[name=thumbnailUrl]").input_value() == saved
    assert visit.closed_to_anybody() == []
    page.goto("/studio/programs/picture")
    assert visit.closed_to_anybody() == []
    assert visit.faults == []
    visit.close()
