"""Every route and every role: who may pass, and that a refusal changes nothing."""

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.app import create_app
from api.settings import Settings
from catalog.db import session_factory
from tests.api.conftest import PASSWORD
from tests.catalog.support import make
from tests.support.product import Client

OPEN = frozenset({"nobody", "editor", "reviewer", "ops", "admin"})
SIGNED_IN = OPEN - {"nobody"}
EDITORS = frozenset({"editor", "reviewer", "admin"})
REVIEWERS = frozenset({"reviewer", "admin"})
ADMINS = frozenset({"admin"})
OPS = frozenset({"ops", "admin"})
P = "/catalog/programs/{program_id:int}"
RUN = "/catalog/imports/{run_id:int}"
SOURCE = "/catalog/import-sources/{source_id:int}"
# (method, path) -> (who passes, body)
ROUTES = {
    ("GET", "/discovery/search"): (OPEN, None),
    ("GET", "/discovery/browse"): (OPEN, None),
    ("GET", "/discovery/suggest"): (OPEN, None),
    ("GET", "/discovery/categories"): (OPEN, None),
    ("GET", "/discovery/series/{series_id:str}"): (OPEN, None),
    ("GET", "/discovery/programs/{key:str}"): (OPEN, None),
    ("POST", "/discovery/programs/batch"): (OPEN, {"ids": [1]}),
    ("POST", "/discovery/programs/{program_id:str}/views"): (OPEN, None),
    ("GET", "/catalog/programs"): (EDITORS, None),
    ("POST", "/catalog/programs"): (EDITORS, {"title": "New", "language": "en", "mediaType": "audio", "kind": "episode"}),
    ("GET", P): (EDITORS, None),
    ("PATCH", P): (EDITORS, {"title": "Other"}),
    ("DELETE", P): (REVIEWERS, None),
    ("POST", f"{P}/submit"): (EDITORS, None),
    ("POST", f"{P}/approve"): (REVIEWERS, None),
    ("POST", f"{P}/reject"): (REVIEWERS, None),
    ("POST", f"{P}/schedule"): (REVIEWERS, {"scheduledPublishAt": "2100-01-01T00:00:00Z"}),
    ("POST", f"{P}/unschedule"): (REVIEWERS, None),
    ("POST", f"{P}/publish"): (REVIEWERS, None),
    ("POST", f"{P}/unpublish"): (REVIEWERS, None),
    ("POST", f"{P}/archive"): (REVIEWERS, None),
    ("POST", f"{P}/restore"): (REVIEWERS, None),
    ("POST", f"{P}/undelete"): (REVIEWERS, None),
    ("GET", f"{P}/revisions"): (EDITORS, None),
    ("GET", f"{P}/revisions/diff"): (EDITORS, None),
    ("POST", f"{P}/revisions/{{rev:int}}/restore"): (EDITORS, None),
    ("GET", f"{P}/audit"): (EDITORS, None),
    ("POST", "/catalog/programs/bulk"): (REVIEWERS, {"action": "publish", "ids": [1]}),
    ("GET", "/catalog/categories"): (EDITORS, None),
    ("POST", "/catalog/categories"): (REVIEWERS, {"nameAr": "ت", "nameEn": "T"}),
    ("GET", "/catalog/categories/{category_id:int}"): (EDITORS, None),
    ("PATCH", "/catalog/categories/{category_id:int}"): (REVIEWERS, {"nameEn": "U"}),
    ("DELETE", "/catalog/categories/{category_id:int}"): (REVIEWERS, None),
    ("GET", "/catalog/series"): (EDITORS, None),
    ("POST", "/catalog/series"): (EDITORS, {"title": "S", "language": "en"}),
    ("GET", "/catalog/series/{series_id:int}"): (EDITORS, None),
    ("PATCH", "/catalog/series/{series_id:int}"): (EDITORS, {"title": "T"}),
    ("DELETE", "/catalog/series/{series_id:int}"): (REVIEWERS, None),
    ("GET", "/catalog/tags"): (EDITORS, None),
    ("PATCH", "/catalog/tags/{tag_id:int}"): (REVIEWERS, {"name": "other"}),
    ("GET", "/catalog/people"): (EDITORS, None),
    ("PATCH", "/catalog/people/{person_id:int}"): (REVIEWERS, {"name": "other"}),
    ("POST", "/catalog/imports"): (EDITORS, {"sourceType": "feed", "url": "http://feed.invalid/"}),
    ("POST", "/catalog/imports/upload"): (EDITORS, None),
    ("GET", "/catalog/imports"): (EDITORS, None),
    ("GET", RUN): (EDITORS, None),
    ("GET", f"{RUN}/items"): (EDITORS, None),
    ("GET", f"{RUN}/events"): (EDITORS, None),
    ("GET", f"{RUN}/errors"): (EDITORS, None),
    ("POST", f"{RUN}/cancel"): (EDITORS, None),
    ("POST", f"{RUN}/retry"): (EDITORS, None),
    ("GET", "/catalog/import-sources"): (EDITORS, None),
    ("POST", "/catalog/import-sources"): (EDITORS, {"url": "http://feed.invalid/"}),
    ("GET", SOURCE): (EDITORS, None),
    ("PATCH", SOURCE): (EDITORS, {"state": "paused"}),
    ("DELETE", SOURCE): (EDITORS, None),
    ("POST", f"{SOURCE}/refresh"): (EDITORS, None),
    ("POST", "/ops/reindex"): (OPS, {"engine": "default"}),
    ("GET", "/ops/reindex"): (OPS, None),
    ("GET", "/ops/reindex/{job_id:int}"): (OPS, None),
    ("POST", "/ops/reindex/{job_id:int}/cancel"): (OPS, None),
    ("POST", "/ops/reindex/{job_id:int}/rollback"): (OPS, None),
    ("POST", "/ops/drift"): (OPS, {"repair": True}),
    ("GET", "/ops/drift"): (OPS, None),
    ("GET", "/ops/sync"): (OPS, None),
    ("GET", "/ops/engines"): (OPS, None),
    ("POST", "/ops/engines/{name:str}/drain"): (OPS, {}),
    ("POST", "/ops/engines/{name:str}/resume"): (OPS, None),
    ("POST", "/ops/sync/unpark"): (OPS, {}),
    ("GET", "/ops/programs/{program_id:int}/index-state"): (OPS, None),
    ("GET", "/ops/queues"): (OPS, None),
    ("POST", "/ops/cache/purge"): (OPS, {}),
    ("GET", "/catalog/merge-proposals"): (EDITORS, None),
    ("POST", "/catalog/merge-proposals/{proposal_id:int}/merge"): (REVIEWERS, {}),
    ("POST", "/catalog/merge-proposals/{proposal_id:int}/dismiss"): (EDITORS, None),
    ("POST", "/accounts/login"): (OPEN, {"email": "editor@example.com", "password": PASSWORD}),
    ("POST", "/accounts/refresh"): (OPEN, {"refreshToken": "x"}),
    ("POST", "/accounts/logout"): (OPEN, {"refreshToken": "x"}),
    ("GET", "/accounts/me"): (SIGNED_IN, None),
    ("GET", "/accounts/api-keys"): (SIGNED_IN, None),
    ("POST", "/accounts/api-keys"): (SIGNED_IN, {"name": "k", "roles": ["editor"]}),
    ("DELETE", "/accounts/api-keys/{key_id:int}"): (SIGNED_IN, None),
    ("GET", "/accounts/users"): (ADMINS, None),
    ("POST", "/accounts/users"): (ADMINS, {"email": "n@example.com", "password": PASSWORD, "roles": ["editor"]}),
    ("PATCH", "/accounts/users/{account_id:int}"): (ADMINS, {"roles": ["editor"]}),
    ("GET", "/health/live"): (OPEN, None),
    ("GET", "/health/ready"): (OPEN, None),
    ("GET", "/metrics"): (OPEN, None),
    ("GET", "/docs"): (OPEN, None),
    ("GET", "/docs/{name:str}"): (OPEN, None),
    ("GET", "/openapi.json"): (OPEN, None),
    ("GET", "/"): (OPEN, None),
}  # fmt: skip
# What a refused request could have written.
TABLES = (
    "programs",
    "categories",
    "series",
    "tags",
    "people",
    "accounts",
    "api_keys",
    "audit_events",
    "import_runs",
    "import_sources",
    "reindex_jobs",
    "drift_reports",
    "engines",
)


def test_every_route_is_in_the_table(settings: Settings) -> None:
    found = {
        (method, route.path)
        for route in create_app(settings).routes
        for method in getattr(route, "methods", ())
        if method not in ("OPTIONS", "HEAD")
    }
    assert found == set(ROUTES)


def _path(template: str, numbers: dict[str, int]) -> str:
    for name, number in numbers.items():
        template = template.replace(f"{{{name}:int}}", str(number)).replace(
            f"{{{name}:str}}", str(number)
        )
    return template


def _contents(database: Database) -> list[object]:
    with database.connect() as connection:
        return [
            connection.execute(
                text(f"SELECT count(*), coalesce(sum(hashtext(t::text)), 0) FROM {table} t")
            ).one()
            for table in TABLES
        ]


@pytest.mark.parametrize("who", sorted(OPEN))
def test_who_may_do_what(
    who: str, listener: Client, staff: dict[str, Client], database: Database
) -> None:
    with session_factory(database).begin() as session:
        program = make(session, tags=["one"], people=[("host", "Someone")])
        numbers = {"program_id": program.id, "rev": 1, "key_id": 10**6, "account_id": 10**6}
    numbers |= {"category_id": 10**6, "series_id": 10**6, "tag_id": 10**6, "person_id": 10**6}
    numbers |= {"run_id": 10**6, "source_id": 10**6, "job_id": 10**6, "proposal_id": 10**6}
    numbers |= {"key": program.id, "name": 0}
    person = listener if who == "nobody" else staff[who]
    for (method, template), (allowed, body) in ROUTES.items():
        path = _path(template, numbers)
        before = _contents(database)
        answer = person.ask(method, path, json=body)
        said = (method, path, answer.status_code, answer.text[:200])
        if who in allowed:
            assert answer.status_code not in (403, 405, 500), said
            if "/accounts/refresh" not in path:
                assert answer.status_code != 401, said
            continue
        assert answer.status_code == (401 if who == "nobody" else 403), said
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == ("unauthenticated" if who == "nobody" else "forbidden")
        if who == "nobody":
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert _contents(database) == before, said
