"""Documents made to stop the worker: each ends with its code, and the next run is carried out as usual."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from indexer.importing.sources import opml
from indexer.importing.sources.feeds import items
from tests.support.importing import Importer, counts, episode, rss

ATTRIBUTES = " ".join(f'a{n}="1"' for n in range(20_000))
HOSTILE = {
    "too_many_attributes": rss(f"<item {ATTRIBUTES}><guid>1</guid></item>"),
    "too_deep": rss("<item>" + "<b>" * 1_000_000),
    "too_many_items": rss("<item/>" * 201),
}


@pytest.mark.slow
@pytest.mark.parametrize("code", HOSTILE)
def test_a_cap_ends_the_run_with_its_code(code: str, importer: Importer) -> None:
    run = importer.run(importer.start("feed", HOSTILE[code]), max_items=200)
    assert (run.status, run.code, run.attempt) == ("failed", code, 1)
    assert counts(importer.go("feed", rss(episode(1)))) == {"created": 1}


@pytest.mark.parametrize("document", [f"<opml {ATTRIBUTES}/>", "<opml>" + "<outline>" * 300])
def test_a_list_of_feeds_has_the_same_caps(document: str, importer: Importer) -> None:
    run = importer.go("opml", document.encode())
    assert run.code in ("too_many_attributes", "too_deep")


def spin(*_: object) -> None:
    while True:
        pass


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["feed", "opml"])
def test_a_document_that_takes_too_long_is_given_up(
    kind: str, importer: Importer, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as slow:
        slow.setattr(items, "row", spin)
        slow.setattr(opml, "_entries", spin)
        run = importer.run(importer.start(kind, rss(episode(1))), read_seconds=1)
    assert (run.status, run.code) == ("failed", "too_slow_to_read")
    assert session.scalar(text("SELECT total FROM import_totals WHERE name = 'run_failed'")) == 1
    session.rollback()
    # The same process takes the next run.
    assert counts(importer.go("feed", rss(episode(1)))) == {"created": 1}
