"""Revisions over HTTP: an older one is refused, one of two editors wins, and an earlier one comes back."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.client import Client
from tests.support.editorial import DRAFT, created


@pytest.mark.slow
def test_an_older_revision_is_refused(staff: dict[str, Client]) -> None:
    editor = staff["editor"]
    program = created(editor)
    path = f"/catalog/programs/{program['id']}"
    changed = editor.patch(path, {"title": "Second"}, **{"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    stale = editor.patch(path, {"title": "Third"}, **{"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_revision")
    assert stale.headers["etag"] == '"2"'
    assert editor.get(path).json()["data"]["title"] == "Second"
    for action in ("submit",):
        assert editor.post(f"{path}/{action}", **{"If-Match": '"1"'}).status_code == 412
    assert staff["reviewer"].delete(path, **{"If-Match": '"1"'}).status_code == 412
    assert editor.patch(path, {"title": "Third"}, **{"If-Match": "*"}).status_code == 200
    wrong = editor.patch(path, {"title": "Fourth"}, **{"If-Match": "three"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "If-Match")


@pytest.mark.slow
def test_two_editors_at_once_one_wins(staff: dict[str, Client]) -> None:
    editor = staff["editor"]
    path = f"/catalog/programs/{created(editor)['id']}"

    def send(n: int) -> int:
        own = Client(editor.base, Authorization=str(editor.session.headers["Authorization"]))
        return own.patch(path, {"title": f"By {n}"}, **{"If-Match": '"1"'}).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(send, range(8)))
    assert codes == [200] + [412] * 7
    assert editor.get(path).json()["data"]["rev"] == 2


@pytest.mark.slow
def test_revisions_differ_and_come_back(staff: dict[str, Client]) -> None:
    editor = staff["editor"]
    path = f"/catalog/programs/{created(editor, tags=['one'])['id']}"
    editor.patch(path, {"title": "Second", "tags": ["two"]})
    editor.patch(path, {"description": "More"})
    page = editor.get(f"{path}/revisions", limit=2).json()
    assert [row["rev"] for row in page["data"]] == [3, 2]
    rest = editor.get(f"{path}/revisions", limit=2, before=page["meta"]["nextCursor"]).json()
    assert [row["rev"] for row in rest["data"]] == [1]
    assert rest["meta"]["nextCursor"] is None
    diff = editor.get(f"{path}/revisions/diff", **{"from": 1, "to": 2}).json()["data"]
    assert diff["title"] == [DRAFT["title"], "Second"]
    assert diff["tags"] == [["one"], ["two"]]
    assert "description" not in diff
    restored = editor.post(f"{path}/revisions/1/restore").json()["data"]
    assert (restored["title"], restored["tags"], restored["description"]) == (DRAFT["title"], ["one"], "")
    assert restored["rev"] == 4
    assert editor.get(f"{path}/revisions/diff", **{"from": 1, "to": 99}).status_code == 404
    assert editor.get(f"{path}/revisions/diff", **{"from": 1}).status_code == 400
