"""An item that has got another id is the same program; one that may be the same waits as a draft."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.imports.writing.identity import file_key
from catalog.merging.models import MergeProposal
from catalog.programs import lifecycle
from catalog.programs.models import ProgramRevision
from tests.support.importing import Importer, case, counts, rss
from tests.support.programs import EDITOR

DATE, LENGTH = "<pubDate>Sat, 12 Mar 2022 10:00:00 GMT</pubDate>", "<itunes:duration>3600</itunes:duration>"


def item(guid: str, title: str, url: str, more: str = "") -> str:
    return f"<item><guid>{guid}</guid><title>{title}</title><enclosure url='{url}' type='audio/mpeg'/>{more}</item>"


def go(importer: Importer, *items: str) -> dict[str, int]:
    return counts(importer.go("feed", rss(*items), namespace="n", policy="publish"))


@pytest.mark.slow
def test_a_changed_guid_with_the_same_file_keeps_its_program(importer: Importer, session: Session) -> None:
    first = case("guid-changed-1.xml")
    importer.go("feed", first, namespace="n", policy="publish")
    before = importer.programs()[0]
    run = importer.go("feed", first.replace(b">m1<", b">NEW-m1<"), namespace="n", policy="publish")
    assert counts(run) == {"updated": 1}
    (after,) = importer.programs()
    assert (after.id, after.slug, after.status, after.external_id) == (
        before.id,
        before.slug,
        "published",
        "n:NEW-m1",
    )
    assert importer.items(run.id)[0].diff == {"externalId": ["n:m1", "n:NEW-m1"]}
    assert session.get_one(ProgramRevision, (after.id, after.rev)).action == "import"
    session.rollback()
    again = importer.go("feed", first.replace(b">m1<", b">NEW-m1<"), namespace="n", policy="publish")
    assert counts(again) == {"unchanged": 1}


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example/a/1.mp3?token=2",
        "http://cdn.example/a/1.mp3#t=5",
        "https://www.podtrac.com/pts/redirect.mp3/cdn.example/a/1.mp3",
        "https://dts.podtrac.com/redirect.mp3/chtbl.com/track/ABC/cdn.example/a/1.mp3",
        "https://op3.dev/e/https://cdn.example/a/1.mp3",
        "https://CDN.example/a/1.mp3",
    ],
)
def test_the_file_is_known_by_its_address_without_scheme_prefix_and_query(url: str) -> None:
    assert file_key(url) == "cdn.example/a/1.mp3"


@pytest.mark.slow
def test_a_rotating_token_with_a_rotating_guid_keeps_every_program(importer: Importer) -> None:
    def day(n: int) -> list[str]:
        return [
            item(f"{i}-day{n}", f"Episode {i}", f"http://cdn.example/{i}.mp3?token={n}") for i in range(1, 6)
        ]

    assert go(importer, *day(1)) == {"created": 5}
    ids = [p.id for p in importer.programs()]
    assert go(importer, *day(2)) == {"updated": 5}
    assert [p.id for p in importer.programs()] == ids


def test_another_host_is_known_by_title_duration_and_date(importer: Importer) -> None:
    go(importer, item("1", "قصة القهوة", "https://old.example/1.mp3", DATE + LENGTH))
    assert go(importer, item("x", "قصّة القهوة", "https://new.example/files/77", DATE + LENGTH)) == {
        "updated": 1
    }
    assert [p.media_url for p in importer.programs()] == ["https://new.example/files/77"]


@pytest.mark.slow
def test_what_is_only_likely_waits_as_a_draft_with_a_proposal(importer: Importer, session: Session) -> None:
    go(importer, item("1", "قصة القهوة", "https://old.example/1.mp3"))
    run = importer.go(
        "feed", rss(item("x", "قصة القهوة", "https://new.example/1.mp3")), namespace="n", policy="publish"
    )
    old, new = importer.programs()
    assert (counts(run), old.status, new.status) == ({"created": 1}, "published", "draft")
    assert importer.items(run.id)[0].code == "may_be_renamed"
    (proposal,) = session.scalars(select(MergeProposal))
    assert (proposal.program_id, proposal.other_id, proposal.state) == (old.id, new.id, "open")


def test_an_item_that_is_still_there_is_another_one(importer: Importer, session: Session) -> None:
    first = item("1", "قصة القهوة", "https://old.example/1.mp3", DATE + LENGTH)
    go(importer, first)
    twin = item("2", "قصة القهوة", "https://old.example/1.mp3", DATE + LENGTH)
    assert go(importer, twin, first) == {"created": 1, "unchanged": 1}
    assert session.scalars(select(MergeProposal)).all() == []


@pytest.mark.slow
def test_a_deleted_program_does_not_come_back_under_another_id(importer: Importer, session: Session) -> None:
    go(importer, item("1", "قصة القهوة", "https://old.example/1.mp3"))
    lifecycle.transition(session, importer.programs()[0].id, "delete", EDITOR)
    session.commit()
    assert go(importer, item("2", "قصة القهوة", "https://old.example/1.mp3")) == {"skipped": 1}


def test_another_source_is_not_looked_at(importer: Importer) -> None:
    go(importer, item("1", "قصة القهوة", "https://old.example/1.mp3"))
    run = importer.go("feed", rss(item("2", "قصة القهوة", "https://old.example/1.mp3")), namespace="m")
    assert counts(run) == {"created": 1}
