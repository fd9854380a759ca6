"""Lists that people save at the studio, without a browser."""

import pytest

from catalog.programs.listing.saved import MAX_FILTERS
from tests.support.client import Client
from tests.support.listed import rows, stocked
from tests.support.pages import Page, read, text_of
from tests.support.shared import SharedApi
from tests.support.staff import send, signed_in_at_pages, token_of

LIST = "/studio/programs"


@pytest.fixture(scope="module", autouse=True)
def _found(shared: SharedApi) -> None:
    """Programs of every kind of row."""
    stocked(shared.database)


@pytest.fixture
def editor(shared: SharedApi) -> Client:
    """An editor at the pages who has saved nothing."""
    with shared.database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM saved_filters")
    return signed_in_at_pages(shared.listener, "editor")


def save(editor: Client, query: str, name: str) -> Page | str:
    """Save a list as its page does; return where it leads, or the page that says why not."""
    page = Page(editor.ask("GET", f"{LIST}?{query}"))
    (form,) = page.all("form", action="/studio/filters")
    fields = {str(f.get("name")): f.get("value") or "" for f in page.within(form, "input")}
    answer = send(editor, "/studio/filters", **(fields | {"name": name}))
    return answer.headers["location"] if answer.status_code == 303 else Page(answer)


def links(page: Page) -> dict[str, str]:
    found = page.all("ul", class_="kept")
    return {text_of(a): a.get("href") or "" for a in page.within(found[0], "a")} if found else {}


def test_a_list_is_saved_opened_and_deleted(editor: Client) -> None:
    assert (
        save(editor, "status=draft&sort=title&limit=1", "My <drafts>")
        == f"{LIST}?limit=1&sort=title&status=draft"
    )
    page = read(editor, LIST)
    assert links(page) == {"My <drafts>": f"{LIST}?sort=title&status=draft"}
    opened = read(editor, links(page)["My <drafts>"])
    assert rows(opened) == ["Theta", "قهوة الصباح"]
    (chosen,) = [a for a in opened.all("a") if a.get("aria-current") == "page" and a.get("href") != LIST]
    assert text_of(chosen) == "My <drafts>"
    (form,) = [f for f in opened.all("form", method="post") if (f.get("action") or "").endswith("/delete")]
    fields = {str(f.get("name")): f.get("value") or "" for f in opened.within(form, "input")}
    for _ in range(2):
        answer = send(editor, form.get("action") or "", **fields)
        assert answer.headers["location"] == f"{LIST}?sort=title&status=draft"
    assert links(read(editor, LIST)) == {}


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("Taken", 409, "You have a saved filter of this name"),
        (" ", 422, "Give a name of 1 to 60 characters."),
        ("a" * 61, 422, "Give a name of 1 to 60 characters."),
    ],
)
def test_a_name_that_does_not_fit_is_asked_for_again(
    name: str, status: int, said: str, editor: Client
) -> None:
    save(editor, "status=draft", "Taken")
    page = save(editor, "status=archived", name)
    assert isinstance(page, Page)
    assert page.status == status
    assert page.texts("p", role="alert")[0].startswith(said)
    assert set(rows(page)) == {"Eta", "Lambda"}
    assert page.one("input", name="name").get("value") == name[:60]
    assert len(links(page)) == 1


def test_there_may_be_so_many_lists(editor: Client, shared: SharedApi) -> None:
    with shared.database.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO saved_filters (account_id, name, query) "
            f"SELECT id, n::text, 'status=draft' FROM accounts, generate_series(1, {MAX_FILTERS}) n "
            "WHERE email = 'editor@example.com'"
        )
    page = save(editor, "status=archived", "One more")
    assert isinstance(page, Page)
    assert page.texts("p", role="alert") == [
        "You have 50 saved filters, as many as there may be: delete one first."
    ]


def test_only_a_form_of_the_session_is_taken(editor: Client, shared: SharedApi) -> None:
    save(editor, "status=draft", "Mine")
    other = signed_in_at_pages(shared.listener, "reviewer")
    theirs = token_of(read(other, LIST))
    for path in ("/studio/filters", "/studio/filters/1/delete"):
        assert send(editor, path, token=theirs, name="x", list="status=draft").status_code == 403
    # A list of somebody else stays.
    (form,) = [f for f in read(editor, LIST).all("form") if (f.get("action") or "").endswith("/delete")]
    assert send(other, form.get("action") or "", token=theirs).status_code == 303
    assert list(links(read(editor, LIST))) == ["Mine"]
