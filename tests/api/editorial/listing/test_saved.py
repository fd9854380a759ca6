"""Lists of programs that editors keep under names, over HTTP."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine as Database

from api.settings import Settings
from catalog.programs.listing.saved import MAX_FILTERS
from tests.support.accounts import add_account, signed_in
from tests.support.client import Client
from tests.support.shared import SharedApi

AT = "/catalog/filters"


def someone(shared: SharedApi, name: str) -> Client:
    """An editor who keeps nothing yet."""
    token = add_account(shared.settings, shared.database, name, ["editor"])
    return signed_in(shared.listener, token)


def kept(who: Client) -> list[tuple[str, str]]:
    return [(one["name"], one["query"]) for one in who.get(AT).json()["data"]]


def test_a_list_is_kept_shown_to_its_owner_alone_and_deleted(shared: SharedApi) -> None:
    salma, omar = someone(shared, "salma"), someone(shared, "omar")
    made = salma.post(AT, {"name": " مسوداتي ", "query": "?editedBy=me&status=draft&counts=true&limit=5"})
    assert made.status_code == 201, made.text
    number = made.json()["data"]["id"]
    assert omar.post(AT, {"name": "مسوداتي", "query": "tag=a%5C%2Cb"}).status_code == 201
    assert kept(salma) == [("مسوداتي", "editedBy=me&status=draft")]
    assert kept(omar) == [("مسوداتي", "tag=a%5C%2Cb")]
    assert omar.ask("DELETE", f"{AT}/{number}").status_code == 404
    assert salma.ask("DELETE", f"{AT}/{number}").status_code == 204
    assert salma.ask("DELETE", f"{AT}/{number}").status_code == 404
    assert (kept(salma), len(kept(omar))) == ([], 1)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": " ", "query": "status=draft"}, "name"),
        ({"name": "Drafts", "query": ""}, "query"),
        ({"name": "Drafts", "query": "cursor=abc"}, "query"),
        ({"name": "Drafts", "query": "status=explode"}, "query"),
        ({"name": "Drafts", "query": "unheard=1"}, "query"),
        ({"name": "Drafts", "query": "title=%00"}, "query"),
    ],
)
def test_what_is_no_list_is_refused(body: dict[str, str], field: str, shared: SharedApi) -> None:
    editor = shared.staff["editor"]
    answer = editor.post(AT, body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert kept(editor) == []


def test_names_are_unique_and_lists_are_limited(shared: SharedApi) -> None:
    editor = someone(shared, "busy")
    body = {"name": "0", "query": "status=draft"}
    assert editor.post(AT, body).status_code == 201
    taken = editor.post(AT, body)
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "name")
    for number in range(1, MAX_FILTERS - 2):
        assert editor.post(AT, body | {"name": str(number)}).status_code == 201
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: editor.post(AT, body | {"name": f"at once {n}"}), range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409]
    assert len(kept(editor)) == editor.get(AT).json()["meta"]["most"] == MAX_FILTERS


def test_lists_end_with_the_account(settings: Settings, database: Database) -> None:
    add_account(settings, database, "leaves", ["editor"])
    with database.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO saved_filters (account_id, name, query) SELECT id, 'x', 'status=draft' FROM accounts"
        )
        connection.exec_driver_sql("DELETE FROM accounts")
        assert connection.exec_driver_sql("SELECT count(*) FROM saved_filters").scalar_one() == 0
