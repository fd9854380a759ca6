"""What editors wrote stays, whatever the source does; and editors settle the conflicts."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from catalog.core.errors import NotFound
from catalog.imports.models import ImportConflict
from catalog.imports.writing import conflicts
from catalog.programs import editing, snapshot
from catalog.programs.models import Program
from catalog.review.rights import EVERYTHING
from tests.support.importing import Importer, case, counts, rss
from tests.support.programs import EDITOR

BARE = rss(
    "<item><title>Bare item</title><guid>x1</guid><enclosure url='http://cdn.example/x1.mp3' type='audio/mpeg'/></item>"
)
# Of each field: what an editor writes, and how a feed gives it (the element, and the value that comes of it).
FIELDS: dict[str, tuple[object, str, object]] = {
    "description": ("المحرر", "<description>source</description>", "source"),
    "duration_sec": (150, "<itunes:duration>60</itunes:duration>", 60),
    "release_date": (
        datetime(2020, 1, 1, tzinfo=UTC),
        "<pubDate>Sat, 12 Mar 2022 10:00:00 GMT</pubDate>",
        "2022-03-12T10:00:00+00:00",
    ),
    "thumbnail_url": ("https://img.example/e.jpg", "<itunes:image href='https://img.example/s.jpg'/>", "https://img.example/s.jpg"),
    "season": (9, "<itunes:season>1</itunes:season>", 1),
    "episode": (9, "<itunes:episode>1</itunes:episode>", 1),
    "is_explicit": (True, "<itunes:explicit>no</itunes:explicit>", False),
    "tags": (["محرر"], "<category>misc</category>", ["misc"]),
    "people": ([("guest", "Editor")], "<podcast:person role='host'>Source</podcast:person>", [{"role": "host", "name": "Source"}]),
}  # fmt: off


@pytest.fixture
def importer(database: Engine) -> Importer:
    return Importer(database)


def item(*elements: str) -> bytes:
    return BARE.replace(b"</item>", "".join(elements).encode() + b"</item>")


def now(session: Session) -> dict[str, Any]:
    session.rollback()
    return dict(snapshot.of(session, session.scalars(select(Program)).one()))


def write(session: Session, **values: object) -> None:
    editing.edit(session, session.scalars(select(Program.id)).one(), values, EDITOR)
    session.commit()


def field_of(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.capitalize, rest))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FIELDS if name != "is_explicit"])
def test_what_an_editor_fills_in_stays(name: str, importer: Importer, session: Session) -> None:
    mine, element, theirs = FIELDS[name]
    importer.go("feed", BARE, namespace="n")
    write(session, **{name: mine})
    before = now(session)[field_of(name)]
    run = importer.go("feed", item(element), namespace="n")
    assert counts(run) == {"conflicts": 1}
    (found,) = importer.items(run.id)
    assert (found.code, found.diff) == ("edited_here", {})
    here, source = found.conflicts[field_of(name)]  # type: ignore[misc]  # [here, source]
    assert here == before == now(session)[field_of(name)]
    assert source == ([["host", "Source"]] if name == "people" else theirs)
    assert counts(importer.go("feed", item(element), namespace="n")) == {"unchanged": 1}


@pytest.mark.slow
def test_seven_fields_that_an_editor_filled_in_are_one_conflict(importer: Importer, session: Session) -> None:
    body = case("editor-fills-in.xml")
    bare = body[: body.index(b"<itunes:duration>")] + b"</item></channel></rss>"
    importer.go("feed", bare, namespace="n")
    names = ("duration_sec", "tags", "season", "episode", "people", "thumbnail_url", "release_date")
    write(session, **{name: FIELDS[name][0] for name in names})
    before = now(session)
    run = importer.go("feed", body, namespace="n")
    assert counts(run) == {"conflicts": 1}
    assert set(importer.items(run.id)[0].conflicts) == {field_of(name) for name in names}
    assert now(session) == before


@pytest.mark.slow
def test_an_edit_survives_a_gap_at_the_source(importer: Importer, session: Session) -> None:
    body = case("editor-edit-lost-after-gap.xml")
    gap = body.replace(b"<itunes:duration>100</itunes:duration>", b"")
    importer.go("feed", body, namespace="n")
    write(session, duration_sec=150)
    outcomes = [counts(importer.go("feed", said, namespace="n")) for said in (gap, body, gap, body)]
    assert outcomes == [{"conflicts": 1}] * 4
    assert now(session)["durationSec"] == 150


@pytest.mark.slow
@pytest.mark.parametrize("name", FIELDS)
def test_what_vanishes_at_the_source_is_taken_away(name: str, importer: Importer, session: Session) -> None:
    element = FIELDS[name][1].replace(">no<", ">yes<")
    importer.go("feed", item(element), namespace="n")
    before = now(session)[field_of(name)]
    run = importer.go("feed", BARE, namespace="n")
    assert counts(run) == {"updated": 1}
    after = now(session)[field_of(name)]
    assert after == {"description": "", "tags": [], "people": [], "is_explicit": False}.get(name)
    stored = [["host", "Source"]] if name == "people" else before
    assert (
        importer.items(run.id)[0].diff
        == {field_of(name): [before, after]}
        != {field_of(name): [stored, stored]}
    )
    # What an editor wrote meanwhile is not taken away.
    importer.go("feed", item(element), namespace="n")
    write(session, **{name: FIELDS[name][0] if name != "is_explicit" else True})
    kept = now(session)[field_of(name)]
    importer.go("feed", BARE, namespace="n")
    assert now(session)[field_of(name)] == (kept if name != "is_explicit" else False)


@pytest.mark.slow
def test_a_column_that_a_file_does_not_have_says_nothing(importer: Importer, session: Session) -> None:
    importer.go("csv", b"externalId,title,language,mediaType,duration,tags\n1,A,en,audio,60,x\n")
    run = importer.go("csv", b"externalId,title,language,mediaType\n1,B,en,audio\n")
    assert importer.items(run.id)[0].diff == {"title": ["A", "B"]}
    assert (now(session)["durationSec"], now(session)["tags"]) == (60, ["x"])
    # It is still the source's value: an empty cell takes it away.
    run = importer.go("csv", b"externalId,title,language,mediaType,duration\n1,B,en,audio,N/A\n")
    assert importer.items(run.id)[0].diff == {"durationSec": [60, None]}
    assert now(session)["tags"] == ["x"]


def conflict(importer: Importer, session: Session) -> int:
    """A program with the editor's duration 150, the source's is 60."""
    importer.go("feed", BARE, namespace="n")
    write(session, duration_sec=150)
    importer.go("feed", item(FIELDS["duration_sec"][1]), namespace="n")
    return session.scalars(select(Program.id)).one()


@pytest.mark.slow
def test_an_editor_takes_the_value_of_the_source(importer: Importer, session: Session) -> None:
    program_id = conflict(importer, session)
    conflicts.settle(session, program_id, "durationSec", "source", EDITOR, EVERYTHING)
    session.commit()
    assert now(session)["durationSec"] == 60
    assert session.scalar(select(func.count(ImportConflict.id))) == 0
    session.rollback()
    run = importer.go("feed", item("<itunes:duration>61</itunes:duration>"), namespace="n")
    assert (counts(run), now(session)["durationSec"]) == ({"updated": 1}, 61)


@pytest.mark.slow
def test_an_editor_keeps_a_value_and_is_not_asked_again(importer: Importer, session: Session) -> None:
    program_id = conflict(importer, session)
    conflicts.settle(session, program_id, "durationSec", "mine", EDITOR, EVERYTHING)
    session.commit()
    run = importer.go("feed", item("<itunes:duration>61</itunes:duration>"), namespace="n")
    assert (counts(run), now(session)["durationSec"]) == ({"unchanged": 1}, 150)
    # The source's newest value can still be taken.
    conflicts.settle(session, program_id, "durationSec", "source", EDITOR, EVERYTHING)
    session.commit()
    assert now(session)["durationSec"] == 61
    with pytest.raises(NotFound):
        conflicts.settle(session, program_id, "durationSec", "mine", EDITOR, EVERYTHING)


@pytest.mark.slow
def test_a_conflict_ends_when_both_agree(importer: Importer, session: Session) -> None:
    conflict(importer, session)
    importer.go("feed", item("<itunes:duration>150</itunes:duration>"), namespace="n")
    assert session.scalar(select(func.count(ImportConflict.id))) == 0


@pytest.mark.slow
def test_a_dry_run_tells_conflicts_and_stores_none(importer: Importer, session: Session) -> None:
    importer.go("feed", BARE, namespace="n")
    write(session, duration_sec=150)
    run = importer.go("feed", item(FIELDS["duration_sec"][1]), namespace="n", dry_run=True)
    assert counts(run) == {"conflicts": 1}
    assert importer.items(run.id)[0].conflicts == {"durationSec": [150, 60]}
    assert session.scalar(select(func.count(ImportConflict.id))) == 0
