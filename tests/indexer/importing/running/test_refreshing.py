"""Remembered feeds: asked when they usually have something new, never hammered, paused when they fail."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from api.settings import Settings
from catalog.core.actor import SYSTEM
from catalog.imports import refreshing, runs, sources
from catalog.imports.models import ImportRun, ImportSource
from catalog.imports.options import Options
from indexer.importing.running.waiting import WaitingRuns
from tests.support.importing import EDITOR, Importer, counts, episode, footprint, rss
from tests.support.sites import Site, site


class Registry:
    """One remembered feed and what becomes of its refreshes."""

    def __init__(self, importer: Importer, session: Session, stranger: Site) -> None:
        self.importer, self.session = importer, session
        importer.settings = importer.settings.model_copy(update={"trusted": stranger.trusted})
        source = sources.create(session, "feed", stranger.url("/feed"), Options(policy="publish"), EDITOR)
        session.commit()
        self.id = source.id

    def look(self) -> ImportSource:
        self.session.rollback()
        return self.session.get_one(ImportSource, self.id, populate_existing=True)

    def refresh(self) -> ImportRun:
        """Let it be due, start it, carry it out to its end."""
        self.session.execute(text("UPDATE import_sources SET next_at = clock_timestamp()"))
        (run_id,) = refreshing.start_due(self.session, SYSTEM)
        self.session.commit()
        run = self.importer.run(run_id)
        while run.status == "queued":
            self.session.execute(text("UPDATE import_runs SET next_at = clock_timestamp()"))
            self.session.commit()
            run = self.importer.run(run_id)
        return run


def pause_of(source: ImportSource) -> float:
    assert source.last_run_at is not None
    return (source.next_at - source.last_run_at).total_seconds()


@pytest.mark.slow
def test_the_pause_follows_what_the_feed_does(importer: Importer, session: Session) -> None:
    with site() as stranger:
        stranger.pages["/feed"] = (200, {}, rss(episode(1)))
        registry = Registry(importer, session, stranger)
        pauses = []
        for n in range(2, 6):
            assert counts(registry.refresh())["created"] == 1
            pauses.append(registry.look().interval_sec)
            stranger.pages["/feed"] = (200, {}, rss(*(episode(i) for i in range(1, n + 1))))
        assert pauses == [1800, 900, 900, 900]
        registry.refresh()
        for _ in range(30):
            registry.refresh()
        assert registry.look().interval_sec == refreshing.LONGEST
        held = registry.look()
        assert held.next_at is not None
        assert 0.94 * refreshing.LONGEST <= pause_of(held) <= 1.06 * refreshing.LONGEST


def test_what_has_not_changed_is_neither_sent_nor_read_nor_noted(
    importer: Importer, session: Session
) -> None:
    with site() as stranger:
        answers: dict[str, Any] = {"etag": '"1"'}

        def feed(path: str, headers: dict[str, str]) -> Any:
            if headers.get("if-none-match") == answers["etag"]:
                return 304, {}, b""
            return 200, {"ETag": answers["etag"]}, rss(episode(1))

        stranger.pages["/feed"] = feed
        registry = Registry(importer, session, stranger)
        assert counts(registry.refresh()) == {"created": 1}
        before = footprint(session)
        again = registry.refresh()
        assert (again.status, again.code, counts(again)) == ("succeeded", "not_modified", {})
        # Another validator, the same bytes.
        answers["etag"] = '"2"'
        assert registry.refresh().code == "not_modified"
        assert registry.look().etag == '"2"'
        session.rollback()
        assert footprint(session) == before
        assert len(stranger.asked) == 3


@pytest.mark.slow
def test_a_permanent_move_is_followed_and_keeps_the_programs(importer: Importer, session: Session) -> None:
    with site() as stranger:
        stranger.pages |= {"/feed": (301, {"Location": "/new"}, b""), "/new": (200, {}, rss(episode(1)))}
        registry = Registry(importer, session, stranger)
        assert counts(registry.refresh()) == {"created": 1}
        assert registry.look().url == stranger.url("/new")
        stranger.asked.clear()
        stranger.pages["/new"] = (200, {}, rss(episode(1), episode(2)))
        assert counts(registry.refresh()) == {"created": 1, "unchanged": 1}
        assert stranger.paths() == ["/new"]
        assert len(importer.programs()) == 2
        held = registry.look()
        assert (held.title, held.about["language"]) == ("فنجان", "ar")


@pytest.mark.slow
def test_a_refresh_reads_on_while_a_whole_page_is_new(importer: Importer, session: Session) -> None:
    def item(n: int, year: int) -> str:
        return episode(n, more=f"<pubDate>{n % 27 + 1} Mar {year} 10:00:00 GMT</pubDate>")

    def page(items: list[str], following: str | None) -> Any:
        link = f'<atom:link rel="next" href="{following}"/>' if following else ""
        return 200, {}, rss(*items, channel=link)

    with site() as stranger:
        stranger.pages |= {"/feed": page([item(1, 2020)], "/2"), "/2": page([item(2, 2020)], None)}
        registry = Registry(importer, session, stranger)
        # New to us: all of it.
        assert counts(registry.refresh()) == {"created": 2}
        stranger.pages |= {
            "/feed": page([item(11, 2199), item(12, 2199)], "/2"),
            "/2": page([item(13, 2199), item(1, 2020)], "/3"),
            "/3": page([item(2, 2020)], None),
        }
        stranger.asked.clear()
        assert counts(registry.refresh()) == {"created": 3, "unchanged": 1}
        assert stranger.paths() == ["/feed", "/2"]


@pytest.mark.slow
def test_a_failing_feed_is_asked_less_and_then_paused_with_the_reason(
    importer: Importer, session: Session
) -> None:
    with site() as stranger:
        stranger.pages["/feed"] = (404, {}, b"")
        registry = Registry(importer, session, stranger)
        hours = []
        for _ in range(refreshing.MAX_FAILURES):
            assert registry.refresh().status == "failed"
            hours.append(registry.look().interval_sec / 3600)
        assert hours == [2, 4, 8, 16, 32, 64]
        held = registry.look()
        assert (held.state, held.failures) == ("paused", 6)
        assert held.reason == "not_found: The server has no such document."
        session.execute(text("UPDATE import_sources SET next_at = clock_timestamp()"))
        assert refreshing.start_due(session, SYSTEM) == []
        session.commit()
        # An editor resumes it: it is asked at once and recovers.
        stranger.pages["/feed"] = (200, {}, rss(episode(1)))
        sources.edit(session, registry.id, {"state": "active"}, EDITOR)
        session.commit()
        assert counts(registry.refresh()) == {"created": 1}
        held = registry.look()
        assert (held.state, held.failures, held.reason) == ("active", 0, None)


def test_what_will_not_come_back_is_paused_at_once(importer: Importer, session: Session) -> None:
    with site() as stranger:
        stranger.pages["/feed"] = (410, {}, b"")
        registry = Registry(importer, session, stranger)
        assert registry.refresh().code == "gone"
        assert registry.look().state == "paused"


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, False])
def test_a_page_of_maintenance_does_not_pause_a_source_and_a_success_resumes_it(
    first: bool, importer: Importer, session: Session
) -> None:
    with site() as stranger:
        stranger.pages["/feed"] = (200, {}, rss(episode(1)))
        registry = Registry(importer, session, stranger)
        if not first:
            registry.refresh()
        stranger.pages["/feed"] = (200, {}, b"<html><body>We are back soon</body></html>")
        states = []
        for _ in range(refreshing.MAX_UNREADABLE):
            assert registry.refresh().code == "not_a_feed"
            held = registry.look()
            states.append(held.state)
            assert held.reason is not None
            assert held.reason.startswith("not_a_feed: The document is a web page")
        assert states == ["active", "active", "paused"]
        # An editor refreshes the paused source, and it has recovered.
        stranger.pages["/feed"] = (200, {}, rss(episode(1)))
        assert by_hand(registry).status == "succeeded"
        held = registry.look()
        assert (held.state, held.failures, held.reason) == ("active", 0, None)


def by_hand(registry: Registry) -> ImportRun:
    run = refreshing.start(registry.session, registry.look(), EDITOR, trigger="editor")
    registry.session.commit()
    return registry.importer.run(run.id)


@pytest.mark.slow
def test_a_source_that_an_editor_paused_stays_paused_with_the_reason(
    importer: Importer, session: Session
) -> None:
    with site() as stranger:
        stranger.pages["/feed"] = (200, {}, rss(episode(1)))
        registry = Registry(importer, session, stranger)
        sources.edit(session, registry.id, {"state": "paused"}, EDITOR)
        session.commit()
        reason = registry.look().reason
        assert reason
        for body in (rss(episode(1)), b"<html></html>", rss(episode(2))):
            stranger.pages["/feed"] = (200, {}, body)
            by_hand(registry)
            assert (registry.look().state, registry.look().reason) == ("paused", reason)


def moved(to: str, *items: str) -> Any:
    return (
        200,
        {},
        rss(*(items or (episode(1), episode(2))), channel=f"<itunes:new-feed-url>{to}</itunes:new-feed-url>"),
    )


@pytest.mark.slow
def test_a_new_address_is_adopted_only_when_the_same_feed_answers(
    importer: Importer, session: Session
) -> None:
    with site() as stranger:
        new = stranger.url("/new")
        stranger.pages["/feed"] = moved(new)
        registry = Registry(importer, session, stranger)
        for page, code in (
            (None, "new_address_fails"),
            ((200, {}, b"<html></html>"), "new_address_fails"),
            ((200, {}, rss(episode(8), episode(9))), "moved_elsewhere"),
            (moved(stranger.url("/feed")), "move_loop"),
        ):
            stranger.pages.pop("/new", None)
            if page is not None:
                stranger.pages["/new"] = page
            run = registry.refresh()
            assert (run.status, run.code) == ("succeeded", code)
            assert run.detail
            assert registry.look().url == stranger.url("/feed")
        assert len(importer.programs()) == 2
        stranger.pages["/new"] = (200, {}, rss(episode(1), episode(2), episode(3)))
        assert registry.refresh().code is None
        assert registry.look().url == new
        assert counts(registry.refresh()) == {"created": 1, "unchanged": 2}


@pytest.mark.slow
def test_a_redirect_to_another_feed_is_not_adopted(importer: Importer, session: Session) -> None:
    with site() as stranger:
        guid = "<podcast:guid>917393e3</podcast:guid>"
        stranger.pages["/feed"] = (200, {}, rss(episode(1), episode(2), channel=guid))
        registry = Registry(importer, session, stranger)
        registry.refresh()
        stranger.pages |= {"/feed": (301, {"Location": "/other"}, b""), "/other": (200, {}, rss(episode(8)))}
        run = registry.refresh()
        assert (run.status, run.code) == ("failed", "moved_elsewhere")
        assert registry.look().url == stranger.url("/feed")
        assert len(importer.programs()) == 2
        # The same guid is the same feed, even with other items.
        stranger.pages["/other"] = (200, {}, rss(episode(9), channel=guid))
        registry.refresh()
        assert registry.look().url == stranger.url("/other")


def test_a_server_that_asks_for_patience_gets_it(importer: Importer, session: Session) -> None:
    with site() as stranger:
        stranger.pages["/feed"] = (429, {"Retry-After": "20000"}, b"")
        registry = Registry(importer, session, stranger)
        registry.refresh()
        assert len(stranger.asked) == 3
        assert registry.look().interval_sec == 20000


def test_a_source_has_one_run_at_a_time_and_many_clocks_start_it_once(
    importer: Importer, session: Session, settings: Settings
) -> None:
    with site() as stranger:
        registry = Registry(importer, session, stranger)
        client = redis.Redis.from_url(settings.indexer.redis_queue_url)
        client.flushdb()
        schedulers = [WaitingRuns(importer.database, client) for _ in range(3)]
        for scheduler in schedulers:
            scheduler.enqueue_waiting()
        session.rollback()
        runs = session.scalars(select(ImportRun)).all()
        assert [(r.source_id, r.trigger, r.status) for r in runs] == [(registry.id, "schedule", "queued")]
        session.execute(text("UPDATE import_sources SET next_at = clock_timestamp()"))
        session.commit()
        assert refreshing.start_due(session, SYSTEM) == []
        assert registry.look() is not None
        client.flushdb()
        client.close()


def test_cancelling_and_dry_runs_teach_nothing(importer: Importer, session: Session) -> None:
    with site() as stranger:
        stranger.pages["/feed"] = (200, {"ETag": '"1"'}, rss(episode(1)))
        registry = Registry(importer, session, stranger)
        source = sources.get(session, registry.id)
        dry = refreshing.start(session, source, EDITOR, trigger="editor", dry_run=True)
        session.commit()
        assert counts(importer.run(dry.id)) == {"created": 1}
        run = refreshing.start(session, registry.look(), EDITOR, trigger="editor")
        session.commit()
        runs.cancel(session, run.id, EDITOR)
        session.commit()
        held = registry.look()
        assert (held.etag, held.last_run_at, held.failures) == (None, None, 0)
        assert held.next_at - held.created_at < timedelta(hours=2)
