"""The editor of a program, without a browser's scripts: the form, who may use it, and that nothing is lost."""

import pytest

from api.web.rendering.locales import texts
from api.web.studio.editor.deciding.steps import STEPS
from api.web.studio.editor.writing.form import NAMES
from tests.support.editorial import created
from tests.support.filled import submit
from tests.support.pages import Page, read, text_of
from tests.support.shared import SharedApi
from tests.support.staff import send, signed_in_at_pages, token_of, visitor
from tests.support.studio import at, save, the_form

NEW = "/studio/programs/new"


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_page_is_valid_html_in_its_language(language: str, shared: SharedApi) -> None:
    person = shared.staff["admin"]
    program = created(
        person, title="<b>Every</b> field", tags=["one", "two, three"], people=[{"name": "Amal"}]
    )
    person.post(f"/catalog/programs/{program['id']}/publish", **{"If-Match": '"1"'})
    person.patch(f"/catalog/programs/{program['id']}/pending", {"title": "Waits", "tags": []})
    browser = signed_in_at_pages(shared.listener, "admin")
    browser.get(f"/language/{language}")
    pages = [NEW, at(program["id"]), *(f"{at(program['id'])}?done={name}" for name in STEPS)]
    pages += [
        f"{at(program['id'])}/do/{name}" for name in ("unpublish", "archive", "delete", "pending_publish")
    ]
    for path in pages:
        page = read(browser, path)
        assert (page.status, page.root.get("lang")) == (200, language), path
        ids = [element.get("id") for element in page.root.iter() if element.get("id")]
        assert len(ids) == len(set(ids)), path
        assert not [
            e for e in page.root.iter() if e.get("style") or any(n.startswith("on") for n in e.attrib)
        ]
        assert len(page.all("h1")) == 1, path
        assert page.headers["cache-control"] == "no-store"


def test_every_field_and_step_has_words() -> None:
    known = texts("ar").keys()
    for name in NAMES:
        assert f"editor_field.{name}" in known
    for step in STEPS.values():
        assert f"editor_step.{step.name}" in known
        assert f"editor_effect.{step.name}" in known
        assert f"editor_done.{step.name}" in known or step.name == "delete"


@pytest.mark.parametrize("path", [NEW, "/studio/programs/1", "/studio/programs/1/do/publish"])
def test_the_editor_is_for_people_who_may_edit(path: str, shared: SharedApi) -> None:
    answer = visitor(shared.listener).get(path)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    ops = signed_in_at_pages(shared.listener, "ops")
    assert ops.get(path).status_code == 403
    assert send(ops, path, token=token_of(read(ops, "/sign-in"))).status_code in (403, 405)


def test_a_form_of_another_session_changes_nothing(shared: SharedApi) -> None:
    program = created(shared.staff["editor"], title="Safe")
    editor, other = (signed_in_at_pages(shared.listener, role) for role in ("editor", "reviewer"))
    form = the_form(read(editor, at(program["id"])))
    for token in ("", token_of(read(other, "/sign-in")), "x" * 64):
        sent = form | {"title": "Stolen", "token": token}
        assert send(editor, at(program["id"]), **sent).status_code == 403
        assert send(editor, f"{at(program['id'])}/do/submit", seen="1", token=token).status_code == 403
    answer = editor.ask(
        "POST", at(program["id"]), data=form | {"title": "Stolen"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    found = shared.staff["editor"].get(f"/catalog/programs/{program['id']}").json()["data"]
    assert (found["title"], found["rev"], found["status"]) == ("Safe", 1, "draft")


FILLED = {
    "title": "قهوة الصباح",
    "description": "سطر\r\nوسطر ثانٍ",
    "language": "ar",
    "kind": "documentary",
    "mediaType": "video",
    "series": "ليالي المدينة",
    "series.new": "on",
    "season": "٢",
    "episode": "13",
    "tags": 'قهوة، صباح, "نعم, ولا"',
    "person.0": "سلمى",
    "role.0": "host",
    "person.1": "عمر, الثاني",
    "role.1": "guest",
    "durationSec": "1:02:03",
    "mediaUrl": " https://media.example.com/a.mp4 ",
    "thumbnailUrl": "https://media.example.com/a.jpg",
    "releaseDate": "2024-01-23T10:30",
    "expireAt": "2100-01-01T00:00",
    "zone": "Asia/Riyadh",
    "slug": "صباح",
    "isFeatured": "on",
    "isExplicit": "on",
}


def test_a_program_with_every_field_is_written_without_scripts(shared: SharedApi) -> None:
    editor, api = signed_in_at_pages(shared.listener, "editor"), shared.staff["editor"]
    place = save(editor, NEW, **FILLED)
    assert isinstance(place, str), place.texts("p", class_="fault")
    assert place.endswith("?done=created")
    program_id = place.rpartition("/")[2].partition("?")[0]
    found = api.get(f"/catalog/programs/{program_id}").json()["data"]
    assert {name: found[name] for name in ("title", "description", "kind", "mediaType", "slug")} == {
        "title": "قهوة الصباح",
        "description": "سطر\nوسطر ثانٍ",
        "kind": "documentary",
        "mediaType": "video",
        "slug": "صباح",
    }
    assert found["series"]["title"] == "ليالي المدينة"
    assert (found["season"], found["episode"], found["durationSec"]) == (2, 13, 3723)
    assert found["tags"] == ["قهوة", "صباح", "نعم, ولا"]
    assert found["people"] == [{"name": "سلمى", "role": "host"}, {"name": "عمر, الثاني", "role": "guest"}]
    assert (found["mediaUrl"], found["isFeatured"], found["isExplicit"]) == (
        "https://media.example.com/a.mp4",
        True,
        True,
    )
    assert (found["releaseDate"], found["expireAt"]) == ("2024-01-23T07:30:00Z", "2099-12-31T21:00:00Z")
    # Pressing the button again changes nothing, in another time zone either.
    assert save(editor, at(program_id)) == f"{at(program_id)}?done=saved"
    editor.session.cookies.set("zone", "America%2FSao_Paulo")
    page = read(editor, at(program_id))
    assert the_form(page)["releaseDate"] == "2024-01-23T04:30"
    assert save(editor, at(program_id)) == f"{at(program_id)}?done=saved"
    again = api.get(f"/catalog/programs/{program_id}").json()["data"]
    assert again == found
    assert save(
        editor, at(program_id), isFeatured=None, tags="", series="", **{"person.0": "", "lock.title": "on"}
    ) == (f"{at(program_id)}?done=saved")
    again = api.get(f"/catalog/programs/{program_id}").json()["data"]
    assert (again["isFeatured"], again["tags"], again["series"]) == (False, [], None)
    assert (again["people"], again["lockedFields"]) == ([{"name": "عمر, الثاني", "role": "guest"}], ["title"])


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        ("title", "  ", "required"),
        ("title", "a" * 301, "too_long"),
        ("language", "arabic", "language_invalid"),
        ("durationSec", "90 min", "durationSec_invalid"),
        ("durationSec", "1:99", "durationSec_invalid"),
        ("durationSec", "9999:00:00", "out_of_range"),
        ("season", "two", "season_invalid"),
        ("season", "-1", "season_invalid"),
        ("episode", "9" * 12, "out_of_range"),
        ("releaseDate", "yesterday", "releaseDate_invalid"),
        ("expireAt", "0001-01-01T00:00", "expireAt_invalid"),
        ("expireAt", "9999-12-31T10:00", "out_of_range"),
        ("mediaUrl", "ftp://x", "mediaUrl_invalid"),
        ("thumbnailUrl", "javascript:alert(1)", "thumbnailUrl_invalid"),
        ("slug", "!!!", "slug_invalid"),
        ("slug", "taken-address", "slug_conflict"),
        ("tags", "good, !!!", "tags_invalid"),
        ("zone", "Mars/Olympus", "zone_zone"),
        ("categoryId", "999999", "not_found"),
        ("kind", "opera", "invalid"),
        ("series", "No such series", "seriesId_unknown"),
        ("series", "#999999", "seriesId_not_found"),
    ],
)
def test_an_error_is_named_beside_its_field_and_what_was_typed_stays(
    field: str, typed: str, code: str, shared: SharedApi
) -> None:
    person = shared.staff["editor"]
    if code == "slug_conflict":
        created(person, slug="taken-address")
    program = created(person, title="Right")
    editor = signed_in_at_pages(shared.listener, "editor")
    named = "seriesId" if field == "series" else field
    for path in (NEW, at(program["id"])):
        page = save(editor, path, **{"title": "Typed", "description": "kept", field: typed})
        assert isinstance(page, Page), (path, page)
        assert page.status == 422
        (fault,) = page.all("p", **{"data-fault": named})
        assert (text_of(fault), fault.get("hidden")) == (texts("en")[f"editor_fault.{code}"], None)
        if field not in ("kind", "categoryId"):
            assert the_form(page)[field] == typed
        assert the_form(page)["description"].strip() == "kept"
        assert page.texts("p", role="alert") == [texts("en")["editor.refused_fields"]]
    found = person.get(f"/catalog/programs/{program['id']}").json()["data"]
    assert (found["title"], found["rev"]) == ("Right", 1)


def test_what_cannot_be_a_form_is_refused(shared: SharedApi) -> None:
    program = created(shared.staff["editor"])
    editor = signed_in_at_pages(shared.listener, "editor")
    form = the_form(read(editor, at(program["id"])))
    for wrong in ({"base": "no json"}, {"base": '{"title": 5}'}, {"base": '{"x": 1}'}, {"title": "a\x00b"}):
        assert send(editor, at(program["id"]), **form | wrong).status_code == 400, wrong
    for seen in ("", "x", "p"):
        page = send(editor, at(program["id"]), **form | {"seen": seen, "title": "New"})
        assert page.status_code == 422
    for path in ("999999", "0", "99999999999999999999", "x"):
        assert editor.get(at(path)).status_code in (400, 404), path
    assert editor.get(f"{at(program['id'])}/do/explode").status_code == 404


def test_a_form_that_is_sent_twice_makes_one_program(shared: SharedApi) -> None:
    editor = signed_in_at_pages(shared.listener, "editor")
    page = read(editor, NEW)
    form = page.one("form", id="program")
    first, second = (submit(editor, page, form, title="Once") for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    other = submit(editor, page, form, title="Another")
    assert other.status_code == 422
    refused = Page(other)
    assert refused.texts("p", role="alert") == [texts("en")["editor.refused_idempotency_key_reused"]]
    again = submit(editor, refused, refused.one("form", id="program"))
    assert again.headers["location"] not in ("", first.headers["location"])


def test_names_are_offered_while_somebody_types(shared: SharedApi) -> None:
    person = shared.staff["editor"]
    created(person, tags=["Lighthouse", "Light"], people=[{"name": "Lamya"}])
    person.post("/catalog/series", {"title": "Lights at night", "language": "en"})
    editor = signed_in_at_pages(shared.listener, "editor")

    def offers(kind: str, q: str) -> list[str]:
        answer = editor.get(f"/studio/programs/pick/{kind}", q=q)
        assert answer.headers["cache-control"] == "no-store"
        return [row["name"] for row in answer.json()]

    assert offers("tags", "light") == ["Light", "Lighthouse"]
    assert offers("people", "lam") == ["Lamya"]
    assert offers("series", "lights at") == ["Lights at night"]
    assert offers("tags", " ") == offers("tags", "x" * 500) == []
    assert editor.get("/studio/programs/pick/secrets", q="a").status_code == 404
    assert (
        signed_in_at_pages(shared.listener, "ops").get("/studio/programs/pick/tags", q="l").status_code == 403
    )
