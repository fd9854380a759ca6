"""Bodies, addresses and texts that no route may take: refused at once, by every route in the same way."""

import base64
import hashlib
import re

import pytest
from sqlalchemy import Engine as Database

from catalog.core.db import session_factory
from tests.support.client import Client
from tests.support.databases import scalar
from tests.support.programs import make
from tests.support.shared import SharedApi


def _program(database: Database, status: str) -> str:
    with session_factory(database).begin() as session:
        return f"/catalog/programs/{make(session, status).id}"


@pytest.mark.slow
def test_the_comment_of_a_step_is_kept_and_shown(database: Database, staff: dict[str, Client]) -> None:
    path = _program(database, "draft")
    assert staff["editor"].post(f"{path}/submit").status_code == 200
    answer = staff["reviewer"].post(f"{path}/reject", {"comment": "  The second host is missing. "})
    assert answer.status_code == 200
    # Its author, an editor, sees it.
    newest = staff["editor"].get(f"{path}/audit").json()["data"][0]
    assert newest["action"] == "program.reject"
    assert newest["diff"] == {
        "status": ["in_review", "draft"],
        "comment": [None, "The second host is missing."],
    }


@pytest.mark.parametrize("action", ["submit", "approve", "reject", "publish", "archive", "undelete"])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"coment": "x"}, "coment"),
        ({"comment": 1}, "comment"),
        ({"comment": "x" * 2001}, "comment"),
        ([], "data"),
    ],
)
def test_a_step_validates_its_body_like_other_routes(
    shared: SharedApi, action: str, body: object, field: str
) -> None:
    path = _program(shared.database, "draft")
    answer = shared.staff["reviewer" if action != "submit" else "editor"].post(f"{path}/{action}", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert {error["field"] for error in answer.json()["errors"]} <= {field, "", "data"}
    program = shared.staff["editor"].get(path).json()["data"]
    assert (program["status"], program["rev"]) == ("draft", 1)


@pytest.mark.parametrize("text", ["a\x00b", "a\x01b", "\x7f"])
@pytest.mark.parametrize(
    ("role", "path", "body", "field"),
    [
        ("admin", "/accounts/login", {"email": "{}", "password": "x"}, "email"),
        ("admin", "/accounts/login", {"email": "a@example.com", "password": "{}"}, "password"),
        ("admin", "/accounts/refresh", {"refreshToken": "{}"}, "refreshToken"),
        ("admin", "/accounts/api-keys", {"name": "{}", "roles": ["admin"]}, "name"),
        (
            "admin",
            "/accounts/users",
            {"email": "b@example.com", "password": "long enough 1", "roles": ["{}"]},
            "roles[0]",
        ),
        ("editor", "/catalog/programs", {"title": "{}"}, "title"),
        ("admin", "/catalog/categories", {"nameAr": "{}", "nameEn": "x"}, "nameAr"),
    ],
)
def test_control_characters_are_refused_wherever_they_are(
    shared: SharedApi, role: str, path: str, body: dict[str, object], field: str, text: str
) -> None:
    sent = {
        name: text if value == "{}" else [text] if value == ["{}"] else value for name, value in body.items()
    }
    answer = shared.staff[role].post(path, sent)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), answer.text
    assert answer.json()["errors"] == [
        {"field": field, "code": "invalid", "message": "Contains control characters."}
    ]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("title", "\u200b\u2060\ufeff", "required"),
        ("title", "\u2028 \u3000", "required"),
        ("title", "a\u0085b", "invalid"),
        ("description", "a\u009b31mb", "invalid"),
        # A date that is in the year 0, or in the year 10000, where it is midnight.
        ("releaseDate", "0001-01-01T00:00:00+14:00", "out_of_range"),
        ("releaseDate", "9999-12-31T23:59:59-14:00", "out_of_range"),
        ("mediaUrl", "https://somebody:secret@a.example/x.mp3", "invalid"),
        ("mediaUrl", "https://a.example:99999/x.mp3", "invalid"),
    ],
)
def test_values_that_nobody_can_read_or_store_are_refused(
    staff: dict[str, Client], field: str, value: str, code: str
) -> None:
    draft = {"title": "A title", "language": "en", "mediaType": "audio", "kind": "episode", field: value}
    answer = staff["editor"].post("/catalog/programs", draft)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), answer.text
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]


@pytest.mark.parametrize(
    "url",
    [
        "http://[",
        "http://[::1",
        "http://a:99999/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/x",
        "ftp://a.example/x",
        "http://user:secret@a.example/feed",
        "http://user@a.example/feed",
        "//a.example/feed",
        "http:///feed",
        "http://a.example\\@b.example/",
        "not an address",
    ],
)
def test_addresses_that_no_import_may_fetch_are_refused_at_once(shared: SharedApi, url: str) -> None:
    answer = shared.staff["editor"].post("/catalog/imports", {"sourceType": "feed", "url": url})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), answer.text
    assert answer.json()["errors"][0]["field"] == "url"
    assert scalar(shared.database, "SELECT count(*) FROM import_runs") == 0


def test_the_documentation_runs_no_script_but_its_own(shared: SharedApi) -> None:
    page = shared.listener.get("/docs")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    (inline,) = re.findall(r"<script>(.*)</script>", page.text)
    assert base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode() in policy
    assert "content-security-policy" in shared.listener.get("/docs/errors").headers


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/discovery/search", {"GET", "HEAD", "OPTIONS"}),
        ("/discovery/programs/batch", {"POST", "OPTIONS"}),
        ("/catalog/programs/1", {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}),
    ],
)
def test_options_says_which_methods_there_are(shared: SharedApi, path: str, methods: set[str]) -> None:
    answer = shared.listener.ask("OPTIONS", path)
    assert answer.status_code == 204
    assert {method.strip() for method in answer.headers["allow"].split(",")} == methods
