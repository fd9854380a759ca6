"""Every route and every role: who may pass, and that a refusal changes nothing."""

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import select, text

from api.app import create_app
from api.settings import Settings
from catalog.core.db import session_factory
from catalog.programs import pending
from catalog.review import pending as review
from catalog.taxonomy import categories, series
from catalog.taxonomy.models import Person, Tag
from catalog.taxonomy.pending import CATEGORIES, SERIES
from tests.support.client import Client
from tests.support.programs import EDITOR, make
from tests.support.routes import OPEN, ROUTES

# What a refused request could have written.
TABLES = (
    "programs",
    "pending_revisions",
    "review_comments",
    "saved_filters",
    "categories",
    "series",
    "tags",
    "people",
    "collections",
    "pins",
    "synonyms",
    "accounts",
    "api_keys",
    "audit_events",
    "import_runs",
    "import_sources",
    "reindex_jobs",
    "drift_reports",
    "engines",
    "webhook_endpoints",
    "webhook_deliveries",
)


def test_every_route_is_in_the_table(settings: Settings) -> None:
    found = {
        (method, route.path)
        for route in create_app(settings).routes
        for method in getattr(route, "methods", ())
        # Pages of the studio have one rule: tests/api/web/studio/test_closed.py.
        if method not in ("OPTIONS", "HEAD") and not route.path.startswith("/studio")
    }
    assert found == set(ROUTES)


def _path(template: str, numbers: dict[str, int]) -> str:
    for name, number in numbers.items():
        template = template.replace(f"{{{name}:int}}", str(number)).replace(f"{{{name}:str}}", str(number))
    return template


def _contents(database: Database) -> dict[str, object]:
    each = (
        f"SELECT '{table}', count(*), coalesce(sum(hashtext(t::text)), 0) FROM {table} t" for table in TABLES
    )
    with database.connect() as connection:
        return {row[0]: tuple(row[1:]) for row in connection.execute(text(" UNION ALL ".join(each)))}


@pytest.mark.slow
@pytest.mark.parametrize("who", sorted(OPEN))
def test_who_may_do_what(who: str, listener: Client, staff: dict[str, Client], database: Database) -> None:
    with session_factory(database).begin() as session:
        program = make(session, tags=["one"], people=[("host", "Someone")])
        live = make(session, "published")
        pending.propose(session, live.id, {"title": "Pending"}, EDITOR)
        show = series.create(session, {"title": "A show", "language": "en"}, EDITOR)
        shelf = categories.create(session, {"name_ar": "رف", "name_en": "A shelf"}, EDITOR)
        review.propose(session, SERIES, show.id, {"title": "Pending"}, EDITOR)
        review.propose(session, CATEGORIES, shelf.id, {"name_en": "Pending"}, EDITOR)
        rows = {"programs": live.id, "series": show.id, "categories": shelf.id}
        rows |= {
            "tags": session.scalars(select(Tag.id)).one(),
            "people": session.scalars(select(Person.id)).one(),
        }
        numbers = {"program_id": program.id, "rev": 1, "key_id": 10**6, "account_id": 10**6}
    numbers |= {"collection_id": 10**6, "slug": 0, "category_id": 10**6, "series_id": 10**6}
    numbers |= {"pin_id": 10**6, "synonym_id": 10**6, "webhook_id": 10**6, "delivery_id": 10**6}
    numbers |= {"thread_id": 10**6, "filter_id": 10**6}
    numbers |= {"run_id": 10**6, "source_id": 10**6, "job_id": 10**6, "proposal_id": 10**6}
    numbers |= {"key": program.id, "name": 0, "queue": 0}
    person = listener if who == "nobody" else staff[who]
    before = _contents(database)
    # All that is refused first: it finds everything there, and together it changes nothing.
    for (method, template), (allowed, body) in sorted(ROUTES.items(), key=lambda route: who in route[1][0]):
        kind = template.removeprefix("/catalog/").partition("/")[0]
        path = _path(template, numbers | {"row_id": rows.get(kind, 0)})
        if who in allowed and before:
            assert _contents(database) == before
            before = {}
        answer = person.ask(method, path, json=body)
        said = (method, path, answer.status_code, answer.text[:200])
        if who in allowed:
            assert answer.status_code not in (403, 405, 500), said
            if path not in ("/accounts/refresh", "/accounts/password-reset"):
                assert answer.status_code != 401, said
            continue
        assert answer.status_code == (401 if who == "nobody" else 403), said
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == ("unauthenticated" if who == "nobody" else "forbidden")
        if who == "nobody":
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert not before
