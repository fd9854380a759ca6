"""The review inbox where more waits than a page shows, and what came back to whom."""

import pytest
from sqlalchemy import text

from api.http.query import MAX_LIMIT
from catalog.core.actor import Actor
from catalog.core.db import session_factory
from catalog.programs import editing, lifecycle, pending
from catalog.review import comments
from catalog.review import pending as review
from catalog.taxonomy import categories, series
from catalog.taxonomy.pending import CATEGORIES, SERIES
from tests.support.pages import Page, read, text_of
from tests.support.programs import EDITOR, VALUES, make
from tests.support.shared import SharedApi
from tests.support.staff import signed_in_at_pages

OTHER = Actor("account", 2, "other@example.com", "req-2")
FIRST = MAX_LIMIT + 20


@pytest.fixture(scope="module")
def found(shared: SharedApi) -> dict[str, int]:
    """More of somebody else than a page shows, and behind them what an editor has submitted."""
    with session_factory(shared.database).begin() as session:
        for n in range(FIRST):
            one = editing.create(session, {**VALUES, "title": f"Theirs {n}"}, OTHER)
            lifecycle.transition(session, one.id, "submit", OTHER)
        mine = make(session, "in_review", title="Mine")
        session.execute(
            text("UPDATE program_revisions SET at = at - interval '1 day' WHERE actor LIKE '%other%'")
        )
        show = series.create(session, {"title": "A show", "language": "en"}, EDITOR)
        shelf = categories.create(session, {"name_ar": "رف", "name_en": "Shelf"}, EDITOR)
        review.propose(session, SERIES, show.id, {"title": "A show, changed"}, EDITOR)
        review.submit(session, SERIES, show.id, EDITOR)
        review.propose(session, CATEGORIES, shelf.id, {"name_en": "Shelf, changed"}, EDITOR)
        review.submit(session, CATEGORIES, shelf.id, EDITOR)
    return {"Mine": mine.id, "show": show.id, "shelf": shelf.id}


def section(page: Page, heading: str) -> list[str]:
    """The rows of a part of the inbox."""
    for found in page.all("section"):
        if heading in [text_of(h) for h in page.within(found, "h2")]:
            return [text_of(row) for row in page.within(found, "li")]
    return []


def test_ones_own_are_found_behind_a_hundred_others_with_their_places(
    shared: SharedApi, found: dict[str, int]
) -> None:
    page = read(signed_in_at_pages(shared.listener, "editor"), "/studio/review")
    own = section(page, "Your submissions")
    assert [row.partition(" ")[0] for row in own] == ["Mine", "A", "Shelf"]
    assert f"place {FIRST + 1} of {FIRST + 3}" in own[0]
    assert f"place {FIRST + 3} of {FIRST + 3}" in own[2]


def test_the_queue_is_the_longest_waiting_and_says_how_many_there_are(
    shared: SharedApi, found: dict[str, int]
) -> None:
    page = read(signed_in_at_pages(shared.listener, "reviewer"), "/studio/review")
    queue = section(page, "Waiting for a decision")
    assert len(queue) == MAX_LIMIT
    assert all(row.startswith("Theirs") for row in queue)
    (said,) = page.texts("p", class_="total")
    assert str(FIRST + 3) in said
    assert f"Shown are the {MAX_LIMIT}" in said


def test_changes_of_series_and_categories_lead_to_their_pages(
    shared: SharedApi, found: dict[str, int]
) -> None:
    browser = signed_in_at_pages(shared.listener, "editor")
    page = read(browser, "/studio/review")
    for path in (f"/studio/names/series/{found['show']}", f"/studio/names/categories/{found['shelf']}"):
        assert page.all("a", href=path)
        assert read(browser, path).status == 200


def test_only_drafts_of_ones_own_come_back(shared: SharedApi, found: dict[str, int]) -> None:
    with session_factory(shared.database).begin() as session:
        for n in range(60):
            # Written by the editor, with a comment, and not theirs to go on with: it is live.
            live = make(session, "published", title=f"Live {n}")
            comments.begin(session, live.id, "Why?", OTHER, comments.About(live.rev))
        theirs = make(session, "published", title="A draft of somebody else")
        pending.propose(session, theirs.id, {"title": "Changed by somebody else"}, OTHER)
        comments.begin(session, theirs.id, "Why?", OTHER, comments.About(theirs.rev))
        mine = editing.create(session, {**VALUES, "title": "Live of somebody else"}, OTHER)
        lifecycle.transition(session, mine.id, "publish", OTHER, mine.rev)
        pending.propose(session, mine.id, {"title": "Changed by me"}, EDITOR)
        comments.begin(session, mine.id, "Why?", OTHER, comments.About(mine.rev))
        back = make(session, "in_review", title="Given back")
        lifecycle.transition(session, back.id, "reject", OTHER, comment="Too short.")
        session.execute(
            text("UPDATE programs SET updated_at = now() - interval '1 year' WHERE id = ANY(:ids)"),
            {"ids": [mine.id, back.id, theirs.id]},
        )
    page = read(signed_in_at_pages(shared.listener, "editor"), "/studio/review")
    rows = section(page, "Back with you")
    assert sorted(row.split(" ")[0] for row in rows) == ["Given", "Live"]
