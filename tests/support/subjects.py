"""Programs of two series with people and tags, for lists of series, people and tags."""

from datetime import UTC, datetime

from sqlalchemy import text

from catalog.core.db import session_factory
from catalog.taxonomy import series
from tests.support.pipeline import Pipeline
from tests.support.programs import EDITOR, make

SARAH, OMAR, SECRET = "سارة العمري", "Omar Haddad", "Nobody Yet"


def fill(stores: Pipeline) -> None:
    """Publish four programs of two series; a third series and a person are in a draft alone."""
    with session_factory(stores.database).begin() as session:
        talks, night, hidden = (
            series.create(session, {"title": title, "language": "en"}, EDITOR).id
            for title in ("Coffee Talks", "ليالي", "Secret Show")
        )
        for n, (show, people, tags) in enumerate(
            [
                (talks, [SARAH, OMAR], ["قهوة", "coffee"]),
                (talks, [SARAH], ["coffee"]),
                (talks, [OMAR], []),
                (night, [SARAH], ["history, modern"]),
            ]
        ):
            make(
                session,
                "published",
                title=f"Program {n}",
                series_id=show,
                season=1,
                episode=n,
                kind="film" if n == 1 else "episode",
                people=[(role, name) for name in people for role in ("host", "guest")],
                tags=tags,
                release_date=datetime(2024, n + 1, 1, tzinfo=UTC),
            )
        make(session, title="Draft", series_id=hidden, people=[("host", SECRET)], tags=["secret"])
        session.flush()
        # Not released yet: listed, but not the latest.
        session.execute(
            text("UPDATE programs SET release_date = now() + interval '9 days' WHERE title = 'Program 2'")
        )
    stores.sender().drain()
