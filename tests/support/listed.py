"""Programs of every kind of row that an editors' list has, and what people see of a list on its page."""

from sqlalchemy import Engine as Database
from sqlalchemy import text

from catalog.core.actor import Actor
from catalog.core.db import session_factory
from catalog.programs import editing, lifecycle, pending
from catalog.review import comments
from catalog.taxonomy import categories, series
from catalog.vocabulary.rollup import roll_up
from tests.support.pages import Page
from tests.support.programs import EDITOR, VALUES, make

OTHER = Actor("account", 2, "other@example.com", "req-2")


def stocked(database: Database) -> dict[str, int]:
    """Make programs in every state; return their ids by name, and those of a category and a series."""
    with session_factory(database).begin() as session:
        shelf = categories.create(session, {"name_ar": "رف", "name_en": "Shelf"}, EDITOR)
        show = series.create(session, {"title": "A show", "language": "en"}, EDITOR)
        series.create(session, {"title": "Another show", "language": "en"}, EDITOR)
        ids = {
            "draft": make(session, title="قهوة الصباح", language="ar", tags=["Warm"]).id,
            "review": make(session, "in_review", title="Beta", category_id=shelf.id, is_featured=True).id,
            "planned": make(session, "scheduled", title="Gamma", series_id=show.id, kind="film").id,
            "live": make(session, "published", title="Delta", people=[("host", "Omar")]).id,
            "old": make(session, "archived", title="Eta", media_type="video").id,
            "waiting": make(session, "published", title="Zeta").id,
            "retitled": make(session, "archived", title="Kappa").id,
            "theirs": editing.create(session, {**VALUES, "title": "Theta"}, OTHER).id,
            "gone": make(session, "published", title="Iota").id,
        }
        editing.edit(session, ids["retitled"], {"title": "Lambda"}, EDITOR)
        pending.propose(session, ids["waiting"], {"title": "Zeta two"}, OTHER)
        about = comments.About(1)
        comments.begin(session, ids["review"], "The second host is missing.", OTHER, about)
        lifecycle.transition(session, ids["gone"], "delete", OTHER)
        roll_up(session)
        session.execute(text("DELETE FROM index_dirty WHERE program_id <> :id"), {"id": ids["live"]})
        ids |= {"category": shelf.id, "series": show.id}
    return ids


def rows(page: Page) -> list[str]:
    """Return the titles of the programs that a list shows, in their order."""
    return page.texts("a", class_="title") or page.texts("span", class_="title")
