"""What is not released yet is scheduled; a date of another age is left out."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.support.importing import Importer, case, counts, episode, rss


def dated(at: datetime) -> bytes:
    return rss(episode(1, more=f"<pubDate>{format_datetime(at)}</pubDate>"))


def soon(days: int) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)


@pytest.mark.slow
def test_a_program_of_next_month_is_scheduled_and_follows_its_source(importer: Importer) -> None:
    month, days = soon(30), soon(10)
    run = importer.go("feed", dated(month), policy="publish")
    (program,) = importer.programs()
    assert (counts(run), program.status, program.published_at) == ({"created": 1}, "scheduled", None)
    assert program.scheduled_publish_at == program.release_date == month
    assert importer.items(run.id)[0].code == "scheduled"
    importer.go("feed", dated(days), policy="publish")
    assert importer.programs()[0].scheduled_publish_at == days
    assert counts(importer.go("feed", dated(days), policy="publish")) == {"unchanged": 1}
    importer.go("feed", dated(soon(-1)), policy="publish")
    assert importer.programs()[0].status == "published"


def test_a_draft_stays_a_draft(importer: Importer) -> None:
    importer.go("feed", dated(soon(30)))
    assert importer.programs()[0].status == "draft"


def test_a_date_far_ahead_is_a_warning(importer: Importer) -> None:
    run = importer.go("feed", case("future.xml"), policy="publish")
    far = importer.programs()[0]
    assert (far.status, far.release_date) == ("published", None)
    first = importer.items(run.id)[0]
    assert (first.outcome, first.code) == ("created", "future_date")
    assert first.detail == "The date 2095-03-12 is more than a year ahead and was left out."
