"""What the studio's lists are narrowed to is seen and kept, in the trash too, and their links lead to the editor."""

import pytest

from tests.support.client import Client
from tests.support.listed import rows, stocked
from tests.support.pages import Page, read, text_of
from tests.support.shared import SharedApi
from tests.support.staff import signed_in_at_pages

LIST, TRASH = "/studio/programs", "/studio/trash"


@pytest.fixture(scope="module")
def found(shared: SharedApi) -> dict[str, int]:
    """Programs of every kind of row, by name."""
    return stocked(shared.database)


@pytest.fixture(scope="module")
def editor(shared: SharedApi, found: dict[str, int]) -> Client:
    """An editor at the pages."""
    return signed_in_at_pages(shared.listener, "editor")


def test_the_trash_is_narrowed_to_a_series_by_its_name(editor: Client, found: dict[str, int]) -> None:
    answer = editor.ask("GET", f"{TRASH}?series=a+show")
    assert answer.headers["location"] == f"{TRASH}?seriesId={found['series']}"
    assert "No series is called “unheard”." in read(editor, f"{TRASH}?series=unheard").texts(
        "p", class_="refusal"
    )
    links = [a.get("href") for a in read(editor, f"{TRASH}?series=a").all("a")]
    assert f"{TRASH}?seriesId={found['series']}" in links


@pytest.mark.parametrize("path", [LIST, TRASH])
def test_a_series_that_is_chosen_from_several_is_added(
    path: str, editor: Client, found: dict[str, int]
) -> None:
    page = read(editor, f"{path}?seriesId={found['series']}&series=a")
    links = {text_of(a): a.get("href") for a in page.all("a") if "seriesId" in (a.get("href") or "")}
    assert links["A show"] == f"{path}?seriesId={found['series']}"
    assert (links["Another show"] or "").startswith(f"{path}?seriesId={found['series']}&seriesId=")


def test_everything_that_narrows_the_trash_is_shown_and_can_be_taken_away(editor: Client) -> None:
    page = read(editor, f"{TRASH}?editedBy=me&pending=true&status=draft&featured=true")
    (chosen,) = page.all("ul", class_="chosen")
    said = {text_of(a).partition(" ✕")[0]: a.get("href") or "" for a in page.within(chosen, "a")}
    assert said.keys() == {
        "Edited by: me",
        "Pending changes: yes",
        "State: draft",
        "Featured: yes",
        "Clear all filters",
    }
    assert said["State: draft"] == f"{TRASH}?editedBy=me&featured=true&pending=true"
    # Above the list of programs they have links of their own.
    assert read(editor, f"{LIST}?editedBy=me&status=draft").all("ul", class_="chosen") == []


@pytest.mark.parametrize("value", ["2024-01-01T10:30", "2024-01-01T10:30:00Z", "20240101"])
def test_a_date_with_a_time_stays_when_the_form_is_sent(value: str, editor: Client) -> None:
    page = Page(editor.ask("GET", LIST, params={"createdAfter": value, "createdBefore": "2090-01-01"}))
    (field,) = page.all("input", name="createdAfter")
    # A field for dates would show nothing, and send nothing.
    assert (field.get("type"), field.get("value")) == (None, value)
    assert page.one("input", name="createdBefore").get("type") == "date"


def test_series_that_there_are_not_are_named_by_their_numbers(
    shared: SharedApi, editor: Client, found: dict[str, int]
) -> None:
    ids = [found["series"], *range(900_000, 900_019)]
    page = read(editor, f"{LIST}?{'&'.join(f'seriesId={n}' for n in ids)}")
    (chosen,) = page.all("ul", class_="chosen")
    said = [text_of(a) for a in page.within(chosen, "a")]
    assert said[0].startswith("Series: A show")
    assert len(said) == 21


def test_links_of_the_lists_lead_to_the_editor(editor: Client, found: dict[str, int]) -> None:
    page = read(editor, LIST)
    links = {a.get("href") or "" for a in page.all("a", class_="title")}
    assert len(links) == len(rows(page)) == 8
    titles = {text_of(a): a.get("href") or "" for a in page.all("a", class_="title")}
    for title, href in titles.items():
        program = read(editor, href)
        assert program.status == 200, href
        # The editor may show the title of changes that wait.
        assert any((f.get("value") or "").startswith(title) for f in program.all("input", name="title")), (
            title
        )
    (new,) = page.all("a", class_="go")
    assert read(editor, new.get("href") or "").all("input", name="title")
    for path in ("/studio/review", "/studio/calendar?day=2100-01-01"):
        for link in read(editor, path).all("a"):
            href = link.get("href") or ""
            if href.startswith((f"{LIST}/", "/studio/names/")):
                assert read(editor, href).status == 200, href
