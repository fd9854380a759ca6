"""The studio's list of programs without a browser: who sees it, what it shows, and that its address says everything."""

import pytest

from tests.support.client import Client
from tests.support.listed import rows, stocked
from tests.support.pages import Page, read, text_of
from tests.support.shared import SharedApi
from tests.support.staff import signed_in_at_pages, visitor

LIST = "/studio/programs"
PATHS = (LIST, "/studio/trash")


@pytest.fixture(scope="module")
def found(shared: SharedApi) -> dict[str, int]:
    """Programs of every kind of row, by name."""
    return stocked(shared.database)


@pytest.fixture(scope="module")
def editor(shared: SharedApi, found: dict[str, int]) -> Client:
    """An editor at the pages."""
    return signed_in_at_pages(shared.listener, "editor")


def shown(editor: Client, query: str = "", path: str = LIST) -> Page:
    """A list, by the query string that people write or a form sends."""
    page = Page(editor.ask("GET", f"{path}?{query}"))
    assert page.status == 200
    return page


@pytest.mark.parametrize("path", PATHS)
def test_the_lists_are_for_editors(path: str, shared: SharedApi) -> None:
    answer = visitor(shared.listener).get(path)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    for role, status in (("ops", 403), ("editor", 200), ("reviewer", 200), ("admin", 200)):
        assert Page(signed_in_at_pages(shared.listener, role).get(path)).status == status, role


@pytest.mark.slow
@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_list_is_valid_html_in_its_language(
    language: str, shared: SharedApi, found: dict[str, int]
) -> None:
    browser = signed_in_at_pages(shared.listener, "reviewer")
    browser.get(f"/language/{language}")
    everything = f"q=zeta&status=published&categoryId={found['category']}&seriesId={found['series']}&tag=a%5C,b&createdBy=me"
    for path in (
        *PATHS,
        f"{LIST}?{everything}&releasedAfter=2024-01-01&sort=title&limit=1",
        f"{LIST}?limit=2&changed=false&mediaType=audio&kind=film&language=fr&editedBy=me",
        f"{LIST}?unheard=1&series=a",
        f"{LIST}?chosen=all",
        "/studio/trash?q=nothing+at+all",
    ):
        page = read(browser, path)
        assert (page.status, page.root.get("lang")) == (200, language), path
        ids = [element.get("id") for element in page.root.iter() if element.get("id")]
        assert len(ids) == len(set(ids)), path
        assert not [
            e for e in page.root.iter() if e.get("style") or any(n.startswith("on") for n in e.attrib)
        ]
        assert len(page.all("h1")) == 1, path


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("status=in_review&status=scheduled", {"Beta", "Gamma"}),
        ("categoryId={category}", {"Beta"}),
        ("seriesId={series}", {"Gamma"}),
        ("language=ar", {"قهوة الصباح"}),
        ("kind=film", {"Gamma"}),
        ("mediaType=video", {"Eta"}),
        ("featured=true", {"Beta"}),
        ("tag=warm", {"قهوة الصباح"}),
        ("person=omar", {"Delta"}),
        ("title=قهوه", {"قهوة الصباح"}),
        ("scheduledAfter=2099-01-01&scheduledBefore=2101-01-01", {"Gamma"}),
        ("createdBy=other@example.com", {"Theta"}),
        ("editedBy=account:other@example.com", {"Theta", "Zeta"}),
        ("changed=true", {"Zeta", "Lambda"}),
        ("pending=true", {"Zeta"}),
        ("commented=true", {"Beta"}),
        ("searchable=false", {"Delta"}),
        ("q=zeta", {"Zeta"}),
    ],
)
def test_a_filter_of_the_address_narrows_the_list(
    query: str, titles: set[str], editor: Client, found: dict[str, int]
) -> None:
    assert set(rows(shown(editor, query.format(**found)))) == titles


def test_a_row_says_what_an_editor_has_to_know(editor: Client, found: dict[str, int]) -> None:
    page = shown(editor, "sort=title")
    said = {text_of(row).partition(" ")[0]: text_of(row) for row in page.all("tr")[1:]}
    assert len(said) == len(page.all("tr")) - 1 == 8
    for title, words in (
        ("Beta", ("In review", "1 open comment", "Shelf", "editor@example.com", "English")),
        ("Gamma", ("Scheduled", "A show")),
        ("Delta", ("Published", "Not in search yet")),
        ("Zeta", ("Published", "Changes are being written", "In search")),
        ("Lambda", ("Archived", "Changed since published")),
        ("Theta", ("Draft", "other@example.com")),
    ):
        assert all(word.lower() in said[title].lower() for word in words), said[title]
    assert "search" not in said["Theta"].lower()
    assert page.one("a", href=f"/studio/programs/{found['draft']}").get("dir") == "auto"
    assert page.one("a", href="/studio/programs/new") is not None


def test_a_click_adds_a_state_and_takes_it_away_and_counts_every_state(editor: Client) -> None:
    page = shown(editor, "status=draft&sort=title")
    states = {text_of(link): link for link in page.within(page.all("nav", class_="toggles")[0], "a")}
    assert states["draft 2"].get("aria-current") == "true"
    assert states["archived 2"].get("aria-current") is None
    both = read(editor, states["archived 2"].get("href") or "")
    assert rows(both) == ["Eta", "Lambda", "Theta", "قهوة الصباح"]
    again = next(link for link in both.all("a") if text_of(link) == "draft 2")
    assert rows(read(editor, again.get("href") or "")) == ["Eta", "Lambda"]


def test_what_the_list_is_narrowed_to_can_be_taken_away_one_by_one(
    editor: Client, found: dict[str, int]
) -> None:
    page = shown(editor, f"categoryId={found['category']}&title=et&createdBy=me&pending=false")
    (chosen,) = page.all("ul", class_="chosen")
    said = {text_of(link): link.get("href") or "" for link in page.within(chosen, "a")}
    assert {name.partition(" ✕")[0] for name in said} == {
        "Category: Shelf",
        "Part of the title: et",
        "Created by: me",
        "Pending changes: no",
        "Clear all filters",
    }
    without = next(href for name, href in said.items() if name.startswith("Category"))
    assert set(rows(read(editor, without))) == {"Beta", "Eta"}


def test_pages_are_links_to_what_follows(editor: Client) -> None:
    titles, href = [], f"{LIST}?sort=title&limit=3"
    for _ in range(3):
        page = read(editor, href)
        titles += rows(page)
        following = page.all("a", rel="next")
        href = (following[0].get("href") if following else None) or ""
    assert href == ""
    assert titles == ["Beta", "Delta", "Eta", "Gamma", "Lambda", "Theta", "Zeta", "قهوة الصباح"]
    assert page.texts("nav", class_="pager") == ["First page"]


def test_words_are_read_as_listeners_words_are(editor: Client) -> None:
    page = shown(editor, "q=gmama")
    assert rows(page) == ["Gamma"]
    assert "was read as" in " ".join(page.texts("p", class_="reading"))


def test_a_column_sorts_and_says_so(editor: Client) -> None:
    page = shown(editor, "sort=-title")
    (column,) = [head for head in page.all("th", scope="col") if head.get("aria-sort")]
    assert (text_of(column), column.get("aria-sort")) == ("Title ↓", "descending")
    (link,) = page.within(column, "a")
    assert rows(read(editor, link.get("href") or ""))[0] == "Beta"


def test_a_form_with_empty_fields_leads_to_the_short_address(editor: Client) -> None:
    answer = editor.ask("GET", f"{LIST}?q=&sort=&title=et&tz=Asia%2FRiyadh&createdAfter=")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{LIST}?title=et")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("unheard=1&title=beta", "unheard"),
        ("status=explode&title=beta", "status"),
        ("createdAfter=yesterday&title=beta", "createdAfter"),
        ("limit=1000&title=beta", "limit"),
        ("cursor=abc&title=beta", "cursor"),
        ("tz=Nowhere&title=beta", "tz"),
        ("title=beta&categoryId=x&sort=nothing", "categoryId, sort"),
        ("title=beta&kind=film%00", "kind"),
    ],
)
def test_what_makes_no_sense_is_left_out_and_named(query: str, named: str, editor: Client) -> None:
    page = shown(editor, query)
    assert rows(page) == ["Beta"]
    assert named in " ".join(page.texts("p", class_="refusal"))


def test_a_series_is_found_by_its_name(editor: Client, found: dict[str, int]) -> None:
    answer = editor.ask("GET", f"{LIST}?series=a+SHOW&title=")
    assert answer.headers["location"] == f"{LIST}?seriesId={found['series']}"
    page = shown(editor, "series=a")
    assert [text_of(link) for link in page.all("a") if "seriesId" in (link.get("href") or "")][:2] == [
        "A show",
        "Another show",
    ]
    assert "No series is called “unheard”." in shown(editor, "series=unheard").texts("p", class_="refusal")


def test_the_trash_says_who_deleted_what_and_when(editor: Client) -> None:
    page = shown(editor, path="/studio/trash")
    assert rows(page) == ["Iota"]
    (row,) = page.all("tr")[1:]
    assert "other@example.com" in text_of(row)
    assert "State before published" in text_of(row)
    assert len(page.within(row, "time")) == 1
    assert "Iota" not in rows(shown(editor))
