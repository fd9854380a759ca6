"""What a script saves of a form while somebody writes: nothing of anybody is written over, nothing is made by the way."""

import json
from dataclasses import dataclass, field

import pytest

from tests.support.client import Client
from tests.support.editorial import created
from tests.support.filled import fields, submit
from tests.support.pages import Page, read
from tests.support.shared import SharedApi
from tests.support.staff import send, signed_in_at_pages
from tests.support.studio import at, save, says, the_form

SCRIPT = {"Accept": "application/json"}


@dataclass
class Writer:
    """Somebody whose script saves the form of a program, as it stands on the page."""

    browser: Client
    path: str
    form: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open the page."""
        self.form = the_form(read(self.browser, self.path))

    def tell(self, **typed: str) -> tuple[int, dict[str, object]]:
        """Type, and send the form; take over what the answer says, as the script does."""
        self.form |= typed
        answer = self.browser.ask("POST", self.path, data=self.form, headers=SCRIPT)
        kept = answer.json()
        if answer.status_code == 200:
            self.form |= {"seen": kept["seen"], "base": json.dumps(kept["base"])}
            for texts in kept["taken"].values():
                self.form |= texts
        return answer.status_code, kept


def writer(shared: SharedApi, program_id: object, role: str = "editor") -> Writer:
    return Writer(signed_in_at_pages(shared.listener, role), at(program_id))


def program_of(shared: SharedApi, program_id: object) -> dict[str, object]:
    found: dict[str, object] = shared.staff["editor"].get(f"/catalog/programs/{program_id}").json()["data"]
    return found


def series_named(shared: SharedApi, title: str) -> list[str]:
    rows = shared.staff["editor"].get("/catalog/series", q=title, limit="100").json()["data"]
    return [row["title"] for row in rows]


@pytest.mark.parametrize("typed", [{"durationSec": "x"}, {"slug": "!!!"}, {"title": " "}])
def test_a_form_that_changes_nothing_does_not_take_over_what_somebody_else_wrote(
    typed: dict[str, str], shared: SharedApi
) -> None:
    program_id = created(shared.staff["editor"], title="Was", description="Was")["id"]
    first = writer(shared, program_id)
    save(signed_in_at_pages(shared.listener, "reviewer"), at(program_id), description="Theirs")
    # What is wrong is left out, so that nothing is left to be sent.
    status, kept = first.tell(**typed)
    assert (status, kept["code"], kept["seen"]) == (412, "stale_revision", "")
    status, kept = first.tell(title="Mine", slug="", durationSec="")
    assert (status, program_of(shared, program_id)["description"]) == (412, "Theirs")


def test_a_form_that_changes_nothing_is_taken_when_nobody_wrote(shared: SharedApi) -> None:
    program_id = created(shared.staff["editor"])["id"]
    first = writer(shared, program_id)
    assert first.tell()[0] == 200
    status, kept = first.tell(durationSec="x")
    assert (status, list(kept["faults"])) == (200, ["durationSec"])  # type: ignore[call-overload]  # a dictionary


def live(shared: SharedApi, **values: str) -> object:
    program_id = created(shared.staff["reviewer"], **values)["id"]
    assert shared.staff["reviewer"].post(f"/catalog/programs/{program_id}/publish").status_code == 200
    return program_id


def test_a_live_version_that_changes_under_a_draft_is_taken_over_into_what_nobody_touched(
    shared: SharedApi,
) -> None:
    program_id = live(shared, title="Live", description="Live")
    first = writer(shared, program_id)
    assert first.tell(title="Waits")[0] == 200
    shared.staff["reviewer"].patch(f"/catalog/programs/{program_id}", {"description": "Live again"})
    status, kept = first.tell(title="Waits longer")
    assert (status, kept["taken"]) == (200, {"description": {"description": "Live again"}})
    assert first.tell(title="Waits longest")[0] == 200
    found = shared.staff["editor"].get(f"/catalog/programs/{program_id}/pending").json()["data"]
    assert found["changes"] == {"title": "Waits longest"}


def test_a_live_version_that_changes_in_what_somebody_writes_is_compared(shared: SharedApi) -> None:
    program_id = live(shared, title="Live", description="Live")
    first = writer(shared, program_id)
    assert first.tell(title="Waits")[0] == 200
    shared.staff["reviewer"].patch(f"/catalog/programs/{program_id}", {"description": "Live again"})
    assert first.tell(description="Mine")[0] == 412
    # Without a script both are shown.
    answer = Page(send(first.browser, first.path, **first.form))
    assert answer.status == 412
    form = answer.one("form", id="merge")
    assert set(answer.texts("legend")) == {says("editor_field.description")}
    # A third one meanwhile leads to the choice again.
    shared.staff["reviewer"].patch(f"/catalog/programs/{program_id}", {"description": "Live once more"})
    again = Page(submit(first.browser, answer, form, **{"choose.description": "mine"}))
    assert again.status == 412
    assert json.loads(fields(again, again.one("form", id="merge"))["base"])["description"] == "Live once more"


def test_a_series_is_created_when_it_is_asked_for_and_all_else_is_right(shared: SharedApi) -> None:
    program_id = created(shared.staff["editor"])["id"]
    first = writer(shared, program_id)
    for title in ("Half a", "Half a title of series"):
        status, kept = first.tell(**{"series": title, "series.new": "on"})
        assert (status, kept["faults"]) == (200, {"seriesId": says("editor_fault.seriesId_waits")})
    status, kept = first.tell(asked="on", durationSec="x")
    assert isinstance(kept["faults"], dict)
    assert set(kept["faults"]) == {"durationSec", "seriesId"}
    save(signed_in_at_pages(shared.listener, "reviewer"), at(program_id), title="Theirs")
    assert first.tell(asked="on", durationSec="1:00")[0] == 412
    assert series_named(shared, "half a") == []
    second = writer(shared, program_id)
    status, kept = second.tell(**{"series": "Half a title of series", "series.new": "on", "asked": "on"})
    assert (status, kept["faults"], kept["series"]) == (200, {}, "Half a title of series")
    assert series_named(shared, "half a") == ["Half a title of series"]


def test_a_new_program_that_is_refused_leaves_no_series(shared: SharedApi) -> None:
    created(shared.staff["editor"], slug="taken-by-another")
    first = writer(shared, "new")
    typed = {"title": "New", "slug": "taken-by-another", "series": "Series left over", "series.new": "on"}
    assert first.tell(asked="on", **typed)[0] in (409, 422)
    assert series_named(shared, "series left") == []


def test_a_series_is_found_by_its_title_whatever_its_address_says(shared: SharedApi) -> None:
    api = shared.staff["editor"]
    made = api.post("/catalog/series", {"title": "حكايات المدينة", "language": "ar", "slug": "harbour-tales"})
    first = writer(shared, created(api)["id"])
    status, kept = first.tell(series="حكايات المدينه")
    assert (status, kept["faults"]) == (200, {})
    assert isinstance(kept["base"], dict)
    assert kept["base"]["seriesId"] == made.json()["data"]["id"]


def test_a_script_gets_every_refusal_as_json(shared: SharedApi) -> None:
    program_id = created(shared.staff["editor"])["id"]
    first = writer(shared, program_id)
    begun = dict(first.form)
    for wrong, status, code in (
        ({"title": "a\x0bb"}, 400, "bad_request"),
        ({"base": "x"}, 400, "bad_request"),
        ({"token": "x"}, 403, "forbidden"),
        ({"title": "New", "seen": ""}, 428, "revision_required"),
    ):
        found, kept = first.tell(**wrong)
        assert (found, kept["code"]) == (status, code)
        first.form = dict(begun)
    first.browser.session.cookies.clear()
    status, kept = first.tell(title="New")
    assert (status, kept["code"]) == (401, "unauthenticated")


def test_a_refusal_without_a_wrong_field_says_why(shared: SharedApi) -> None:
    program_id = created(shared.staff["editor"])["id"]
    editor = signed_in_at_pages(shared.listener, "editor")
    answer = Page(
        send(editor, at(program_id), **the_form(read(editor, at(program_id))) | {"title": "New", "seen": ""})
    )
    assert answer.texts("p", role="alert") == [says("editor.refused_revision_required")]
