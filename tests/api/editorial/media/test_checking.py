"""The file behind an address, before a program has it: what it is, whether it can be fetched, and who may ask."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.editorial.media import checking
from api.editorial.media.schemas import PROBLEMS
from api.http.limits.threads import Threads
from api.web.rendering.locales import locale, texts
from api.web.studio.editor.media import telling
from indexer.importing.fetching import connections
from tests.support import files
from tests.support.pages import read
from tests.support.shared import SharedApi
from tests.support.sites import Site, site
from tests.support.staff import send, signed_in_at_pages, token_of

PATH = "/catalog/files/check"


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with site() as found:
        monkeypatch.setenv("IMPORT_TRUSTED", found.trusted)
        # Each test has its own minute.
        monkeypatch.setattr(checking, "PER_MINUTE", 1000)
        yield found


def check(shared: SharedApi, url: str, use: str = "media") -> dict[str, Any]:
    answer = shared.staff["editor"].post(PATH, {"url": url, "use": use})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def in_parts(content: bytes, declared: str) -> Any:
    """A page of a server that sends the part that is asked for."""

    def page(_path: str, headers: dict[str, str]) -> Any:
        end = int(headers["range"].rpartition("-")[2])
        part = content[: end + 1]
        span = f"bytes 0-{len(part) - 1}/{len(content)}"
        return 206, {"Content-Type": declared, "Content-Range": span}, part

    return page


def test_sound_is_known_by_its_bytes_and_only_its_beginning_is_fetched(
    shared: SharedApi, stranger: Site
) -> None:
    content = files.wav(60)
    stranger.pages["/a.wav"] = in_parts(content, "application/octet-stream")
    found = check(shared, stranger.url("/a.wav"))
    assert (found["problem"], found["kind"], found["bytes"], found["seekable"]) == (
        None,
        "audio",
        len(content),
        True,
    )
    assert [headers["range"] for _, headers in stranger.asked] == ["bytes=0-65535"]


def test_a_server_that_sends_no_parts_is_told(shared: SharedApi, stranger: Site) -> None:
    stranger.pages["/a"] = (
        200,
        {"Content-Type": "video/mp4"},
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(99),
    )
    stranger.pages["/old"] = (302, {"Location": "/a"}, b"")
    found = check(shared, stranger.url("/old"))
    assert (found["kind"], found["contentType"], found["seekable"]) == ("video", "video/mp4", False)
    assert found["url"] == stranger.url("/a")


def test_a_picture_with_its_size(shared: SharedApi, stranger: Site) -> None:
    stranger.pages["/p"] = (200, {"Content-Type": "text/plain"}, files.png(1400, 900))
    found = check(shared, stranger.url("/p"), "picture")
    assert (found["kind"], found["contentType"], found["width"], found["height"]) == (
        "picture",
        "image/png",
        1400,
        900,
    )
    assert check(shared, stranger.url("/p"), "media")["problem"] == "wrong_kind"


def test_a_picture_whose_size_stands_far_behind_its_beginning(shared: SharedApi, stranger: Site) -> None:
    # A profile of colours for printing is larger than what is fetched.
    stranger.pages["/p"] = in_parts(files.jpeg(900, 700, before=600_000), "image/jpeg")
    found = check(shared, stranger.url("/p"), "picture")
    assert (found["problem"], found["kind"], found["contentType"]) == (None, "picture", "image/jpeg")
    assert (found["width"], found["height"]) == (None, None)
    # All of this one was sent.
    stranger.pages["/broken"] = (200, {"Content-Type": "image/jpeg"}, files.jpeg()[:8])
    assert check(shared, stranger.url("/broken"), "picture")["problem"] == "wrong_kind"


def test_an_uploaded_picture_is_looked_at_where_it_is_kept(
    shared: SharedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "PER_MINUTE", 1000)
    monkeypatch.setenv("PICTURES_FOLDER", str(tmp_path / "pictures"))
    content = files.png(640, 480)
    headers = {"Content-Type": "application/octet-stream"}
    kept = shared.staff["editor"].ask("POST", "/catalog/pictures", data=content, headers=headers)
    url: str = kept.json()["data"]["url"]
    # No server listens at the site's address, and it is none of the public internet.
    found = check(shared, url, "picture")
    assert (found["problem"], found["kind"], found["contentType"]) == (None, "picture", "image/png")
    assert (found["bytes"], found["width"], found["height"]) == (len(content), 640, 480)
    assert check(shared, url, "media")["problem"] == "wrong_kind"
    place = url.rpartition("/")[0]
    assert check(shared, f"{place}/{'0' * 32}.png", "picture")["problem"] == "not_found"
    for other in (f"{place}/../health/live", f"{place}/x.png", f"{url}?x"):
        assert check(shared, other, "picture")["problem"] in ("forbidden_port", "forbidden_address"), other
    monkeypatch.setenv("PICTURES_FOLDER", __file__)
    assert check(shared, url, "picture")["problem"] == "unreachable"


def test_where_too_many_wait_one_more_is_refused(shared: SharedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "PER_MINUTE", 1000)
    monkeypatch.setattr(checking, "threads", Threads("none", 1, 0))
    answer = shared.staff["editor"].post(PATH, {"url": "http://127.0.0.1/", "use": "media"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")


@pytest.mark.parametrize(
    ("body", "declared", "use"),
    [
        (b"<!doctype html><title>Page</title>", "text/html", "media"),
        (b"%PDF-1.7\n" + bytes(200), "audio/mpeg", "media"),
        (files.SVG, "image/svg+xml", "picture"),
        (files.GIF, "image/png", "picture"),
        (files.wav(), "image/png", "picture"),
        (b"", "", "media"),
    ],
)
def test_what_fits_no_program_is_told(
    body: bytes, declared: str, use: str, shared: SharedApi, stranger: Site
) -> None:
    stranger.pages["/x"] = (200, {"Content-Type": declared}, body)
    found = check(shared, stranger.url("/x"), use)
    assert found["problem"] == "wrong_kind"
    assert found["detail"]


@pytest.mark.parametrize(
    ("status", "problem"), [(404, "not_found"), (410, "gone"), (403, "refused"), (500, "server_error")]
)
def test_a_file_that_is_not_there(status: int, problem: str, shared: SharedApi, stranger: Site) -> None:
    stranger.pages["/x"] = (status, {}, b"no")
    found = check(shared, stranger.url("/x"))
    assert (found["problem"], found["kind"]) == (problem, None)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://127.0.0.1:{port}/x", "forbidden_port"),
        ("http://127.0.0.1/x", "forbidden_address"),
        ("http://[::1]/x", "forbidden_address"),
        ("http://169.254.169.254/latest/meta-data", "forbidden_address"),
        ("http://10.0.0.1:8080/", "forbidden_address"),
        ("http://2130706433/", "forbidden_address"),
        ("http://localhost/", "forbidden_address"),
        ("file:///etc/passwd", "forbidden_scheme"),
        ("gopher://127.0.0.1/", "forbidden_scheme"),
        ("http://user:secret@127.0.0.1/", "bad_url"),
        ("http://", "bad_url"),
        ("x", "forbidden_scheme"),
        ("", "forbidden_scheme"),
    ],
)
def test_a_forbidden_address_opens_no_socket(
    url: str, problem: str, shared: SharedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "PER_MINUTE", 1000)

    def refuse(*_: object, **__: object) -> socket.socket:
        raise AssertionError("a socket was opened")

    with site() as canary:
        monkeypatch.setattr(connections.socket, "create_connection", refuse)
        for use in ("media", "picture"):
            assert check(shared, url.format(port=canary.port), use)["problem"] == problem
        assert canary.asked == []


def test_a_redirect_is_checked_too(shared: SharedApi, stranger: Site) -> None:
    with site() as canary:
        stranger.pages["/x"] = (302, {"Location": canary.url("/inside")}, b"")
        assert check(shared, stranger.url("/x"))["problem"] in ("forbidden_port", "forbidden_address")
        assert canary.asked == []


def test_an_account_has_so_many_a_minute(shared: SharedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "PER_MINUTE", 1)
    body = {"url": "http://127.0.0.1/", "use": "media"}
    # Within two minutes.
    answers = [shared.staff["admin"].post(PATH, body) for _ in range(4)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 2
    assert refused[0].json()["code"] == "rate_limited"
    assert int(refused[0].headers["retry-after"]) > 0


def test_a_wrong_use_is_refused(shared: SharedApi) -> None:
    for body in (
        {"url": "http://a.example/", "use": "feed"},
        {"url": "x" * 2001, "use": "media"},
        {"use": "media"},
    ):
        assert shared.staff["editor"].post(PATH, body).status_code == 422


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_problem_has_words(language: str) -> None:
    known = texts(language)
    assert [name for name in PROBLEMS if name != "wrong_kind" and f"editor_check.{name}" not in known] == []


def test_sizes_in_words() -> None:
    english, arabic = locale("en"), locale("ar")
    assert [telling.size(english, n) for n in (1, 999, 1500, 20_000, 57_400_000, 3_000_000_000_000)] == [
        "1 bytes",
        "999 bytes",
        "1.5 kB",
        "20 kB",
        "57.4 MB",
        "3000 GB",
    ]
    assert telling.size(arabic, 57_400_000) == "٥٧٫٤ م.ب"


def test_the_studio_says_it_in_words(shared: SharedApi, stranger: Site) -> None:
    stranger.pages["/a.wav"] = in_parts(files.wav(60), "audio/wav")
    editor = signed_in_at_pages(shared.listener, "editor")
    token = token_of(read(editor, "/sign-in"))

    def ask(path: str, use: str = "media") -> dict[str, Any]:
        answer = send(editor, "/studio/programs/check-file", token=token, url=stranger.url(path), use=use)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    good = ask("/a.wav")
    assert (good["kind"], good["good"]) == ("audio", True)
    assert good["text"].startswith("Audio, ")
    assert good["text"].endswith("480 kB.")
    assert ask("/a.wav", "picture")["text"].startswith("This is no picture")
    assert ask("/none") == {"text": "The server has no such file.", "kind": "", "good": False}
    assert send(editor, "/studio/programs/check-file", token=token, url="x", use="feed").status_code == 422
