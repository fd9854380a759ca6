"""The OpenAPI document, complete: what the framework knows from signatures, and what only we know.

Query strings are read by hand and answers are sent as bytes, so their shapes stand here, one line an
operation. A test holds this table and the routes together.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import msgspec
from litestar import Litestar
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from api import health
from api.accounts import routes as accounts
from api.discovery import params
from api.discovery import schemas as discovery
from api.editorial import import_schemas as imports
from api.editorial import merging, programs
from api.editorial import schemas as catalog
from api.errors import CODES
from api.operations import schemas as ops
from api.schemas import Model, ProgramData
from catalog.imports.models import FILES, OUTCOMES, SOURCE_STATES
from catalog.imports.models import STATUSES as RUN_STATUSES
from catalog.merging.models import STATES as MERGE_STATES
from catalog.programs import queries
from catalog.programs.models import KINDS, MEDIA_TYPES, STATUSES

_REF = "#/components/schemas/{name}"


class FieldProblem(Model):
    """One wrong field."""

    field: str
    code: str
    message: str


class Problem(Model):
    """RFC 9457: every refusal. `code` is stable; /docs/errors explains it."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str
    request_id: str
    doc: str
    errors: list[FieldProblem] = []


class Tokens(Model):
    """Tokens under `data`."""

    data: accounts.Tokens


class AccountAnswer(Model):
    """An account under `data`."""

    data: accounts.AccountOut


class AccountList(Model):
    """Accounts under `data`."""

    data: list[accounts.AccountOut]


class KeyAnswer(Model):
    """An API key under `data`."""

    data: accounts.KeyOut


class KeyList(Model):
    """API keys under `data`."""

    data: list[accounts.KeyOut]


class CategoryAnswer(Model):
    """A category under `data`."""

    data: catalog.CategoryOut


class CategoryList(Model):
    """A page of categories."""

    data: list[catalog.CategoryOut]
    meta: catalog.ListMeta


class SeriesAnswer(Model):
    """A series under `data`."""

    data: catalog.SeriesOut


class SeriesList(Model):
    """A page of series."""

    data: list[catalog.SeriesOut]
    meta: catalog.ListMeta


class NamedAnswer(Model):
    """A tag or person under `data`."""

    data: catalog.NamedOut


class NamedList(Model):
    """A page of tags or people."""

    data: list[catalog.NamedOut]
    meta: catalog.ListMeta


class ViewCounted(Model):
    """Which program's view was counted."""

    data: dict[str, int]


def _q(name: str, about: str, example: Any = None, **schema: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "in": "query",
        "required": False,
        "description": about,
        "schema": schema,
    }
    if example is not None:
        found["example"] = example
    return found


_TEXT: dict[str, Any] = {"type": "string", "maxLength": params.MAX_VALUE}
_ID: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": params.MAX_ID}
_LIMIT = _q("limit", "Size of a page.", 20, type="integer", minimum=1, maximum=100, default=20)
_FILTERS = [
    _q("categoryId", "Only this category.", 3, **_ID),
    _q("language", "Only this language.", "ar", type="string", maxLength=20),
    _q("mediaType", "Only this medium.", "audio", type="string", enum=list(MEDIA_TYPES)),
    _q("kind", "Only this kind.", "episode", type="string", enum=list(KINDS)),
    _q("seriesId", "Only this series.", 1, **_ID),
    _q("tag", "Only with this tag.", "قهوة", **_TEXT),
    _q("person", "Only with this person.", "سلمان الراشد", **_TEXT),
    _q("durationMin", "At least so many seconds.", 600, type="integer", minimum=0, maximum=10**7),
    _q("durationMax", "At most so many seconds.", 3600, type="integer", minimum=0, maximum=10**7),
    _q("releasedAfter", "Released at or after (ISO 8601).", "2024-01-01", type="string"),
    _q("releasedBefore", "Released at or before (ISO 8601).", "2024-12-31", type="string"),
    _q("featured", "Only featured ones, or only others.", True, type="boolean"),
]
_FACETS = _q(
    "facets",
    f"Count values of these, comma separated: {', '.join(params.FACETS)}.",
    "language,categoryId",
    type="string",
)
_CURSOR = _q("cursor", "meta.nextCursor of the page before.", None, type="string", maxLength=500)
_BROWSE_SORTS = [name for name in params.SORTS if name != "relevance"]
_AFTER = [_q("after", "Ids after this one.", 0, type="integer", minimum=0), _LIMIT]
_NAMES = [*_AFTER, _q("q", "How the name begins.", "قه", **_TEXT)]
_BEFORE = [_q("before", "Older than this one.", None, **_ID), _LIMIT]
_DRY_RUN = _q("dryRun", "Say what would change, and change nothing.", True, type="boolean")
_STALE = ("If-Match", "Refuse with 412 unless this is the current ETag.", '"3"')
_ONCE = ("Idempotency-Key", "The same key and body get the same answer, created once.", "5f0c1f5e")


def _header(entry: tuple[str, str, str]) -> dict[str, Any]:
    name, about, example = entry
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": about,
        "schema": {"type": "string"},
        "example": example,
    }


# operation -> (status, shape, query parameters, headers, refusals)
Operation = tuple[int, Any, list[dict[str, Any]], list[tuple[str, str, str]], tuple[int, ...]]
_EDIT = (400, 401, 403, 404, 409, 412, 422, 429)
_READ = (400, 401, 403, 404, 429)
OPERATIONS: dict[tuple[str, str], Operation] = {
    ("get", "/discovery/search"): (200, discovery.SearchAnswer, [
        _q("q", "What to look for; typos are forgiven.", "المراه", type="string", maxLength=params.MAX_Q),
        *_FILTERS, _q("sort", "Order.", "relevance", type="string", enum=list(params.SORTS)),
        _q("page", "Page.", 1, type="integer", minimum=1, maximum=params.MAX_PAGE, default=1), _LIMIT, _FACETS,
        _q("highlight", "Mark what matched with <em> in safe HTML.", True, type="boolean"),
    ], [], (400, 429, 503)),
    ("get", "/discovery/browse"): (200, discovery.BrowseAnswer, [
        *_FILTERS, _q("sort", "Order.", "newest", type="string", enum=_BROWSE_SORTS), _LIMIT, _CURSOR, _FACETS,
    ], [], (400, 429, 503)),
    ("get", "/discovery/suggest"): (200, discovery.SuggestAnswer, [
        {**_q("q", "What was typed so far.", "قه", type="string", minLength=1, maxLength=100), "required": True},
        _q("limit", "How many.", 8, type="integer", minimum=1, maximum=20, default=8),
    ], [], (400, 429, 503)),
    ("get", "/discovery/categories"): (200, discovery.CategoriesAnswer, [], [], (400, 429, 503)),
    ("get", "/discovery/series/{series_id}"): (200, discovery.SeriesAnswer, [
        _q("page", "Page.", 1, type="integer", minimum=1, maximum=10_000, default=1), _LIMIT,
    ], [], (400, 404, 429)),
    ("get", "/discovery/programs/{key}"): (200, ProgramData, [], [], (400, 404, 429)),
    ("post", "/discovery/programs/batch"): (200, discovery.BatchAnswer, [], [], (400, 413, 422, 429)),
    ("post", "/discovery/programs/{program_id}/views"): (202, ViewCounted, [], [], (400, 404, 429)),
    ("get", "/catalog/programs"): (200, catalog.EditorList, [
        _q("status", "Only this state.", "draft", type="string", enum=list(STATUSES)), *_FILTERS[:1], *_FILTERS[1:5],
        _q("featured", "Only featured ones, or only others.", True, type="boolean"),
        _q("title", "Part of the title.", "قهوة", **_TEXT),
        _q("sort", "Order.", "-updatedAt", type="string", enum=list(queries.SORTS)), _LIMIT, _CURSOR,
    ], [], (400, 401, 403, 429)),
    ("post", "/catalog/programs"): (201, catalog.EditorAnswer, [], [_ONCE], _EDIT),
    ("get", "/catalog/programs/{program_id}"): (200, catalog.EditorAnswer, [], [], _READ),
    ("patch", "/catalog/programs/{program_id}"): (200, catalog.EditorAnswer, [], [_STALE], _EDIT),
    ("delete", "/catalog/programs/{program_id}"): (204, None, [], [_STALE], _EDIT),
    ("post", "/catalog/programs/{program_id}/schedule"): (200, catalog.EditorAnswer, [], [_STALE], _EDIT),
    ("get", "/catalog/programs/{program_id}/revisions"): (200, catalog.RevisionList, _BEFORE, [], _READ),
    ("get", "/catalog/programs/{program_id}/revisions/diff"): (200, catalog.DiffAnswer, [
        {**_q("from", "The older revision.", 1, **_ID), "required": True},
        {**_q("to", "The newer revision.", 2, **_ID), "required": True},
    ], [], _READ),
    ("post", "/catalog/programs/{program_id}/revisions/{rev}/restore"): (200, catalog.EditorAnswer, [], [_STALE], _EDIT),
    ("get", "/catalog/programs/{program_id}/audit"): (200, catalog.AuditList, _BEFORE, [], _READ),
    ("post", "/catalog/programs/bulk"): (200, catalog.BulkAnswer, [], [], _EDIT),
    ("get", "/catalog/categories"): (200, CategoryList, _NAMES, [], _READ),
    ("post", "/catalog/categories"): (201, CategoryAnswer, [], [_ONCE], _EDIT),
    ("get", "/catalog/categories/{category_id}"): (200, CategoryAnswer, [], [], _READ),
    ("patch", "/catalog/categories/{category_id}"): (200, CategoryAnswer, [], [_STALE], _EDIT),
    ("delete", "/catalog/categories/{category_id}"): (204, None, [], [], _EDIT),
    ("get", "/catalog/series"): (200, SeriesList, _NAMES, [], _READ),
    ("post", "/catalog/series"): (201, SeriesAnswer, [], [_ONCE], _EDIT),
    ("get", "/catalog/series/{series_id}"): (200, SeriesAnswer, [], [], _READ),
    ("patch", "/catalog/series/{series_id}"): (200, SeriesAnswer, [], [_STALE], _EDIT),
    ("delete", "/catalog/series/{series_id}"): (204, None, [], [], _EDIT),
    ("get", "/catalog/tags"): (200, NamedList, _NAMES, [], _READ),
    ("patch", "/catalog/tags/{tag_id}"): (200, NamedAnswer, [], [], _EDIT),
    ("get", "/catalog/people"): (200, NamedList, _NAMES, [], _READ),
    ("patch", "/catalog/people/{person_id}"): (200, NamedAnswer, [], [], _EDIT),
    ("post", "/catalog/imports"): (202, imports.ImportRunAnswer, [_DRY_RUN], [_ONCE], _EDIT),
    ("post", "/catalog/imports/upload"): (202, imports.ImportRunAnswer, [
        {**_q("sourceType", "What the file is.", "csv", type="string", enum=list(FILES)), "required": True}, _DRY_RUN,
        _q("options", "How items become programs, as JSON.", '{"policy":"draft"}', type="string", maxLength=10_000),
        _q("fileName", "What the file is called.", "episodes.csv", type="string", maxLength=200),
    ], [], (400, 401, 403, 413, 415, 422, 429)),
    ("get", "/catalog/imports"): (200, imports.ImportRunList, [
        *_BEFORE, _q("status", "Only this state.", "running", type="string", enum=list(RUN_STATUSES)),
        _q("sourceId", "Only of this source.", None, **_ID), _q("parentId", "Only started by this run.", None, **_ID),
    ], [], (400, 401, 403, 429)),
    ("get", "/catalog/imports/{run_id}"): (200, imports.ImportRunAnswer, [], [], _READ),
    ("get", "/catalog/imports/{run_id}/items"): (200, imports.ImportItemList, [
        _q("after", "Positions after this one.", 0, type="integer", minimum=0), _LIMIT,
        _q("outcome", "Only this outcome.", "failed", type="string", enum=list(OUTCOMES)),
    ], [], _READ),
    ("get", "/catalog/imports/{run_id}/events"): (200, None, [
        _q("seconds", "When the stream ends.", 30, type="integer", minimum=1, maximum=600, default=30),
    ], [], _READ),
    ("get", "/catalog/imports/{run_id}/errors"): (200, None, [], [], _READ),
    ("post", "/catalog/imports/{run_id}/cancel"): (200, imports.ImportRunAnswer, [], [], _EDIT),
    ("post", "/catalog/imports/{run_id}/retry"): (202, imports.ImportRunAnswer, [], [], _EDIT),
    ("get", "/catalog/import-sources"): (200, imports.ImportSourceList, [
        *_AFTER, _q("state", "Only this state.", "active", type="string", enum=list(SOURCE_STATES)),
    ], [], (400, 401, 403, 429)),
    ("post", "/catalog/import-sources"): (201, imports.ImportSourceAnswer, [], [_ONCE], _EDIT),
    ("get", "/catalog/import-sources/{source_id}"): (200, imports.ImportSourceAnswer, [], [], _READ),
    ("patch", "/catalog/import-sources/{source_id}"): (200, imports.ImportSourceAnswer, [], [], _EDIT),
    ("delete", "/catalog/import-sources/{source_id}"): (204, None, [], [], _READ),
    ("post", "/catalog/import-sources/{source_id}/refresh"): (202, imports.ImportRunAnswer, [_DRY_RUN], [], _EDIT),
    ("post", "/ops/reindex"): (202, ops.ReindexAnswer, [], [], _EDIT),
    ("get", "/ops/reindex"): (200, ops.ReindexList, _BEFORE, [], (400, 401, 403, 429)),
    ("get", "/ops/reindex/{job_id}"): (200, ops.ReindexAnswer, [], [], _READ),
    ("post", "/ops/reindex/{job_id}/cancel"): (202, ops.ReindexAnswer, [], [], _EDIT),
    ("post", "/ops/reindex/{job_id}/rollback"): (202, ops.ReindexAnswer, [], [], _EDIT),
    ("post", "/ops/drift"): (202, ops.DriftList, [], [], (400, 401, 403, 422, 429)),
    ("get", "/ops/drift"): (200, ops.DriftList, _BEFORE, [], (400, 401, 403, 429)),
    ("get", "/ops/sync"): (200, ops.SyncAnswer, [], [], (401, 403, 429)),
    ("get", "/ops/engines"): (200, ops.EngineList, [], [], (401, 403, 429)),
    ("post", "/ops/engines/{name}/drain"): (200, ops.EngineList, [], [], _EDIT),
    ("post", "/ops/engines/{name}/resume"): (200, ops.EngineList, [], [], _READ),
    ("post", "/ops/sync/unpark"): (200, ops.CountAnswer, [], [], (400, 401, 403, 422, 429)),
    ("get", "/ops/programs/{program_id}/index-state"): (200, ops.IndexStateAnswer, [], [], _READ),
    ("get", "/ops/queues"): (200, ops.QueueList, [], [], (401, 403, 429, 503)),
    ("post", "/ops/cache/purge"): (200, ops.CountAnswer, [], [], (400, 401, 403, 422, 429, 503)),
    ("get", "/catalog/merge-proposals"): (200, merging.MergeProposalList, [
        *_AFTER, _q("state", "Only this state.", "open", type="string", enum=list(MERGE_STATES)),
    ], [], (400, 401, 403, 429)),
    ("post", "/catalog/merge-proposals/{proposal_id}/merge"): (200, merging.MergeProposalAnswer, [], [], _EDIT),
    ("post", "/catalog/merge-proposals/{proposal_id}/dismiss"): (200, merging.MergeProposalAnswer, [], [], _EDIT),
    ("post", "/accounts/login"): (200, Tokens, [], [], (400, 401, 422, 429)),
    ("post", "/accounts/refresh"): (200, Tokens, [], [], (400, 401, 422, 429)),
    ("post", "/accounts/logout"): (204, None, [], [], (400, 422, 429)),
    ("get", "/accounts/me"): (200, AccountAnswer, [], [], (401, 403, 429)),
    ("get", "/accounts/api-keys"): (200, KeyList, [], [], (401, 403, 429)),
    ("post", "/accounts/api-keys"): (201, KeyAnswer, [], [], (400, 401, 403, 422, 429)),
    ("delete", "/accounts/api-keys/{key_id}"): (204, None, [], [], (400, 401, 403, 404, 429)),
    ("get", "/accounts/users"): (200, AccountList, _AFTER, [], (400, 401, 403, 429)),
    ("post", "/accounts/users"): (201, AccountAnswer, [], [], (400, 401, 403, 409, 422, 429)),
    ("patch", "/accounts/users/{account_id}"): (200, AccountAnswer, [], [], (400, 401, 403, 404, 422, 429)),
    ("get", "/health/live"): (200, dict[str, str], [], [], ()),
    ("get", "/health/ready"): (200, health.Ready, [], [], ()),
    ("get", "/metrics"): (200, None, [], [], ()),
}  # fmt: skip
for _action in programs.ACTIONS:
    _path = f"/catalog/programs/{{program_id}}/{_action}"
    OPERATIONS["post", _path] = (200, catalog.EditorAnswer, [], [_STALE], _EDIT)


# Answers and bodies that are not JSON.
_ANSWERS = {
    ("get", "/catalog/imports/{run_id}/events"): (
        "text/event-stream", 'event: progress\ndata: {"id":1,"status":"running","progress":0.5}\n\n',
    ),
    ("get", "/catalog/imports/{run_id}/errors"): (
        "text/csv", "position,externalId,title,field,code,message\r\n",
    ),
}  # fmt: skip
_BODIES = {
    ("post", "/catalog/imports/upload"): (
        "text/csv", "externalId,title,language,mediaType,mediaUrl\n1,قهوة,ar,audio,https://cdn.example/1.mp3\n",
    ),
}  # fmt: skip


def _config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Thmanyah Discovery",
        version=version("thmanyah-discovery"),
        description=(
            "Search and browse a catalogue of podcasts, films and documentaries in Arabic and English, "
            "and edit it. Errors are application/problem+json with a stable code."
        ),
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
                "apiKey": SecurityScheme(
                    type="apiKey", name="X-Api-Key", security_scheme_in="header"
                ),
            }
        ),
    )


def document(handlers: Sequence[Any]) -> dict[str, Any]:
    """The whole document of these routes as JSON values."""
    app = Litestar(route_handlers=handlers, openapi_config=_config())
    found: dict[str, Any] = app.openapi_schema.to_schema()
    shapes = [shape for _, shape, *_ in OPERATIONS.values() if shape is not None]
    rendered, components = msgspec.json.schema_components([*shapes, Problem], ref_template=_REF)
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    schemas |= components
    problem = rendered[-1]
    by_shape = dict(zip(map(str, shapes), rendered, strict=False))
    for path, item in found["paths"].items():
        for method, operation in item.items():
            status, shape, queries_, headers, refusals = OPERATIONS[method, path]
            _describe(
                operation,
                status,
                by_shape.get(str(shape)),
                [*queries_, *map(_header, headers)],
                refusals,
                schemas,
                problem,
            )
            _describe_text(operation, (method, path))
    return found


def _describe_text(operation: dict[str, Any], key: tuple[str, str]) -> None:
    text: dict[str, Any] = {"type": "string"}
    if key in _ANSWERS:
        media, shown = _ANSWERS[key]
        operation["responses"]["200"]["content"] = {media: {"schema": text, "example": shown}}
    if key in _BODIES:
        media, shown = _BODIES[key]
        operation["requestBody"] = {
            "required": True,
            "content": {media: {"schema": text, "example": shown}},
        }


def _describe(
    operation: dict[str, Any],
    status: int,
    shape: dict[str, Any] | None,
    parameters: list[dict[str, Any]],
    refusals: tuple[int, ...],
    schemas: dict[str, Any],
    problem: dict[str, Any],
) -> None:
    path_parameters = [p for p in operation.get("parameters", []) if p["in"] == "path"]
    for parameter in path_parameters:
        parameter["example"] = "1" if parameter["schema"].get("type") == "string" else 1
    operation["parameters"] = path_parameters + parameters
    answer: dict[str, Any] = {"description": operation.get("summary", "")}
    if shape is not None:
        answer["content"] = {
            "application/json": {"schema": shape, "example": example(shape, schemas)}
        }
    elif status == 200:
        answer["content"] = {"text/plain": {"schema": {"type": "string"}}}
    operation["responses"] = {str(status): answer}
    for refusal in refusals:
        code = next(code for code, (number, _) in CODES.items() if number == refusal)
        shown = example(problem, schemas) | {"status": refusal, "code": code, "title": CODES[code][1], "detail": CODES[code][1],
                                             "type": f"/docs/errors#{code}", "doc": f"/docs/errors#{code}"}  # fmt: skip
        operation["responses"][str(refusal)] = {
            "description": CODES[code][1],
            "content": {"application/problem+json": {"schema": problem, "example": shown}},
        }
    body = operation.get("requestBody")
    if body is not None:
        for media in body["content"].values():
            media["example"] = example(media["schema"], schemas)


def example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value of this schema: its own example where it has one, else a plain one."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if schema.get("examples"):
        return (
            next(iter(schema["examples"].values()))
            if isinstance(schema["examples"], dict)
            else schema["examples"][0]
        )
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return example(next(s for s in schema[union] if s.get("type") != "null"), schemas)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next(k for k in kind if k != "null")
    match kind:
        case "object":
            return {
                name: example(inner, schemas)
                for name, inner in schema.get("properties", {}).items()
            }
        case "array":
            return [example(schema["items"], schemas)] if schema.get("items") else []
        case "string":
            return "2026-01-31T18:00:00Z" if schema.get("format") == "date-time" else "text"
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return False
    return None
