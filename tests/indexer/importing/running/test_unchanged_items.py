"""An item that is as it was sent last time is not read again; everything that its values depend on counts."""

from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.imports.writing.rows import Row
from catalog.programs import lifecycle
from indexer.importing.sources.feeds.remote import PageReader
from tests.support.importing import Importer, counts, episode, footprint, rss
from tests.support.programs import EDITOR


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The external ids of the items that were read whole."""
    seen: list[str | None] = []
    real = PageReader.read

    def noted(self: PageReader, positions: Sequence[int]) -> list[Row]:
        found = real(self, positions)
        seen.extend(row.external_id for row in found)
        return found

    monkeypatch.setattr(PageReader, "read", noted)
    return seen


@pytest.mark.slow
def test_only_changed_items_are_read(importer: Importer, session: Session, read: list[str | None]) -> None:
    importer.go("feed", rss(episode(1), episode(2), episode(3)), namespace="n")
    assert read == ["n:ep-1", "n:ep-2", "n:ep-3"]
    before = footprint(session)
    session.rollback()
    read.clear()
    run = importer.go("feed", rss(episode(1), episode(2), episode(3)), namespace="n")
    assert (counts(run), read, footprint(session) == before) == ({"unchanged": 3}, [], True)
    assert next((i.title, i.program_id) for i in importer.items(run.id)) == ("الحلقة 1", 1)
    run = importer.go("feed", rss(episode(1), episode(2, "new"), episode(3)), namespace="n")
    assert (counts(run), read) == ({"unchanged": 2, "updated": 1}, ["n:ep-2"])


@pytest.mark.slow
def test_a_change_of_the_channel_or_of_an_option_reads_every_item(
    importer: Importer, read: list[str | None]
) -> None:
    importer.go("feed", rss(episode(1)), namespace="n")
    read.clear()
    explicit = rss(episode(1), channel="<itunes:explicit>yes</itunes:explicit>")
    assert counts(importer.go("feed", explicit, namespace="n")) == {"updated": 1}
    assert counts(importer.go("feed", explicit, namespace="n", kind="short")) == {"updated": 1}
    assert read == ["n:ep-1", "n:ep-1"]


@pytest.mark.slow
def test_a_deleted_program_is_still_skipped(importer: Importer, session: Session) -> None:
    importer.go("feed", rss(episode(1)), namespace="n")
    lifecycle.transition(session, importer.programs()[0].id, "delete", EDITOR)
    session.commit()
    assert counts(importer.go("feed", rss(episode(1)), namespace="n")) == {"skipped": 1}


@pytest.mark.slow
def test_programs_of_an_older_version_get_their_hash_once(importer: Importer, session: Session) -> None:
    importer.go("feed", rss(episode(1)), namespace="n")
    session.execute(text("UPDATE imported_programs SET raw_hash = NULL"))
    session.commit()
    assert counts(importer.go("feed", rss(episode(1)), namespace="n")) == {"unchanged": 1}
    assert session.scalar(text("SELECT raw_hash IS NOT NULL FROM imported_programs"))


def test_an_item_that_is_left_out_does_not_hide_another_with_its_id(importer: Importer) -> None:
    silent = "<item><guid>ep-1</guid><title>no media</title></item>"
    for expected in ({"skipped": 1, "created": 1}, {"skipped": 1, "unchanged": 1}):
        assert counts(importer.go("feed", rss(silent, episode(1)), namespace="n")) == expected
