"""Pictures that editors upload: which are kept, how everybody gets them, and that nothing is left of what is refused."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from requests import ConnectionError as RequestsConnectionError
from requests import Response

from api.editorial.media import pictures
from api.http.limits.threads import Threads
from api.web.machines import pictures as served
from tests.support import files
from tests.support.buckets import bucket
from tests.support.client import Client
from tests.support.pages import Page, read
from tests.support.shared import SharedApi
from tests.support.staff import signed_in_at_pages, token_of

PATH = "/catalog/pictures"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pictures are kept; each test has its own minute."""
    monkeypatch.setattr(pictures, "PER_MINUTE", 1000)
    monkeypatch.setenv("PICTURES_FOLDER", str(tmp_path / "pictures"))
    return tmp_path / "pictures"


@pytest.fixture(params=["folder", "bucket"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A store of each kind."""
    monkeypatch.setattr(pictures, "PER_MINUTE", 1000)
    if request.param == "folder":
        monkeypatch.setenv("PICTURES_FOLDER", str(tmp_path / "pictures"))
        yield
        return
    with bucket(tmp_path / "s3") as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield


def upload(person: Client, content: bytes, **headers: str) -> Response:
    return person.ask(
        "POST", PATH, data=content, headers={"Content-Type": "application/octet-stream"} | headers
    )


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("make", "mime"),
    [
        (files.png, "image/png"),
        (files.jpeg, "image/jpeg"),
        (files.webp, "image/webp"),
        (files.avif, "image/avif"),
    ],
)
def test_a_picture_is_kept_and_served(make: object, mime: str, shared: SharedApi) -> None:
    assert callable(make)
    content: bytes = make(640, 480)
    answer = upload(shared.staff["editor"], content)
    assert answer.status_code == 201, answer.text
    found = answer.json()["data"]
    size = {"contentType": mime, "bytes": len(content), "width": 640, "height": 480}
    assert {name: found[name] for name in size} == size
    assert answer.headers["location"] == found["url"]
    # The same picture has the same address.
    assert upload(shared.staff["reviewer"], content).json()["data"] == found
    path = "/pictures/" + found["url"].rpartition("/")[2]
    got = shared.listener.get(path)
    assert (got.status_code, got.content, got.headers["content-type"]) == (200, content, mime)
    assert got.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    again = shared.listener.ask("GET", path, headers={"If-None-Match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    program = {
        "title": "P",
        "language": "en",
        "mediaType": "audio",
        "kind": "episode",
        "thumbnailUrl": found["url"],
    }
    assert shared.staff["editor"].post("/catalog/programs", program).status_code == 201


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "required"),
        (files.SVG, 422, "invalid"),
        (files.GIF, 422, "invalid"),
        (b"<!doctype html><script>alert(1)</script>", 422, "invalid"),
        (files.png()[:20], 422, "invalid"),
        (files.png(31, 400), 422, "out_of_range"),
        (files.png(400, 31), 422, "out_of_range"),
        (files.jpeg(8001, 400), 422, "out_of_range"),
        (files.jpeg(65535, 65535), 422, "out_of_range"),
        (files.png(400, 300, more=bytes(2000)), 413, "too_long"),
    ],
)
def test_what_is_refused_leaves_nothing(
    content: bytes, status: int, code: str, folder: Path, shared: SharedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICTURES_MAX_BYTES", "2000")
    answer = upload(shared.staff["editor"], content, **{"Content-Type": "image/png"})
    assert answer.status_code == status, answer.text
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("file", code)]
    assert not folder.exists()


def test_only_editors_upload(folder: Path, shared: SharedApi) -> None:
    assert upload(shared.listener, files.png(64, 64)).status_code == 401
    assert upload(shared.staff["ops"], files.png(64, 64)).status_code == 403
    assert (
        upload(shared.staff["editor"], files.png(64, 64), **{"Content-Encoding": "gzip"}).status_code == 415
    )
    assert not folder.exists()


def test_an_account_has_so_many_a_minute(
    folder: Path, shared: SharedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "PER_MINUTE", 1)
    # Within two minutes.
    found = [upload(shared.staff["admin"], files.png(64, 64)).status_code for _ in range(4)]
    assert found.count(429) >= 2
    assert set(found) <= {201, 429}


def test_without_a_store_nothing_is_offered(shared: SharedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PICTURES_FOLDER", raising=False)
    answer = upload(shared.staff["editor"], files.png(64, 64))
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    editor = signed_in_at_pages(shared.listener, "editor")
    assert read(editor, "/studio/programs/new").all("input", type="file") == []
    assert shared.listener.get(f"/pictures/{'0' * 32}.png").status_code == 404


def test_a_store_that_takes_nothing_is_told(folder: Path, shared: SharedApi) -> None:
    folder.write_text("no folder")
    answer = upload(shared.staff["editor"], files.png(64, 64))
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert answer.headers["retry-after"] == "10"
    got = shared.listener.get(f"/pictures/{'0' * 32}.png")
    assert (got.status_code, got.headers["cache-control"]) == (503, "no-store")


@pytest.mark.parametrize(
    "name", ["x.png", "..%2f..%2fetc%2fpasswd", f"{'0' * 32}.svg", f"{'A' * 32}.png", f".new-{'0' * 8}"]
)
def test_no_other_file_is_served(name: str, folder: Path, shared: SharedApi) -> None:
    folder.mkdir()
    (folder / "x.png").write_bytes(files.png())
    assert shared.listener.get(f"/pictures/{name}").status_code == 404


def test_what_a_picture_is_is_read_beside_the_event_loop(
    folder: Path, shared: SharedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    recognise = pictures.recognising.recognise

    def seen(content: bytes) -> object:
        threads.append(threading.current_thread().name)
        return recognise(content)

    monkeypatch.setattr(pictures.recognising, "recognise", seen)
    assert upload(shared.staff["editor"], files.png(64, 64)).status_code == 201
    assert [name.partition("_")[0] for name in threads] == ["uploads"]


def test_where_too_many_wait_one_more_is_refused(
    folder: Path, shared: SharedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = upload(shared.staff["editor"], files.png(64, 64)).json()["data"]["url"].rpartition("/")[2]
    crowded = Threads("none", 1, 0)
    monkeypatch.setattr(pictures, "threads", crowded)
    monkeypatch.setattr(served, "threads", crowded)
    answers = (upload(shared.staff["editor"], files.png(65, 65)), shared.listener.get(f"/pictures/{path}"))
    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert len(list(folder.iterdir())) == 1


def test_a_sender_that_hangs_up_leaves_nothing(folder: Path, shared: SharedApi) -> None:
    content = files.png(64, 64, more=bytes(100_000))
    stopped = threading.Event()

    def half() -> Iterator[bytes]:
        yield content[:50_000]
        stopped.set()
        raise ConnectionAbortedError

    with pytest.raises(RequestsConnectionError):
        upload(shared.staff["editor"], half())  # type: ignore[arg-type]  # requests takes parts, too
    assert stopped.is_set()
    # The API answers, and has nothing of it.
    assert upload(shared.staff["editor"], files.png(64, 64)).status_code == 201
    assert len(list(folder.iterdir())) == 1


def test_the_studio_keeps_a_picture_and_says_why_not(folder: Path, shared: SharedApi) -> None:
    editor = signed_in_at_pages(shared.listener, "editor")
    token = token_of(read(editor, "/sign-in"))

    def send(content: bytes, token: str = token) -> Response:
        parts = {"file": ("cover.png", content, "image/png")}
        headers = {"Accept": "application/json"}
        return editor.ask(
            "POST", "/studio/programs/picture", data={"token": token}, files=parts, headers=headers
        )

    good = send(files.png(64, 64)).json()
    assert good["text"] == "The picture is uploaded, and its address is in the field."
    assert shared.listener.get("/pictures/" + good["url"].rpartition("/")[2]).status_code == 200
    refused = send(files.SVG)
    assert (refused.status_code, refused.json()["url"]) == (422, "")
    assert refused.json()["text"].startswith("This is no picture")
    assert "32 to 8,000 pixels" in send(files.png(5, 5)).json()["text"]
    assert send(files.png(64, 64, more=b"other"), token="x" * 64).status_code == 403
    assert len(list(folder.iterdir())) == 1


def test_the_studio_uploads_without_a_script(folder: Path, shared: SharedApi) -> None:
    editor = signed_in_at_pages(shared.listener, "editor")
    links = read(editor, "/studio/programs/new").all("a", href="/studio/programs/picture")
    assert [link.get("target") for link in links] == ["_blank"]
    page = read(editor, "/studio/programs/picture")
    form = page.one("form", action="/studio/programs/picture")
    assert form.get("enctype") == "multipart/form-data"

    def send(content: bytes) -> Page:
        parts = {"file": ("cover.png", content, "image/png")}
        answer = editor.ask("POST", "/studio/programs/picture", data={"token": token_of(page)}, files=parts)
        return Page(answer)

    kept = send(files.png(64, 64))
    url = kept.one("input", readonly="").get("value")
    assert url is not None
    assert shared.listener.get("/pictures/" + url.rpartition("/")[2]).status_code == 200
    refused = send(files.SVG)
    assert refused.one("p", role="alert").text.startswith("This is no picture")
    assert refused.all("input", readonly="") == []
    assert len(list(folder.iterdir())) == 1


def test_no_page_uploads_without_a_store(shared: SharedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PICTURES_FOLDER", raising=False)
    editor = signed_in_at_pages(shared.listener, "editor")
    assert editor.get("/studio/programs/picture").status_code == 404
