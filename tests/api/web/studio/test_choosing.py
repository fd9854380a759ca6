"""Items of a dry run are chosen across the pages of its table: kept, counted, and carried out exactly."""

import random
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.web.studio.imports.choosing import packed, unpacked
from catalog.imports.options import MAX_POSITIONS
from tests.support.client import Client
from tests.support.import_requests import carry_out
from tests.support.pages import read, text_of
from tests.support.staff import send, signed_in_at_pages
from tests.support.studio_forms import fields_of, valid

HERE = "/studio/imports"
# Of 120 items every tenth fails: it names a category that there is not.
ITEMS = 120
CSV = "externalId,title,language,mediaType,category\n" + "".join(
    f"{n},Episode {n},en,audio,{'' if n % 10 else 'Missing'}\n" for n in range(1, ITEMS + 1)
)
FAILED = {n for n in range(1, ITEMS + 1) if n % 10 == 0}


class Table:
    """The pages of a dry run's items, as an editor without scripts uses them."""

    def __init__(self, editor: Client, run_id: int) -> None:
        """Open the first page."""
        self.editor, self.here = editor, f"{HERE}/{run_id}"
        self.page = read(editor, self.here)

    @property
    def ticked(self) -> set[int]:
        """The items that are ticked on the page."""
        form = self.page.one("form", action=f"{self.here}/apply")
        boxes = self.page.within(form, "input", type="checkbox")
        boxes = [box for box in boxes if box.get("checked") is not None]
        return {int((box.get("name") or "").removeprefix("item-")) for box in boxes}

    @property
    def elsewhere(self) -> str:
        """What the page says of other pages."""
        return self.page.texts("p", role="status")[-1]

    def filled(self, tick: set[int] = frozenset(), untick: set[int] = frozenset()) -> dict[str, str]:  # type: ignore[assignment]  # nothing writes to it
        """Return what the form sends after some boxes were pressed."""
        fields = fields_of(self.page, f"{self.here}/apply") | {f"item-{n}": "yes" for n in tick}
        return {name: value for name, value in fields.items() if name not in {f"item-{n}" for n in untick}}

    def press(self, words: str, tick: set[int] = frozenset(), untick: set[int] = frozenset()) -> None:  # type: ignore[assignment]  # nothing writes to it
        """Press a button that leads to another page, or chooses; the page is then that one."""
        (button,) = (one for one in self.page.all("button", name="to") if text_of(one).startswith(words))
        fields = self.filled(tick, untick) | {button.get("name") or "": button.get("value") or ""}
        answer = send(self.editor, button.get("formaction") or "", **fields)
        assert answer.status_code == 303, answer.text
        where = urlsplit(answer.headers["location"])
        assert where.path == self.here
        self.page = read(self.editor, answer.headers["location"])

    def apply(self, tick: set[int] = frozenset()) -> int:  # type: ignore[assignment]  # nothing writes to it
        """Import the chosen ones; return the id of the new run."""
        answer = send(self.editor, f"{self.here}/apply", **self.filled(tick), what="chosen")
        assert answer.status_code == 303, answer.text
        return int(answer.headers["location"].rpartition("/")[2])


def tried(editor: Client, database: Database) -> Table:
    """Try the file, and open the page of the dry run."""
    filled = fields_of(read(editor, HERE), f"{HERE}/file") | {"do": "try"}
    answer = editor.ask("POST", f"{HERE}/file", data=filled, files={"file": ("a.csv", CSV.encode())})
    run_id = int(answer.headers["location"].rpartition("/")[2])
    carry_out(database, run_id)
    return Table(editor, run_id)


def written(database: Database) -> set[int]:
    """Return the external ids of all programs."""
    with database.connect() as connection:
        found = connection.scalars(text("SELECT external_id FROM programs"))
        return {int(name.removeprefix("file:")) for name in found}


def test_a_choice_stays_from_page_to_page_and_is_carried_out_exactly(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    table = tried(signed_in_at_pages(listener, "editor"), database)
    valid(table.page, "en")
    assert table.ticked == set()
    assert table.elsewhere.endswith("On other pages 0 are chosen.")
    table.press("Further ones", tick={2, 5})
    assert table.ticked == set()
    assert table.elsewhere.endswith("On other pages 2 are chosen.")
    table.press("Further ones", tick={61, 99})
    assert table.elsewhere.endswith("On other pages 4 are chosen.")
    # Back, one is taken away; the filter keeps the others.
    table.press("Page before")
    assert table.ticked == {61, 99}
    table.press("Page before", untick={61})
    assert table.ticked == {2, 5}
    assert not [one for one in table.page.all("button") if one.text == "Page before"]
    table.press("failed")
    assert table.elsewhere.endswith("On other pages 3 are chosen.")
    assert not [b for b in table.page.all("button") if "Choose all" in (b.text or "")]
    run_id = table.apply()
    carry_out(database, run_id)
    assert written(database) == {2, 5, 99}


def test_all_that_match_a_filter_are_chosen_and_some_are_taken_away(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    table = tried(signed_in_at_pages(listener, "editor"), database)
    table.press("Choose all 108 that would be written")
    assert len(table.ticked) == 45
    assert table.elsewhere.endswith("On other pages 63 are chosen.")
    table.press("Choose none")
    assert (table.ticked, table.elsewhere.endswith("On other pages 0 are chosen.")) == (set(), True)
    table.press("created", tick={1})
    assert table.ticked == {1}
    table.press("Choose all 108: would be created")
    table.press("Further ones", untick={3, 4})
    run_id = table.apply()
    carry_out(database, run_id)
    assert written(database) == set(range(1, ITEMS + 1)) - FAILED - {3, 4}


def test_a_choice_that_cannot_be_read_chooses_nothing_and_imports_nothing(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    table = tried(signed_in_at_pages(listener, "editor"), database)
    for wrong in ("x", "!", "AAAA", packed({1})[:-3], "ك"):
        table.page = read(table.editor, table.here, chosen=wrong)
        assert (table.page.status, table.ticked) == (200, set()), wrong
        for path in ("apply", "choose"):
            fields = table.filled({1}) | {"elsewhere": wrong, "what": "chosen"}
            assert send(table.editor, f"{table.here}/{path}", **fields).status_code == 422, (path, wrong)
    # What an address chooses is shown before it is carried out.
    table.page = read(table.editor, table.here, chosen=packed({7, 70}))
    assert (table.ticked, table.elsewhere.endswith("On other pages 1 is chosen.")) == ({7}, True)
    too_many = table.filled() | {"elsewhere": packed(range(1, MAX_POSITIONS + 2)), "to": "after=50"}
    answer = send(table.editor, f"{table.here}/choose", **too_many)
    assert (answer.status_code, "At most 10000 items can be chosen." in answer.text) == (422, True)
    assert written(database) == set()


def test_where_a_page_of_a_choice_leads_is_within_the_run(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    table = tried(signed_in_at_pages(listener, "editor"), database)
    for to in ("after=x&outcome=y", "//elsewhere.example", "outcome=created&after=9999999999999"):
        answer = send(table.editor, f"{table.here}/choose", **(table.filled({1}) | {"to": to}))
        where = urlsplit(answer.headers["location"])
        assert (where.netloc, where.path) == ("", table.here)
        assert set(parse_qs(where.query)) - {"outcome"} == {"chosen"}


@pytest.mark.parametrize("many", [0, 1, 2, 5_000])
def test_a_packed_choice_says_the_same_when_it_is_unpacked(many: int) -> None:
    positions = set(random.Random(many).sample(range(1, 200_001), many))
    word = packed(positions)
    assert unpacked(word) == positions
    assert len(word) < 30_000
    assert not set(word) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
