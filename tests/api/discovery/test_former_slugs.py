"""Old addresses of series, people and tags lead to the current ones, in the API and on the pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

import pytest
from redis import Redis
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from api.discovery import replies
from catalog.core.db import session_factory
from catalog.taxonomy import addresses, joining, names, series
from catalog.taxonomy.models import Person, Series, Tag
from tests.support.product import sending
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi
from tests.support.waiting import eventually

Model = type[Series] | type[Tag] | type[Person]
ROOMS: dict[str, Model] = {"series": Series, "tags": Tag, "people": Person}


@dataclass
class Renamed:
    """What was renamed twice, what was merged, and what nobody sees, by room: slugs and names."""

    first: dict[str, str]
    second: dict[str, str]
    current: dict[str, tuple[str, str]]
    merged: dict[str, str]
    hidden: dict[str, str]


@pytest.fixture(scope="module")
def renamed(shared: SharedApi) -> Iterator[Renamed]:
    with session_factory(shared.database).begin() as session:
        show = series.create(session, {"title": "Evening talks", "language": "en"}, EDITOR)
        other = series.create(session, {"title": "Night talks", "language": "en"}, EDITOR)
        secret = series.create(session, {"title": "Secret talks", "language": "en"}, EDITOR)
        make(
            session,
            "published",
            title="One",
            series_id=show.id,
            tags=["old coffee", "tea"],
            people=[("host", "Omar Haddad"), ("guest", "Sara")],
        )
        make(
            session,
            "draft",
            title="Two",
            series_id=secret.id,
            tags=["secret tag"],
            people=[("host", "Secret Person")],
        )
        found = Renamed({}, {}, {}, {}, {})
        for room, model, kept, gone, unseen in (
            ("series", Series, show, other, secret),
            (
                "tags",
                Tag,
                _named(session, Tag, "old coffee"),
                _named(session, Tag, "tea"),
                _named(session, Tag, "secret tag"),
            ),
            (
                "people",
                Person,
                _named(session, Person, "Omar Haddad"),
                _named(session, Person, "Sara"),
                _named(session, Person, "Secret Person"),
            ),
        ):
            found.first[room] = kept.slug
            for n, step in enumerate((found.second, None)):
                for row, name in ((kept, f"مسامرات {room} {n}"), (unseen, f"hidden {room} {n}")):
                    if isinstance(row, Series):
                        series.edit(session, row.id, {"title": name, "slug": f"{name}"}, EDITOR)
                    else:
                        joining.rename(session, model, row.id, name, EDITOR)
                if step is not None:
                    step[room] = kept.slug
            found.current[room] = (kept.slug, kept.title if isinstance(kept, Series) else kept.name)
            found.merged[room] = gone.slug
            found.hidden[room] = f"hidden-{room}-0"
            if isinstance(gone, Series):
                # Nothing merges series yet.
                addresses.lead(session, gone, kept.id)
                session.delete(gone)
                session.flush()
            else:
                joining.merge(session, model, gone.id, kept.id, EDITOR)
    with Redis.from_url(shared.settings.indexer.redis_cache_url) as redis, sending(shared.settings, redis):
        slug = quote(found.current["tags"][0])
        eventually(lambda: shared.listener.get(f"/discovery/tags/{slug}").status_code == 200)
        yield found


def _named(session: Session, model: Model, name: str) -> Series | Tag | Person:
    found: Series | Tag | Person = session.scalars(select(model).where(model.slug == names.key(name))).one()
    return found


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("which", ["first", "second", "merged"])
def test_an_old_address_redirects_to_the_current_one(
    which: str, room: str, shared: SharedApi, renamed: Renamed
) -> None:
    old = getattr(renamed, which)[room]
    slug, name = renamed.current[room]
    for asked in (old, old.upper()):
        answer = shared.listener.get(f"/discovery/{room}/{quote(asked)}?limit=5")
        assert answer.status_code == 301, answer.text
        assert unquote(answer.headers["location"]) == f"/discovery/{room}/{slug}?limit=5"
    assert shared.listener.get(answer.headers["location"]).status_code == 200
    for language in ("ar", "en"):
        page = shared.listener.get(f"/{language}/{room}/{quote(old)}")
        assert page.status_code == 301, page.text
        assert unquote(page.headers["location"]) == f"/{language}/{room}/{slug if room == 'series' else name}"
        assert shared.listener.get(page.headers["location"]).status_code == 200


@pytest.mark.parametrize("room", ROOMS)
def test_old_addresses_of_what_nobody_sees_lead_nowhere(
    room: str, shared: SharedApi, renamed: Renamed
) -> None:
    for old in (renamed.hidden[room], "never-there"):
        assert shared.listener.get(f"/discovery/{room}/{old}").status_code == 404
        assert shared.listener.get(f"/en/{room}/{old}").status_code == 404


def test_a_slug_that_somebody_has_now_is_theirs(shared: SharedApi, renamed: Renamed) -> None:
    with session_factory(shared.database).begin() as session:
        taken = series.create(session, {"title": "Evening talks", "language": "en"}, EDITOR)
        assert taken.slug == renamed.first["series"]
        taken_id = taken.id
        # Nobody sees it: its address is not the renamed one's any more.
        session.flush()
        found = session.execute(
            text("SELECT count(*) FROM former_slugs WHERE kind = 'series' AND slug = :slug"),
            {"slug": taken.slug},
        )
        assert found.scalar_one() == 1
    with session_factory(shared.database).begin() as session:
        series.delete(session, taken_id, EDITOR)
        left = session.execute(
            text("SELECT count(*) FROM former_slugs WHERE kind = 'series' AND row_id = :id"), {"id": taken_id}
        )
        assert left.scalar_one() == 0


@pytest.mark.parametrize("room", ROOMS)
def test_an_address_does_not_lead_to_itself_when_two_reads_disagree(
    room: str, shared: SharedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def known_since(request: object, model: object, slug: str) -> tuple[str, str]:
        return slug, "Made a moment ago"

    monkeypatch.setattr(replies, "formerly", known_since)
    assert shared.listener.get(f"/discovery/{room}/made-a-moment-ago").status_code == 404
