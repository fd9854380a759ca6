"""CSV, JSON, JSON Lines and OPML."""

import csv
import json
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.imports import leases
from catalog.imports.models import ImportedProgram, ImportRun, ImportSource
from catalog.taxonomy.models import Series
from tests.support.importing import Importer, case, counts, footprint
from tests.support.paths import SHARED
from tests.support.sites import site

ROWS = [
    {
        "externalId": "1",
        "title": "قهوة الصباح",
        "language": "ar",
        "durationSec": "1:00:00",
        "mediaUrl": "https://cdn.example/1.mp3",
        "tags": "قهوة، صباح",
        "hosts": "سلمان; نورة",
        "series": "مقاهي",
        "releaseDate": "2026-01-02",
        "isExplicit": "no",
    },
    {
        "externalId": "2",
        "title": 'Evening, "tea"',
        "language": "en",
        "durationSec": "90",
        "mediaUrl": "https://cdn.example/2.mp4",
        "tags": "",
        "hosts": "",
        "series": "",
        "releaseDate": "",
        "isExplicit": "",
    },
]


def table(rows: list[dict[str, Any]], delimiter: str = ",", end: str = "\r\n") -> str:
    def cell(value: str) -> str:
        return '"' + value.replace('"', '""') + '"'

    lines = [delimiter.join(rows[0])] + [delimiter.join(cell(v) for v in r.values()) for r in rows]
    return end.join(lines)


def check(importer: Importer, session: Session) -> None:
    first, second = importer.programs()
    assert (first.title, first.language, first.duration_sec, first.media_type, first.kind) == (
        "قهوة الصباح",
        "ar",
        3600,
        "audio",
        "episode",
    )
    assert (second.title, second.media_type, second.duration_sec) == ('Evening, "tea"', "video", 90)
    assert session.scalars(select(Series.title)).all() == ["مقاهي"]
    assert second.series_id is None
    values = session.get_one(ImportedProgram, first.id).values
    assert values["tags"] == ["قهوة", "صباح"]
    assert values["people"] == [["host", "سلمان"], ["host", "نورة"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv(delimiter: str, encoding: str, importer: Importer, session: Session) -> None:
    run = importer.go("csv", table(ROWS, delimiter).encode(encoding))
    assert counts(run) == {"created": 2}, importer.items(run.id)[0].errors
    check(importer, session)


@pytest.mark.slow
def test_the_same_rows_in_any_format_are_the_same_programs(importer: Importer, session: Session) -> None:
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)
    assert counts(importer.go("jsonl", lines.encode())) == {"created": 2}
    check(importer, session)
    before = footprint(session)
    session.rollback()
    listed = json.dumps(ROWS, ensure_ascii=False).encode()
    wrapped = json.dumps({"meta": {"n": [1]}, "items": ROWS}).encode()
    for kind, body in (("csv", table(ROWS).encode()), ("json", listed), ("json", wrapped)):
        assert counts(importer.go(kind, body)) == {"unchanged": 2}
    assert footprint(session) == before


def test_windows_1256_is_recognised(importer: Importer) -> None:
    text = "externalId;title;language;mediaType\n" + "\n".join(
        f"{n};حلقة عن القهوة العربية وتاريخها الطويل في الجزيرة {n};ar;audio" for n in range(40)
    )
    importer.go("csv", text.encode("windows-1256"))
    assert importer.programs()[0].title == "حلقة عن القهوة العربية وتاريخها الطويل في الجزيرة 0"
    assert importer.go("csv", text.encode("windows-1256"), encoding="windows-1256").unchanged == 40


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "windows-1256"])
@pytest.mark.parametrize("kind", ["json", "jsonl", "opml"])
def test_other_files_in_other_encodings(kind: str, encoding: str, importer: Importer) -> None:
    record = json.dumps(
        {"externalId": 1, "title": "القهوة العربية", "language": "ar", "mediaType": "audio"},
        ensure_ascii=False,
    )
    body = {
        "json": f"[{record}]",
        "jsonl": f"{record}\n",
        "opml": '<?xml version="1.0"?><opml><body><outline text="القهوة العربية" xmlUrl="https://a.example/f?a=1&b=2"/></body></opml>',
    }[kind]
    run = importer.go(kind, body.encode(encoding), dry_run=kind == "opml")
    assert counts(run) == {"created": 1}, run.detail
    (item,) = importer.items(run.id)
    assert item.title == "القهوة العربية"
    if kind == "opml":
        assert item.external_id == "https://a.example/f?a=1&b=2"


@pytest.mark.parametrize(
    ("body", "titles"),
    [
        ("sep=;\nid;title\n1;a, b\n", ["a, b"]),
        ("\n\r\n  \nid,title\n1,a\n", ["a"]),
        ("id,title,title\n1,first,second\n", ["first"]),
        ('id,title\n1,"a\nb ""c"""\n2,d\n', ['a b "c"', "d"]),
        ("id,title\r1,a\r2,b\r", ["a", "b"]),
        ("id,title,,\n1,a,x,y\n", ["a"]),
        ('id;"a, b";title\n1;x;y\n', ["y"]),
    ],
)
def test_tables_as_spreadsheets_write_them(body: str, titles: list[str], importer: Importer) -> None:
    run = importer.go("csv", body.encode(), language="ar", media_type="audio")
    assert counts(run) == {"created": len(titles)}, importer.items(run.id)[0].errors
    assert [p.title for p in importer.programs()] == titles


def test_a_quote_that_is_never_closed_does_not_swallow_the_rest_in_silence(importer: Importer) -> None:
    body = b'id,title\n1,a\n2,"b\n3,c\n4,d\n'
    run = importer.go("csv", body, language="ar", media_type="audio")
    assert counts(run) == {"created": 1, "failed": 1}
    assert "never closed" in str(importer.items(run.id)[1].detail)


def test_columns_can_be_mapped_and_left_out(importer: Importer) -> None:
    body = b"No,Name,title,Laenge\n7,Real title,ignored,12:30\n"
    mapping = {"No": "externalId", "Name": "title", "title": "", "Laenge": "durationSec"}
    run = importer.go("csv", body, mapping=mapping, language="de", media_type="audio")
    assert counts(run) == {"created": 1}
    (program,) = importer.programs()
    assert (program.title, program.duration_sec, program.language) == ("Real title", 750, "de")


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("csv", b"", "not_a_table"),
        ("csv", b"a,b\n1,2\n", "unknown_columns"),
        ("csv", b"\x00\x01\x02", "unknown_columns"),
        ("csv", b"PK\x03\x04" + bytes(99), "not_a_table"),
        ("json", b"", "not_json"),
        ("json", b"[{]", "not_json"),
        ("json", b'{"a": 1}', "not_a_list"),
        ("json", b"<html>", "not_json"),
        ("json", b"[" * 100_000, "too_deep"),
        ("json", b'[{"a":' + b"[" * 500, "too_deep"),
        ("json", b'{"a": [[1]], "b": {"items": []}}', "not_a_list"),
        ("json", b'[{"title": "a', "not_json"),
        ("opml", b"", "empty_document"),
        ("opml", b"<rss/>", "not_opml"),
        ("opml", b"nonsense", "not_opml"),
        ("jsonl", b'{"title": "' + b"x" * 2_000_000 + b'"}', "too_large"),
    ],
)
def test_what_is_no_such_file_has_a_clear_outcome(
    kind: str, body: bytes, code: str, importer: Importer
) -> None:
    run = importer.go(kind, body)
    assert (run.status, run.code) == ("failed", code)
    assert importer.programs() == []


def test_lines_that_cannot_be_read_are_items_that_failed(importer: Importer) -> None:
    lines = b'{"externalId": 1, "title": "A", "language": "en", "mediaType": "audio"}\nnot json\n[1]\n\n{"externalId": {"x": 1}, "title": ["no"]}\n'
    run = importer.go("jsonl", lines)
    assert counts(run) == {"created": 1, "failed": 3}
    assert [i.position for i in importer.items(run.id) if i.outcome == "failed"] == [2, 3, 4]
    body = b'externalId,title,language,mediaType\n1,a,en,audio,extra\n2,"b\n'
    run = importer.go("csv", body)
    assert counts(run) == {"failed": 2}


def test_a_row_without_an_id_is_found_again_by_its_file(importer: Importer) -> None:
    body = b"title,language,url\nA,en,https://cdn.example/a.mp3\nB,en,\n"
    run = importer.go("csv", body, media_type="audio")
    assert counts(run) == {"created": 1, "failed": 1}
    assert importer.items(run.id)[1].errors[0]["field"] == "externalId"
    assert importer.go("csv", body, media_type="audio").unchanged == 1


def test_placeholders_are_empty_cells(importer: Importer) -> None:
    run = importer.go("csv", case("na-placeholders.csv"), language="en", media_type="audio")
    assert counts(run) == {"created": 5}, importer.items(run.id)[0].errors
    found = {(p.duration_sec, p.season, p.release_date, p.is_explicit) for p in importer.programs()}
    assert found == {(None, None, None, False)}
    body = "title,externalId,tags,duration\nN/A,1,لا يوجد,0\n".encode()
    importer.go("csv", body, language="en", media_type="audio")
    named = importer.programs()[-1]
    assert (named.title, named.duration_sec) == ("N/A", None)


def test_arabic_evenings_and_mornings(importer: Importer) -> None:
    run = importer.go("csv", case("arabic-evening.csv"), language="ar", media_type="audio")
    # The Hijri dates, and the one whose day and month are not clear, fail alone.
    assert [i.position for i in importer.items(run.id) if i.outcome == "failed"] == [1, 2, 3]
    dates = [str(p.release_date) for p in importer.programs()]
    assert dates == ["2022-01-01 00:00:00+00:00", "2022-03-12 22:00:00+00:00", "2022-03-12 09:30:00+00:00"]


def test_the_id_of_a_json_record_may_be_any_scalar(importer: Importer) -> None:
    ids = [1.0, "1.5", 2.5, True, "x", 7]
    body = [
        {"externalId": i, "title": f"T{n}", "language": "en", "mediaType": "audio"} for n, i in enumerate(ids)
    ]
    assert counts(importer.go("json", json.dumps(body).encode(), namespace="n")) == {"created": 6}
    assert [p.external_id for p in importer.programs()] == ["n:1", "n:1.5", "n:2.5", "n:true", "n:x", "n:7"]
    assert (
        importer.go("json", json.dumps([{**body[0], "externalId": 1}]).encode(), namespace="n").unchanged == 1
    )


@pytest.mark.parametrize(
    "body",
    [
        '<opml xmlns="http://opml.org/spec2"><body><outline text="F"><outline xmlUrl="https://a.example/f"/></outline></body></opml>',
        '<o:opml xmlns:o="http://opml.org/spec2"><o:body><o:outline type="rss" o:xmlUrl="https://a.example/f"/></o:body></o:opml>',
        '<opml><body><outline type="rss" url="https://a.example/f"/></body></opml>',
        '<OPML><BODY><OUTLINE text="F" XMLURL="https://a.example/f"/></BODY></OPML>',
    ],
)
def test_lists_of_feeds_of_every_make(body: str, importer: Importer) -> None:
    run = importer.go("opml", body.encode(), dry_run=True)
    assert [(i.outcome, i.external_id) for i in importer.items(run.id)] == [
        ("created", "https://a.example/f")
    ]


@pytest.mark.slow
def test_a_file_from_an_address(importer: Importer) -> None:
    with site() as stranger:
        stranger.pages["/a.csv"] = (200, {}, table(ROWS).encode())
        importer.settings = importer.settings.model_copy(update={"trusted": stranger.trusted})
        assert counts(importer.go("csv", url=stranger.url("/a.csv"))) == {"created": 2}


@pytest.mark.slow
def test_opml_remembers_every_feed_and_imports_it(importer: Importer, session: Session) -> None:
    body = b"""<opml version="2.0"><body><outline text="Folder">
      <outline type="rss" text="One" xmlUrl="https://one.example/feed"/><outline text="Two" xmlUrl="https://two.example/feed"/>
      <outline type="rss" text="Broken" xmlUrl="javascript:alert(1)"/><outline type="rss" text="None"/><outline type="link" url="https://x.example"/>
      <outline type="rss" text="One again" xmlUrl="https://one.example/feed"/></outline></body></opml>"""
    dry = importer.go("opml", body, dry_run=True)
    assert counts(dry) == {"created": 2, "skipped": 3}
    assert session.scalars(select(ImportSource.id)).all() == []
    session.rollback()
    run = importer.go("opml", body, policy="publish")
    assert counts(run) == {"created": 2, "skipped": 3}
    sources = session.scalars(select(ImportSource).order_by(ImportSource.id)).all()
    assert [(s.url, s.title, s.options) for s in sources] == [
        ("https://one.example/feed", "One", {"policy": "publish"}),
        ("https://two.example/feed", "Two", {"policy": "publish"}),
    ]
    children = session.scalars(select(ImportRun).where(ImportRun.parent_id == run.id)).all()
    assert {(c.source_id, c.status, c.kind) for c in children} == {(s.id, "queued", "feed") for s in sources}
    session.rollback()
    again = importer.go("opml", body, policy="publish")
    assert counts(again) == {"unchanged": 2, "skipped": 3}
    assert importer.items(again.id)[0].code == "going_on"
    assert leases.MAX_ATTEMPTS == 3


@pytest.mark.slow
@pytest.mark.shared
def test_real_lists_of_feeds(importer: Importer) -> None:
    files = sorted((SHARED / "data" / "feeds" / "opml").glob("*.opml"))
    assert len(files) > 15
    for path in files:
        run = importer.go("opml", path.read_bytes(), dry_run=True)
        assert run.status == "succeeded", (path.name, run.code, run.detail)
        found = path.read_text(errors="replace").lower().count("xmlurl=")
        assert run.created + run.skipped + run.unchanged >= found * 0.9, path.name


@pytest.mark.slow
@pytest.mark.shared
def test_real_catalogues(importer: Importer, session: Session) -> None:
    folder = SHARED / "data" / "catalogues"
    talks = (folder / "architmehta19__ted-talk__ted_main.csv").read_bytes()
    mapping = {"url": "externalId", "film_date": "releaseDate", "published_date": "", "event": "series"}
    expected = sum(1 for _ in csv.DictReader(talks.decode().splitlines(keepends=True)))
    run = importer.go("csv", talks, mapping=mapping, language="en", media_type="video", kind="episode")
    assert (run.status, run.total) == ("succeeded", expected)
    assert session.scalars(select(ImportedProgram.values)).first()["tags"][:2] == ["children", "creativity"]
    session.rollback()
    assert run.created > expected * 0.97, [i.detail for i in importer.items(run.id) if i.outcome == "failed"][
        :5
    ]
    movies = (folder / "GenedyMohamed__arabic-movies-analysis__data.csv").read_bytes()
    assert importer.go("csv", movies, dry_run=True, language="ar", media_type="video", kind="film").code in (
        None,
        "unknown_columns",
    )
    for path in sorted((folder / "podcasts").glob("*.json"))[:5]:
        run = importer.go("json", path.read_bytes(), language="en", namespace=path.stem[-30:])
        assert run.status == "succeeded" or run.code == "not_a_list", path.name
