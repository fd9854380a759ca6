"""The first bytes of a file tell its type where nothing else does, when the editor asks for it."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from indexer.importing.running import probing
from tests.support.importing import Importer, counts, rss
from tests.support.sites import Site, site

MP3 = b"ID3\x04\0\0\0\0\0\x23TSSE" + b"\0" * 5000
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 5000
PDF = b"%PDF-1.7\n%" + b"\0" * 5000


@pytest.fixture
def stranger(importer: Importer) -> Iterator[Site]:
    with site() as found:
        importer.settings = importer.settings.model_copy(update={"trusted": found.trusted})
        yield found


def feed(stranger: Site, *names: str, title: str = "t", port: int | None = None) -> bytes:
    where = stranger.url("/") if port is None else f"http://127.0.0.1:{port}/"
    return rss(
        *(
            f"<item><guid>{name}</guid><title>{title} {name}</title><enclosure url='{where}{name}' length='1'/></item>"
            for name in names
        )
    )


def types(importer: Importer) -> dict[str, str]:
    return {str(p.external_id).partition(":")[2]: p.media_type for p in importer.programs()}


def probes(session: Session) -> dict[str, float]:
    session.rollback()
    rows = session.execute(text("SELECT name, total FROM import_totals WHERE name LIKE 'probe%'"))
    return {row.name.removeprefix("probe_"): row.total for row in rows}


def test_the_first_bytes_tell_the_type_when_asked(
    importer: Importer, session: Session, stranger: Site
) -> None:
    stranger.pages |= {
        "/sound": (206, {}, MP3[:4096]),
        "/film": (200, {}, MP4),
        "/paper": (200, {}, PDF),
        "/odd": (200, {}, b"nothing that anybody knows"),
    }
    body = feed(stranger, "sound", "film", "paper", "odd", "gone")
    run = importer.go("feed", body, namespace="n", detect_media=True)
    assert counts(run) == {"created": 4, "skipped": 1}
    assert types(importer) == {"sound": "audio", "film": "video", "odd": "audio", "gone": "audio"}
    skipped = importer.items(run.id)[2]
    assert (skipped.code, skipped.detail) == ("no_media", "Its file is application/pdf.")
    assert {headers["range"] for _, headers in stranger.asked} == {"bytes=0-4095"}
    assert probes(session) == {"found": 3, "unknown": 1, "failed": 1}


@pytest.mark.slow
def test_nobody_is_asked_without_the_option_or_a_doubt(importer: Importer, stranger: Site) -> None:
    importer.go("feed", feed(stranger, "film"), namespace="n")
    typed = feed(stranger, "film").replace(b"length='1'", b"type='video/mp4'")
    importer.go("feed", typed, namespace="m", detect_media=True)
    importer.go("feed", feed(stranger, "a.mp3", "b.mp4"), namespace="o", detect_media=True)
    importer.go("feed", feed(stranger, "film"), namespace="p", detect_media=True, media_type="video")
    assert stranger.asked == []


@pytest.mark.slow
def test_an_unchanged_item_is_not_asked_about_again(importer: Importer, stranger: Site) -> None:
    stranger.pages["/film"] = (200, {}, MP4)
    for _ in range(2):
        importer.go("feed", feed(stranger, "film"), namespace="n", detect_media=True)
    assert stranger.paths() == ["/film"]


@pytest.mark.slow
def test_a_server_that_fails_later_does_not_change_what_was_found(importer: Importer, stranger: Site) -> None:
    stranger.pages["/film"] = (200, {}, MP4)
    importer.go("feed", feed(stranger, "film"), namespace="n", detect_media=True)
    stranger.pages["/film"] = (500, {}, b"")
    run = importer.go("feed", feed(stranger, "film", title="new"), namespace="n", detect_media=True)
    assert "mediaType" not in importer.items(run.id)[0].diff
    assert types(importer) == {"film": "video"}


def test_servers_that_fail_are_not_asked_for_ever(
    importer: Importer, session: Session, stranger: Site
) -> None:
    body = feed(stranger, *(f"x{n}" for n in range(9)))
    assert counts(importer.go("feed", body, namespace="n", detect_media=True)) == {"created": 9}
    assert len(stranger.asked) == probing.MAX_FAILURES
    assert probes(session) == {"failed": probing.MAX_FAILURES}


def test_a_run_asks_about_a_limited_number_of_files(importer: Importer, stranger: Site) -> None:
    stranger.pages |= {f"/x{n}": (200, {}, MP4) for n in range(3)}
    body = feed(stranger, "x0", "x1", "x2")
    importer.run(importer.start("feed", body, namespace="n", detect_media=True), max_probes=2)
    assert types(importer) == {"x0": "video", "x1": "video", "x2": "audio"}


def test_private_addresses_are_not_asked(importer: Importer, stranger: Site, session: Session) -> None:
    with site() as private:
        private.pages["/film"] = (200, {}, MP4)
        body = feed(stranger, "film", port=private.port)
        assert counts(importer.go("feed", body, namespace="n", detect_media=True)) == {"created": 1}
        assert private.asked == []
    assert probes(session) == {"failed": 1}


def test_a_slow_server_costs_its_share_of_time(importer: Importer, stranger: Site) -> None:
    def slow(*_: Any) -> Any:
        return 200, {"Content-Length": "5000"}, b"\0"

    stranger.pages["/film"] = slow
    run_id = importer.start("feed", feed(stranger, "film"), namespace="n", detect_media=True)
    assert counts(importer.run(run_id, probe_timeout=0.2)) == {"created": 1}


def test_a_file_of_records_may_ask_too(importer: Importer, stranger: Site) -> None:
    stranger.pages["/film"] = (200, {}, MP4)
    body = f"externalId,title,language,mediaUrl\n1,A,en,{stranger.url('/film')}\n".encode()
    assert counts(importer.go("csv", body)) == {"failed": 1}
    assert counts(importer.go("csv", body, detect_media=True)) == {"created": 1}
    assert [p.media_type for p in importer.programs()] == ["video"]
