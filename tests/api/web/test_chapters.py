"""Chapters and transcripts of a program: on its page and in our feeds."""

from sqlalchemy import Engine as Database

from catalog.core.db import session_factory
from tests.support.beside import give
from tests.support.client import Client
from tests.support.importing import read_feed
from tests.support.pages import read, text_of
from tests.support.programs import make
from tests.support.waiting import eventually

MEDIA = "https://m.example/a.mp3"
CHAPTERS = {"url": "https://cdn.example/c.json", "type": "application/json+chapters"}
VTT = {"url": "https://cdn.example/t.vtt", "type": "text/vtt", "language": "ar"}
PLAIN = {"url": "https://cdn.example/t.txt", "type": "text/plain", "language": ""}
SCRIPT = {"url": "javascript:alert(1)", "type": "text/vtt", "language": "ar"}


def test_a_page_has_the_chapters_and_transcripts_of_its_program(
    listener: Client, catalogue: dict[str, int], database: Database
) -> None:
    with session_factory(database).begin() as session:
        tape = make(session, "published", title="A tape", media_url=MEDIA)
        give(
            session,
            tape.id,
            (0, "المقدمة"),
            (3725, "<b>"),
            chapters=CHAPTERS,
            transcripts=[VTT, SCRIPT, PLAIN],
        )
        give(session, make(session, "published", title="No file").id, (0, "Alone"))
        hidden = make(session, "draft", title="A draft", media_url=MEDIA)
        give(session, hidden.id, (0, "Hidden"))
    page = read(listener, "/ar/programs/a-tape")
    shown = page.one("section", class_="chapters")
    assert text_of(shown) == "الفصول ٠:٠٠ المقدمة ١:٠٢:٠٥ <b>"
    links = page.within(shown, "a")
    assert [link.get("href") for link in links] == [f"{MEDIA}#t=0", f"{MEDIA}#t=3725"]
    page = read(listener, "/en/programs/a-tape")
    assert text_of(page.one("section", class_="chapters")) == "Chapters 0:00 المقدمة 1:02:05 <b>"
    files = page.within(page.one("dl", class_="credits"), "li")
    assert [text_of(file) for file in files] == ["Arabic WebVTT", "Text"]
    assert [page.within(file, "a")[0].get("href") for file in files] == [VTT["url"], PLAIN["url"]]
    assert {page.within(file, "a")[0].get("rel") for file in files} == {"noopener nofollow"}
    assert "alert" not in listener.get("/en/programs/a-tape").text
    page = read(listener, "/en/programs/no-file")
    assert text_of(page.one("section", class_="chapters")) == "Chapters 0:00 Alone"
    assert page.within(page.one("section", class_="chapters"), "a") == []
    assert read(listener, "/en/programs/the-coffee-film").all("section", class_="chapters") == []
    assert listener.get(f"/en/programs/{hidden.slug}").status_code == 404


def test_our_own_import_reads_them_back_from_a_feed(
    listener: Client, catalogue: dict[str, int], database: Database
) -> None:
    with session_factory(database).begin() as session:
        tape = make(session, "published", title="A tape", media_url=MEDIA, series_id=catalogue["series"])
        give(session, tape.id, (0, "Intro"), chapters=CHAPTERS, transcripts=[VTT, SCRIPT, PLAIN])
    path = "/en/series/coffee-talks/feed.xml"
    eventually(lambda: "A tape" in listener.get(path).text)
    rows = {row.title: row.extra for row in read_feed(listener.get(path).content)}
    assert (rows["A tape"]["chapters"], rows["A tape"]["transcripts"]) == (CHAPTERS, [VTT, PLAIN])
    assert [title for title, extra in rows.items() if "transcripts" in extra] == ["A tape"]
