"""The same episode from two sources: proposed, merged, and never lost to those who have its old id."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from catalog.core.errors import Conflict, NotFound, ValidationFailed
from catalog.merging import lifecycle as merging
from catalog.merging import queries
from catalog.merging.models import MergeProposal
from catalog.programs import lifecycle, slugs
from catalog.programs.models import Program, ProgramRedirect, ProgramSlug
from catalog.programs.snapshot import of
from tests.support.importing import Importer, counts, footprint
from tests.support.programs import EDITOR, make

DAY = datetime(2024, 3, 1, 12, tzinfo=UTC)
HEAD = "externalId,title,language,mediaType,duration,releaseDate,tags,hosts,image\n"


def table(*rows: tuple[Any, ...]) -> bytes:
    return (HEAD + "".join(",".join(map(str, row)) + "\n" for row in rows)).encode()


def line(key: object, title: str, seconds: object = 3600, at: datetime = DAY, *more: str) -> tuple[Any, ...]:
    return (key, title, "ar", "audio", seconds, at.isoformat(), *more)


def proposals(session: Session) -> list[MergeProposal]:
    session.rollback()
    return list(session.scalars(select(MergeProposal).order_by(MergeProposal.id)))


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        (line(1, "قصّة القهوة"), line("x", "قصه القهوه", 3620, DAY + timedelta(days=1)), True),
        (line(1, "The Story"), line("x", "THE  story", 3700, DAY - timedelta(days=3)), True),
        (line(1, "The Story"), line("x", "The Story", ""), True),
        (line(1, "The Story"), line("x", "The Story", 3600, DAY + timedelta(days=4)), False),
        (line(1, "The Story"), line("x", "The Story", 4000), False),
        (line(1, "The Story"), line("x", "The Story 2"), False),
        (line(1, "one"), line("x", "one"), False),
        (line(1, "The Story"), line("x", "A Story"), False),
    ],
)
def test_what_is_proposed(
    ours: tuple[Any, ...], theirs: tuple[Any, ...], found: bool, importer: Importer, session: Session
) -> None:
    importer.go("csv", table(ours), namespace="a")
    importer.go("csv", table(theirs), namespace="b")
    assert [(p.program_id, p.other_id, p.state) for p in proposals(session)] == (
        [(1, 2, "open")] if found else []
    )


def test_one_source_has_no_doubles_and_a_hand_made_program_may_be_one(
    importer: Importer, session: Session
) -> None:
    importer.go("csv", table(line(1, "The News"), line(2, "The News")), namespace="a")
    assert proposals(session) == []
    make(session, title="The Story", duration_sec=3600, release_date=DAY)
    session.commit()
    # Nearest in time wins.
    rows = [line(3, "The Story", 3600, DAY + timedelta(hours=1)), line(4, "The news", 3600, DAY)]
    importer.go("csv", table(*rows), namespace="b")
    assert [(p.program_id, p.other_id) for p in proposals(session)] == [(1, 5), (3, 4)]
    assert proposals(session)[1].reasons == {"secondsApart": 3600, "durationDiffers": 0}


@pytest.mark.slow
def test_titles_that_many_share_say_nothing_and_cost_nothing(importer: Importer, session: Session) -> None:
    many = [line(n, "Trailer of it", 60, DAY + timedelta(days=30 * n)) for n in range(200)]
    importer.go("csv", table(*many), namespace="a")
    importer.go("csv", table(*many), namespace="b")
    assert len(proposals(session)) <= queries.MAX_SHARED


def two(importer: Importer, session: Session, policy: str = "publish") -> MergeProposal:
    first = table(line(1, "قصة القهوة", "", DAY, "قهوة"))
    second = table(line("x", "قصّة القهوة", 3600, DAY, "قهوة;تاريخ", "سلمان", "https://img.example/1.jpg"))
    importer.go("csv", first, namespace="a", policy=policy)
    importer.go("csv", second, namespace="b", policy=policy)
    (proposal,) = proposals(session)
    return proposal


@pytest.mark.slow
def test_merging_keeps_what_each_knew_and_where_each_was_found(importer: Importer, session: Session) -> None:
    proposal = two(importer, session)
    session.execute(text("UPDATE programs SET view_count = id * 10"))
    old = session.get_one(Program, 2).slug
    merging.accept(session, proposal.id, EDITOR)
    session.commit()
    kept = session.get_one(Program, 1)
    said = of(session, kept)
    assert (said["durationSec"], said["tags"]) == (3600, ["قهوة", "تاريخ"])
    assert said["people"] == [{"role": "host", "name": "سلمان"}]
    assert said["thumbnailUrl"] == "https://img.example/1.jpg"
    assert (kept.status, kept.view_count) == ("published", 30)
    gone = session.get_one(Program, 2)
    assert (gone.deleted_at is not None, gone.view_count) == (True, 0)
    assert session.scalar(select(ProgramSlug.program_id).where(ProgramSlug.slug == old)) == 1
    assert session.get_one(ProgramRedirect, 2).into_id == 1
    assert (proposals(session)[0].state, proposals(session)[0].kept_id) == ("merged", 1)
    # Decided is decided, and its source goes on without making it anew.
    with pytest.raises(Conflict):
        merging.dismiss(session, proposal.id, EDITOR)
    session.rollback()
    before = footprint(session)
    session.rollback()
    run = importer.go("csv", table(line("x", "قصّة القهوة الجديدة")), namespace="b")
    assert counts(run) == {"skipped": 1}
    (item,) = importer.items(run.id)
    assert (item.code, item.program_id) == ("merged", 1)
    assert footprint(session) == before


@pytest.mark.slow
def test_bringing_it_back_undoes_the_merge(importer: Importer, session: Session) -> None:
    proposal = two(importer, session)
    old = session.get_one(Program, 2).slug
    merging.accept(session, proposal.id, EDITOR)
    lifecycle.transition(session, 2, "undelete", EDITOR)
    session.commit()
    assert session.get(ProgramRedirect, 2) is None
    assert session.scalar(select(ProgramSlug.program_id).where(ProgramSlug.slug == old)) == 2
    assert slugs.free(session, old) != old
    # It was decided once: nobody is asked again.
    importer.go("csv", table(line("x", "قصّة القهوة", 3601)), namespace="b")
    assert [p.state for p in proposals(session)] == ["merged"]


def test_three_become_one_and_every_id_leads_straight_there(importer: Importer, session: Session) -> None:
    for namespace in "abc":
        importer.go("csv", table(line(1, "The Story")), namespace=namespace)
    assert [(p.program_id, p.other_id) for p in proposals(session)] == [(1, 2), (1, 3)]
    merging.accept(session, proposals(session)[0].id, EDITOR, keep_id=2)
    session.commit()
    # The open one was about the program that is gone.
    (_, second) = proposals(session)
    assert (second.program_id, second.other_id, second.state) == (2, 3, "open")
    merging.accept(session, second.id, EDITOR, keep_id=3)
    session.commit()
    leads = dict(session.execute(select(ProgramRedirect.program_id, ProgramRedirect.into_id)).all())
    assert leads == {1: 3, 2: 3}


def test_what_is_refused_changes_nothing(importer: Importer, session: Session) -> None:
    proposal = two(importer, session, policy="draft")
    lifecycle.transition(session, 2, "publish", EDITOR, 1)
    session.commit()
    before = footprint(session)
    with pytest.raises(ValidationFailed):
        merging.accept(session, proposal.id, EDITOR, keep_id=99)
    session.rollback()
    with pytest.raises(Conflict, match="keep that one"):
        merging.accept(session, proposal.id, EDITOR, keep_id=1)
    session.rollback()
    with pytest.raises(NotFound):
        merging.accept(session, 99, EDITOR)
    session.rollback()
    assert footprint(session) == before
    session.rollback()
    # Nobody said which: the one that listeners see.
    assert merging.accept(session, proposal.id, EDITOR).kept_id == 2


def test_a_dry_run_proposes_nothing_and_a_dismissed_pair_stays_dismissed(
    importer: Importer, session: Session
) -> None:
    importer.go("csv", table(line(1, "The Story")), namespace="a")
    importer.go("csv", table(line(1, "The Story")), namespace="b", dry_run=True)
    assert proposals(session) == []
    importer.go("csv", table(line(1, "The Story")), namespace="b")
    merging.dismiss(session, proposals(session)[0].id, EDITOR)
    session.commit()
    importer.go("csv", table(line(1, "The Story", 3601)), namespace="b")
    assert [p.state for p in proposals(session)] == ["dismissed"]
