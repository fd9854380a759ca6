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
from tests.support.accounts import PASSWORD
from tests.support.client import Client
from tests.support.programs import EDITOR, make

OPEN = frozenset({"nobody", "editor", "reviewer", "ops", "admin"})
SIGNED_IN = OPEN - {"nobody"}
EDITORS = frozenset({"editor", "reviewer", "admin"})
REVIEWERS = frozenset({"reviewer", "admin"})
ADMINS = frozenset({"admin"})
OPS = frozenset({"ops", "admin"})
P = "/catalog/programs/{program_id:int}"
COLLECTION = "/catalog/collections/{collection_id:int}"
RUN = "/catalog/imports/{run_id:int}"
HOOK = "/ops/webhooks/{webhook_id:int}"
SOURCE = "/catalog/import-sources/{source_id:int}"
# (method, path) -> (who passes, body)
ROUTES = {
    ("GET", "/discovery/search"): (OPEN, None),
    ("GET", "/discovery/browse"): (OPEN, None),
    ("GET", "/discovery/facets/{name:str}"): (OPEN, None),
    ("GET", "/discovery/suggest"): (OPEN, None),
    ("GET", "/discovery/categories"): (OPEN, None),
    ("GET", "/discovery/series"): (OPEN, None),
    ("GET", "/discovery/series/{key:str}"): (OPEN, None),
    ("GET", "/discovery/people"): (OPEN, None),
    ("GET", "/discovery/people/{key:str}"): (OPEN, None),
    ("GET", "/discovery/tags"): (OPEN, None),
    ("GET", "/discovery/tags/{key:str}"): (OPEN, None),
    ("GET", "/discovery/programs/{key:str}"): (OPEN, None),
    ("GET", "/discovery/programs/{program_id:str}/related"): (OPEN, None),
    ("GET", "/discovery/trending"): (OPEN, None),
    ("GET", "/discovery/random"): (OPEN, None),
    ("GET", "/discovery/collections"): (OPEN, None),
    ("GET", "/discovery/collections/{slug:str}"): (OPEN, None),
    ("GET", "/discovery/searches/popular"): (OPEN, None),
    ("GET", "/discovery/changes"): (OPEN, None),
    ("POST", "/discovery/events"): (OPEN, {"events": [{"type": "click", "query": "q", "position": 1}]}),
    ("POST", "/discovery/programs/batch"): (OPEN, {"ids": [1]}),
    ("POST", "/discovery/programs/{program_id:str}/views"): (OPEN, None),
    ("GET", "/catalog/programs"): (EDITORS, None),
    ("GET", "/catalog/programs/trash"): (EDITORS, None),
    ("POST", "/catalog/programs"): (
        EDITORS,
        {"title": "New", "language": "en", "mediaType": "audio", "kind": "episode"},
    ),
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
    ("GET", "/catalog/pending"): (EDITORS, None),
    ("GET", "/catalog/comments"): (EDITORS, None),
    ("GET", f"{P}/autosave"): (EDITORS, None),
    ("PATCH", f"{P}/autosave"): (EDITORS, {"title": "Saved"}),
    ("GET", f"{P}/comments"): (EDITORS, None),
    ("POST", f"{P}/comments"): (EDITORS, {"body": "Well done."}),
    ("GET", f"{P}/comments/{{thread_id:int}}"): (EDITORS, None),
    ("POST", f"{P}/comments/{{thread_id:int}}/replies"): (EDITORS, {"body": "Thank you."}),
    ("POST", f"{P}/comments/{{thread_id:int}}/resolve"): (EDITORS, None),
    ("POST", f"{P}/comments/{{thread_id:int}}/reopen"): (EDITORS, None),
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
    ("GET", "/catalog/collections"): (EDITORS, None),
    ("POST", "/catalog/collections"): (EDITORS, {"titleAr": "م", "titleEn": "C"}),
    ("GET", COLLECTION): (EDITORS, None),
    ("PATCH", COLLECTION): (EDITORS, {"titleEn": "D"}),
    ("DELETE", COLLECTION): (EDITORS, None),
    ("PUT", f"{COLLECTION}/programs"): (EDITORS, {"programIds": [1]}),
    ("PUT", f"{COLLECTION}/programs/{{program_id:int}}"): (EDITORS, {"place": 1}),
    ("DELETE", f"{COLLECTION}/programs/{{program_id:int}}"): (EDITORS, None),
    ("GET", "/catalog/pins"): (EDITORS, None),
    ("POST", "/catalog/pins"): (REVIEWERS, {"query": "q", "programs": [{"programId": 1, "place": 1}]}),
    ("GET", "/catalog/pins/{pin_id:int}"): (EDITORS, None),
    ("PATCH", "/catalog/pins/{pin_id:int}"): (REVIEWERS, {"query": "r"}),
    ("DELETE", "/catalog/pins/{pin_id:int}"): (REVIEWERS, None),
    ("GET", "/catalog/synonyms"): (EDITORS, None),
    ("POST", "/catalog/synonyms"): (REVIEWERS, {"kind": "two_way", "terms": ["a", "b"]}),
    ("GET", "/catalog/synonyms/{synonym_id:int}"): (EDITORS, None),
    ("PATCH", "/catalog/synonyms/{synonym_id:int}"): (REVIEWERS, {"terms": ["c", "d"]}),
    ("DELETE", "/catalog/synonyms/{synonym_id:int}"): (REVIEWERS, None),
    ("GET", "/catalog/curation/preview"): (EDITORS, None),
    ("GET", f"{P}/why"): (EDITORS | OPS, None),
    ("GET", f"{COLLECTION}/audit"): (EDITORS, None),
    ("GET", "/catalog/pins/{pin_id:int}/audit"): (EDITORS, None),
    ("GET", "/catalog/synonyms/{synonym_id:int}/audit"): (EDITORS, None),
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
    ("GET", "/ops/queues/{queue:str}/failed"): (OPS, None),
    ("POST", "/ops/queues/{queue:str}/retry"): (OPS, {}),
    ("POST", "/ops/queues/{queue:str}/cancel"): (OPS, {}),
    ("POST", "/ops/cache/purge"): (OPS, {}),
    ("GET", "/ops/audit-log"): (OPS, None),
    ("GET", "/ops/schedule"): (OPS, None),
    ("GET", "/ops/caches"): (OPS, None),
    ("GET", "/ops/imports"): (OPS, None),
    ("GET", "/ops/programs"): (OPS, None),
    ("GET", "/ops/hour"): (OPS, None),
    ("GET", "/ops/webhooks"): (OPS, None),
    ("POST", "/ops/webhooks"): (OPS, {"url": "https://example.com/", "eventTypes": ["program.changed"]}),
    ("GET", HOOK): (OPS, None),
    ("PATCH", HOOK): (OPS, {"state": "disabled"}),
    ("DELETE", HOOK): (OPS, None),
    ("POST", f"{HOOK}/rotate"): (OPS, {}),
    ("POST", f"{HOOK}/test"): (OPS, None),
    ("GET", f"{HOOK}/deliveries"): (OPS, None),
    ("GET", f"{HOOK}/deliveries/{{delivery_id:int}}"): (OPS, None),
    ("POST", f"{HOOK}/deliveries/{{delivery_id:int}}/send-again"): (OPS, None),
    ("GET", "/ops/searches"): (OPS, None),
    ("GET", "/catalog/merge-proposals"): (EDITORS, None),
    ("GET", "/catalog/import-conflicts"): (EDITORS, None),
    ("POST", "/catalog/programs/{program_id:int}/import-conflicts"): (
        EDITORS,
        {"field": "title", "keep": "mine"},
    ),
    ("POST", "/catalog/merge-proposals/{proposal_id:int}/merge"): (REVIEWERS, {}),
    ("POST", "/catalog/merge-proposals/{proposal_id:int}/dismiss"): (EDITORS, None),
    ("POST", "/accounts/login"): (OPEN, {"email": "editor@example.com", "password": PASSWORD}),
    ("POST", "/accounts/refresh"): (OPEN, {"refreshToken": "x"}),
    ("POST", "/accounts/logout"): (OPEN, {"refreshToken": "x"}),
    ("POST", "/accounts/password-reset"): (OPEN, {"token": "x", "password": PASSWORD}),
    ("POST", "/accounts/password"): (SIGNED_IN, {"currentPassword": PASSWORD, "password": "short"}),
    ("POST", "/accounts/users/{account_id:int}/password-reset"): (ADMINS, None),
    ("GET", "/accounts/me"): (SIGNED_IN, None),
    ("GET", "/accounts/api-keys"): (SIGNED_IN, None),
    ("POST", "/accounts/api-keys"): (SIGNED_IN, {"name": "k", "roles": ["editor"]}),
    ("PATCH", "/accounts/api-keys/{key_id:int}"): (ADMINS, {"quotaPerMinute": 5}),
    ("DELETE", "/accounts/api-keys/{key_id:int}"): (SIGNED_IN, None),
    ("GET", "/accounts/users/{account_id:int}/api-keys"): (ADMINS, None),
    ("GET", "/accounts/users"): (ADMINS, None),
    ("POST", "/accounts/users"): (
        ADMINS,
        {"email": "n@example.com", "password": PASSWORD, "roles": ["editor"]},
    ),
    ("PATCH", "/accounts/users/{account_id:int}"): (ADMINS, {"roles": ["editor"]}),
    ("GET", "/health/live"): (OPEN, None),
    ("GET", "/health/startup"): (OPEN, None),
    ("GET", "/health/ready"): (OPEN, None),
    ("GET", "/metrics"): (OPEN, None),
    ("GET", "/docs"): (OPEN, None),
    ("GET", "/docs/{name:str}"): (OPEN, None),
    ("GET", "/openapi.json"): (OPEN, None),
    ("GET", "/"): (OPEN, None),
    ("GET", "/static/{digest:str}/{name:path}"): (OPEN, None),
    **{
        ("GET", f"/{language}{path}"): (OPEN, None)
        for language in ("ar", "en")
        for path in (
            "",
            "/search",
            "/suggest",
            "/programs/{key:str}",
            "/series/{slug:str}",
            "/collections/{slug:str}",
            "/categories/{slug:str}",
            "/people/{name:path}",
            "/tags/{name:path}",
            "/{rest:path}",
            "/series/{slug:str}/feed.xml",
            "/categories/{slug:str}/feed.xml",
            "/search/feed.xml",
            "/series.opml",
            "/opensearch.xml",
            "/manifest.webmanifest",
        )
    },
    **{
        ("GET", path): (OPEN, None)
        for path in ("/robots.txt", "/favicon.ico", "/sitemap.xml", "/sitemaps/{name:str}", "/oembed")
    },
    # Pages know people by a cookie alone: whoever sends a token is led to the sign-in (tests/api/web/).
    **dict.fromkeys(
        (("GET", "/sign-in"), ("POST", "/sign-in"), ("POST", "/sign-out"), ("GET", "/language/{code:str}")),
        (OPEN, None),
    ),
    ("POST", "/ops/board/do/{name:str}"): (OPEN, None),
    **{
        ("GET", f"/ops/board{path}"): (OPEN, None)
        for path in ("", "/do/{name:str}", "/programs", "/runbooks", "/hour", "/live")
    },
}
for _kind, _change in (
    ("programs", {"title": "Other"}),
    ("series", {"title": "Other"}),
    ("categories", {"nameEn": "Other"}),
):
    ROUTES |= {
        (method, f"/catalog/{_kind}/{{row_id:int}}/pending{action}"): passes
        for (method, action), passes in {
            ("GET", ""): (EDITORS, None),
            ("PATCH", ""): (EDITORS, _change),
            ("DELETE", ""): (EDITORS, None),
            ("GET", "/diff"): (EDITORS, None),
            ("GET", "/preview"): (EDITORS, None),
            ("POST", "/submit"): (EDITORS, None),
            ("POST", "/approve"): (REVIEWERS, None),
            ("POST", "/publish"): (REVIEWERS, None),
            ("POST", "/reject"): (REVIEWERS, {"comment": "Too short."}),
        }.items()
    }
for _kind in ("tags", "people"):
    ROUTES |= {
        (method, f"/catalog/{_kind}{path}"): rule
        for (method, path), rule in {
            ("GET", ""): (EDITORS, None),
            ("POST", ""): (EDITORS, {"name": "new"}),
            ("GET", "/{row_id:int}"): (EDITORS, None),
            ("PATCH", "/{row_id:int}"): (REVIEWERS, {"name": "other"}),
            ("POST", "/{row_id:int}/merge"): (REVIEWERS, {"intoId": 10**6}),
            ("DELETE", "/{row_id:int}"): (REVIEWERS, None),
            ("GET", "/{row_id:int}/effects"): (EDITORS, None),
            ("GET", "/{row_id:int}/audit"): (EDITORS, None),
        }.items()
    }
# What a refused request could have written.
TABLES = (
    "programs",
    "pending_revisions",
    "review_comments",
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
        if method not in ("OPTIONS", "HEAD")
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
    numbers |= {"thread_id": 10**6}
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
