"""YouTube through its Data API: cheap, resumable, within the quota."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from catalog.core.actor import SYSTEM
from catalog.imports import quota, refreshing, sources
from catalog.imports.models import ImportDocument, ImportQuota, ImportRun
from catalog.imports.options import Options
from catalog.programs.snapshot import of
from catalog.taxonomy.models import Series
from indexer.importing.running.runner import Runner
from tests.support.importing import Importer, counts, footprint
from tests.support.programs import EDITOR
from tests.support.sites import Site, site
from tests.support.youtube import CHANNEL, KEY, PLAYLIST, Tube, refusal, video_id

URL = f"https://www.youtube.com/channel/{CHANNEL}"


@pytest.fixture
def stranger() -> Iterator[Site]:
    with site() as found:
        yield found


@pytest.fixture
def tube(importer: Importer, stranger: Site) -> Tube:
    found = Tube()
    found.serve(stranger)
    importer.settings = importer.settings.model_copy(
        update={
            "trusted": stranger.trusted,
            "youtube_url": stranger.url("/youtube/v3"),
            "youtube_key": SecretStr(KEY),
        }
    )
    return found


def spent(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.sum(ImportQuota.spent))) or 0


def due(session: Session) -> None:
    session.execute(text("UPDATE import_runs SET next_at = clock_timestamp()"))
    session.commit()


@pytest.mark.slow
def test_a_channel_is_read_in_fifties(importer: Importer, tube: Tube, session: Session) -> None:
    for n in range(120):
        tube.upload(n)
    run = importer.go("youtube", url=URL, policy="publish")
    assert (run.status, counts(run), run.total) == ("succeeded", {"created": 120}, 120)
    asked = Counter(resource for resource, _ in tube.calls)
    assert asked == {"channels": 1, "playlistItems": 3, "videos": 3}
    assert spent(session) == tube.units() == 7
    newest = importer.programs()[0]
    assert newest.external_id == f"youtube:{video_id(119)}"
    assert newest.source_type == "youtube"
    said = of(session, newest)
    expected = {
        "title": "حلقة 119",
        "description": "وصف 119",
        "language": "ar",
        "mediaType": "video",
        "kind": "episode",
        "durationSec": 3723,
        "releaseDate": "2024-01-01T00:01:59+00:00",
        "isExplicit": False,
        "mediaUrl": f"https://www.youtube.com/watch?v={video_id(119)}",
        "thumbnailUrl": "https://i.ytimg.example/119/maxres.jpg",
        "tags": ["فنجان", "بودكاست"],
        "status": "published",
    }
    assert {name: said[name] for name in expected} == expected
    assert session.scalars(select(Series.title)).all() == ["ثمانية"]
    before = footprint(session)
    session.rollback()
    again = importer.go("youtube", url=URL, policy="publish")
    assert counts(again) == {"unchanged": 120}
    assert footprint(session) == before


def test_what_nobody_can_watch_is_skipped_with_the_reason(importer: Importer, tube: Tube) -> None:
    tube.upload(1, snippet={"liveBroadcastContent": "upcoming"})
    tube.upload(2, snippet={"liveBroadcastContent": "live"})
    tube.upload(3, status={"privacyStatus": "private"})
    tube.upload(4, status={"privacyStatus": "unlisted"})
    tube.upload(5, status={"uploadStatus": "rejected"})
    tube.upload(6, contentDetails={"contentRating": {"ytRating": "ytAgeRestricted"}})
    tube.playlists[PLAYLIST] = [*(video_id(n) for n in range(1, 7)), video_id(99)]
    run = importer.go("youtube", url=f"https://www.youtube.com/playlist?list={PLAYLIST}")
    assert [(i.outcome, i.code) for i in importer.items(run.id)] == [
        ("skipped", "not_yet"),
        ("skipped", "not_yet"),
        ("skipped", "unavailable"),
        ("skipped", "unlisted"),
        ("skipped", "unavailable"),
        ("created", None),
        ("skipped", "unavailable"),
    ]
    assert [p.is_explicit for p in importer.programs()] == [True]
    # Asked for by itself, an unlisted video is wanted.
    assert counts(importer.go("youtube", url=video_id(4))) == {"created": 1}


@pytest.mark.slow
def test_a_playlist_names_the_series_and_a_channel_does_not_take_it_back(
    importer: Importer, tube: Tube, session: Session
) -> None:
    for n in range(3):
        tube.upload(n)
    tube.playlists[PLAYLIST] = [video_id(0), video_id(1)]
    assert counts(importer.go("youtube", url=PLAYLIST)) == {"created": 2}
    assert counts(importer.go("youtube", url=URL)) == {"created": 1, "unchanged": 2}
    titles = dict(session.execute(select(Series.id, Series.title)).all())
    assert [titles[p.series_id] for p in importer.programs()] == ["فنجان", "فنجان", "ثمانية"]
    assert counts(importer.go("youtube", url=PLAYLIST)) == {"unchanged": 2}


@pytest.mark.slow
def test_a_fetch_that_died_goes_on_with_the_next_page(
    importer: Importer, tube: Tube, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(130):
        tube.upload(n)
    pages = iter(range(10))
    answer = tube._playlistItems

    def dies(query: dict[str, str]) -> Any:
        return (500, {}, b"") if next(pages) == 1 else answer(query)

    monkeypatch.setattr(tube, "_playlistItems", dies)
    run_id = importer.start("youtube", url=URL)
    assert importer.run(run_id).status == "queued"
    # A new video moves every other one a place on: none is read twice, none is left out.
    tube.upload(500)
    due(session)
    run = importer.run(run_id)
    assert (run.status, counts(run)) == ("succeeded", {"created": 130})
    assert [r for r, _ in tube.calls].count("channels") == 1
    assert [q.get("pageToken") for r, q in tube.calls if r == "playlistItems"] == [
        None,
        "PAGE50",
        "PAGE50",
        "PAGE100",
    ]


@pytest.mark.slow
def test_a_page_token_that_is_no_longer_good(importer: Importer, tube: Tube) -> None:
    for n in range(120):
        tube.upload(n)
    ok = (200, {}, b'{"items": [{"contentDetails": {"videoId": "vid00000119"}}], "nextPageToken": "PAGE1"}')
    tube.refusals["playlistItems"] = [ok, refusal(400, "invalidPageToken")]
    run = importer.go("youtube", url=URL)
    assert (run.status, counts(run)) == ("succeeded", {"created": 120})


@pytest.mark.slow
def test_the_quota_is_respected_and_the_run_goes_on_the_next_day(
    importer: Importer, tube: Tube, session: Session
) -> None:
    for n in range(120):
        tube.upload(n)
    run_id = importer.start("youtube", url=URL)
    for _ in range(4):
        # Waiting for the next day is no attempt, however often it is looked at.
        run = importer.run(run_id, youtube_quota=4)
        assert (run.status, run.code, run.attempt) == ("queued", "quota_exhausted", 0)
        due(session)
    assert tube.units() == spent(session) == 4
    session.execute(text("UPDATE import_quota SET day = day - 1"))
    session.commit()
    run = importer.run(run_id, youtube_quota=4)
    assert (run.status, counts(run)) == ("succeeded", {"created": 120})
    # The page whose videos could not be had any more is asked for once again.
    assert tube.units() == 8


def test_the_run_waits_until_the_quota_is_given_anew(
    importer: Importer, tube: Tube, session: Session
) -> None:
    run_id = importer.start("youtube", url=URL)
    run = importer.run(run_id, youtube_quota=0)
    left = timedelta(seconds=quota.seconds_left(session))
    now = session.scalar(select(func.clock_timestamp()))
    assert now is not None
    assert timedelta(0) < left <= timedelta(hours=25)
    assert abs(run.next_at - now - left) < timedelta(seconds=30)
    local = session.scalar(select(func.timezone(quota.ZONE, run.next_at)))
    assert local is not None
    assert (local + timedelta(seconds=30)).hour == 0
    assert tube.units() == 0


def test_when_youtube_says_that_the_quota_is_spent_nobody_asks_again(
    importer: Importer, tube: Tube, session: Session
) -> None:
    tube.upload(1)
    tube.refusals["channels"] = [refusal(403, "quotaExceeded")]
    run = importer.go("youtube", url=URL)
    assert (run.status, run.code) == ("queued", "quota_exhausted")
    assert importer.go("youtube", url=video_id(1)).code == "quota_exhausted"
    assert tube.units() == 1
    assert spent(session) == importer.settings.youtube_quota


@pytest.mark.parametrize(
    ("url", "answer", "status", "code"),
    [
        (URL, refusal(403, "rateLimitExceeded"), "queued", "rate_limited"),
        (URL, refusal(403, "accessNotConfigured"), "failed", "bad_api_key"),
        (URL, refusal(400, "badRequest", details="API_KEY_INVALID"), "failed", "bad_api_key"),
        (URL, (500, {}, b"<html>"), "queued", "server_error"),
        (URL, (200, {}, b"<html>"), "queued", "broken_response"),
        (URL, (200, {}, b"[1]"), "queued", "broken_response"),
        (URL, (200, {}, b'{"items": "no list"}'), "failed", "not_found"),
        (URL, (403, {}, b"x" * 100_000), "failed", "refused"),
        ("@nobody.here", None, "failed", "not_found"),
        ("PLnobodyknowsthislist", None, "failed", "not_found"),
    ],
)
def test_every_refusal_has_a_clear_outcome_and_writes_nothing(
    url: str, answer: Any, status: str, code: str, importer: Importer, tube: Tube
) -> None:
    tube.upload(1)
    if answer is not None:
        tube.refusals["channels"] = [answer]
    run = importer.go("youtube", url=url)
    assert (run.status, run.code) == (status, code)
    assert KEY not in (run.detail or "")
    assert importer.programs() == []


def test_without_a_key_nobody_is_asked(importer: Importer, tube: Tube) -> None:
    run = importer.run(importer.start("youtube", url=URL), youtube_key=SecretStr(""))
    assert (run.status, run.code) == ("failed", "no_api_key")
    assert tube.calls == []


def test_the_key_does_not_follow_a_redirect_elsewhere(importer: Importer, tube: Tube) -> None:
    with site() as other:
        other.pages["/take"] = (200, {}, b"{}")
        tube.refusals["channels"] = [(302, {"Location": other.url("/take")}, b"")]
        both = f"{importer.settings.trusted},{other.trusted}"
        assert importer.run(importer.start("youtube", url=URL), trusted=both).code == "not_found"
        ((path, headers),) = other.asked
        assert path == "/take"
        assert "x-goog-api-key" not in headers


def test_a_channel_without_videos_is_no_failure(importer: Importer, tube: Tube) -> None:
    run = importer.go("youtube", url="@Thmanyah")
    assert (run.status, run.total, counts(run)) == ("succeeded", 0, {})


@pytest.mark.slow
def test_a_refresh_reads_as_far_as_there_is_something_new(
    importer: Importer, tube: Tube, session: Session
) -> None:
    for n in range(120):
        tube.upload(n)
    source = sources.create(session, "youtube", "https://youtube.com/@thmanyah/videos", Options(), EDITOR)
    assert source.url == "https://www.youtube.com/@thmanyah"
    session.commit()

    def refresh() -> tuple[ImportRun, int]:
        session.execute(text("UPDATE import_sources SET next_at = clock_timestamp()"))
        (run_id,) = refreshing.start_due(session, SYSTEM)
        session.commit()
        before = tube.units()
        run = importer.run(run_id)
        return run, tube.units() - before

    run, units = refresh()
    assert (counts(run), units) == ({"created": 120}, 7)
    assert sources.get(session, source.id).title == "ثمانية"
    run, units = refresh()
    assert (counts(run), units) == ({"unchanged": 50}, 3)
    # More than a page at once: none is left out.
    for n in range(70):
        tube.upload(1000 + n, snippet={"publishedAt": f"2999-01-01T00:{n // 60:02}:{n % 60:02}Z"})
    run, units = refresh()
    assert (counts(run), units) == ({"created": 70, "unchanged": 30}, 5)


def test_documents_are_kept_page_by_page(importer: Importer, tube: Tube, session: Session) -> None:
    for n in range(60):
        tube.upload(n)
    run = importer.go("youtube", url=URL)
    numbers = session.scalars(
        select(ImportDocument.document)
        .where(ImportDocument.run_id == run.id)
        .order_by(ImportDocument.document)
    )
    assert list(numbers) == [0, 1, 2]
    asked = tube.units()
    with importer.database.begin() as connection:
        connection.execute(text("UPDATE import_runs SET status = 'queued', fetched = false"))
    assert Runner(importer.database, importer.settings).run(run.id) == "succeeded"
    assert tube.units() == asked
