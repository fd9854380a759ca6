"""The HTTP face: addresses, authorization, bodies. What they do is in the other modules."""

import gzip
import json
import re
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from deploy.local.searchnode import documents, filters, search, settings
from deploy.local.searchnode.errors import ApiError, unsupported
from deploy.local.searchnode.index import Index
from deploy.local.searchnode.keys import Keys
from deploy.local.searchnode.node import Node

VERSION = "1.50.0"
MAX_BODY = 100 * 1024 * 1024
_UID = re.compile(r"[A-Za-z0-9_-]{1,400}")
Handler = Callable[["Call"], Any]


class Call:
    """One request: the node, who asks for what, and the body when it is needed."""

    def __init__(self, request: Request[Any, Any, Any], body: bytes) -> None:
        self.request = request
        self.node: Node = request.app.state.node
        self.keys: Keys = request.app.state.api_keys
        self.raw = body
        self.path: dict[str, Any] = request.path_params
        self.query = request.query_params

    @property
    def uid(self) -> str:
        """The index the address names."""
        uid: str = self.path["uid"]
        if not _UID.fullmatch(uid):
            raise ApiError("invalid_index_uid", f"`{uid}` is not a valid index uid.")
        return uid

    @property
    def index(self) -> Index:
        """The index itself, which must exist."""
        return self.node.index(self.uid)

    def json(self) -> Any:
        """The body as JSON. Raises ApiError on another content type or malformed text."""
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip()
        if kind != "application/json":
            code = "invalid_content_type" if kind else "missing_content_type"
            raise ApiError(
                code, f"The Content-Type `{kind}` is invalid. Accepted values: `application/json`."
            )
        if not self.raw.strip():
            raise ApiError("missing_payload", "A json payload is missing.")
        try:
            return msgspec.json.decode(self.raw)
        except msgspec.DecodeError as error:
            raise ApiError(
                "malformed_payload", f"The json payload provided is malformed. `{error}`."
            ) from error

    def number(self, name: str, default: int, code: str) -> int:
        """A query parameter that is a natural number."""
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isdecimal():
            raise ApiError(
                code,
                f"Invalid value in parameter `{name}`: could not parse `{text}` as a positive integer.",
            )
        return int(text)


async def _body(request: Request[Any, Any, Any]) -> bytes:
    raw = await request.body()
    encoding = request.headers.get("content-encoding", "identity")
    try:
        if encoding == "gzip":
            return gzip.decompress(raw)
        if encoding == "deflate":
            return zlib.decompress(raw)
    except (OSError, zlib.error) as error:
        raise ApiError("malformed_payload", f"The payload is not {encoding}: {error}.") from error
    if encoding != "identity":
        raise unsupported(f"the content encoding `{encoding}`")
    return raw


def _answer(status: int, value: Any) -> Response[bytes]:
    body = b"" if status == 204 else msgspec.json.encode(value)
    return Response(body, status_code=status, media_type="application/json")


ROUTES: list[HTTPRouteHandler] = []


def route(
    method: str, path: str, action: str | None, status: int = 200
) -> Callable[[Handler], Handler]:
    """Serve `method path` with the decorated function, for keys that may do `action`."""

    def wrap(function: Handler) -> Handler:
        async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
            try:
                call = Call(request, await _body(request) if method != "GET" else b"")
                if action is not None:
                    call.keys.authorise(
                        request.headers.get("authorization"), action, call.path.get("uid")
                    )
                return _answer(status, function(call))
            except ApiError as error:
                return _answer(error.status, error.body())

        handle.__name__ = f"{method.lower()}_{function.__name__}"
        ROUTES.append(HTTPRouteHandler(path, http_method=method, status_code=200)(handle))  # type: ignore[arg-type]
        return function

    return wrap


@route("GET", "/health", None)
def health(call: Call) -> Any:
    return {"status": "available"}


@route("GET", "/version", "version")
def version(call: Call) -> Any:
    return {"commitSha": "searchnode", "commitDate": "unknown", "pkgVersion": VERSION}


def _stats(call: Call, index: Index, busy: set[str]) -> dict[str, Any]:
    size = sum(map(len, index.documents.values()))
    return {
        "numberOfDocuments": len(index.documents),
        "rawDocumentDbSize": size,
        "avgDocumentSize": size // len(index.documents) if index.documents else 0,
        "isIndexing": index.uid in busy,
        "numberOfEmbeddings": 0,
        "numberOfEmbeddedDocuments": 0,
        "fieldDistribution": dict(sorted(index.field_counts.items())),
    }


@route("GET", "/stats", "stats.get")
def stats(call: Call) -> Any:
    size = call.node.store.path.stat().st_size
    busy = call.node.busy
    indexes = {uid: _stats(call, index, busy) for uid, index in sorted(call.node.indexes.items())}
    last = max((i.updated_at for i in call.node.indexes.values()), default=None)
    return {"databaseSize": size, "usedDatabaseSize": size, "lastUpdate": last, "indexes": indexes}


@route("GET", "/indexes/{uid:str}/stats", "stats.get")
def index_stats(call: Call) -> Any:
    return _stats(call, call.index, call.node.busy)


def _described(index: Index) -> dict[str, Any]:
    return {"uid": index.uid, "createdAt": index.created_at, "updatedAt": index.updated_at,
            "primaryKey": index.primary_key}  # fmt: skip


def _page(call: Call, rows: list[Any], prefix: str) -> dict[str, Any]:
    offset = call.number("offset", 0, f"invalid_{prefix}_offset")
    limit = call.number("limit", 20, f"invalid_{prefix}_limit")
    return {
        "results": rows[offset : offset + limit],
        "offset": offset,
        "limit": limit,
        "total": len(rows),
    }


@route("GET", "/indexes", "indexes.get")
def list_indexes(call: Call) -> Any:
    found = [_described(call.node.indexes[uid]) for uid in sorted(call.node.indexes)]
    return _page(call, found, "index")


@route("POST", "/indexes", "indexes.create", 202)
def create_index(call: Call) -> Any:
    body = call.json()
    if not isinstance(body, dict) or body.get("uid") is None:
        raise ApiError("missing_index_uid", "Missing field `uid`")
    if not isinstance(body["uid"], str) or not _UID.fullmatch(body["uid"]):
        raise ApiError(
            "invalid_index_uid",
            f"Invalid value at `.uid`: `{body['uid']}` is not a valid index uid.",
        )
    unknown = body.keys() - {"uid", "primaryKey"}
    if unknown:
        raise ApiError("bad_request", f"Unknown field `{sorted(unknown)[0]}`.")
    key = body.get("primaryKey")
    return call.node.enqueue("indexCreation", body["uid"], {"primaryKey": key}, {"primaryKey": key})


@route("GET", "/indexes/{uid:str}", "indexes.get")
def get_index(call: Call) -> Any:
    return _described(call.index)


@route("PATCH", "/indexes/{uid:str}", "indexes.update", 202)
def update_index(call: Call) -> Any:
    key = call.json().get("primaryKey")
    return call.node.enqueue("indexUpdate", call.uid, {"primaryKey": key}, {"primaryKey": key})


@route("DELETE", "/indexes/{uid:str}", "indexes.delete", 202)
def delete_index(call: Call) -> Any:
    return call.node.enqueue("indexDeletion", call.uid, None, {})


@route("POST", "/swap-indexes", "indexes.swap", 202)
def swap(call: Call) -> Any:
    body = call.json()
    seen: set[str] = set()
    for pair in body if isinstance(body, list) else [{}]:
        names = pair.get("indexes") if isinstance(pair, dict) else None
        if not isinstance(names, list) or len(names) != 2:
            raise ApiError("invalid_swap_indexes", "Two indexes must be given for each swap.")
        for name in names:
            if name in seen:
                raise ApiError(
                    "invalid_swap_duplicate_index_found",
                    f"Indexes must be declared only once during a swap. `{name}` was specified several times.",
                )
            seen.add(name)
    swaps = [{"indexes": pair["indexes"], "rename": False} for pair in body]
    return call.node.enqueue("indexSwap", None, {"swaps": swaps}, swaps)


@route("GET", "/indexes/{uid:str}/settings", "settings.get")
def get_settings(call: Call) -> Any:
    return call.index.settings


@route("PATCH", "/indexes/{uid:str}/settings", "settings.update", 202)
def update_settings(call: Call) -> Any:
    change = settings.validate(call.json())
    return call.node.enqueue("settingsUpdate", call.uid, change, change)


@route("DELETE", "/indexes/{uid:str}/settings", "settings.update", 202)
def reset_settings(call: Call) -> Any:
    return call.node.enqueue(
        "settingsUpdate", call.uid, settings.defaults(), dict.fromkeys(settings.DEFAULTS)
    )


def _setting(call: Call) -> str:
    name = settings.BY_PATH.get(call.path["setting"])
    if name is None:
        raise ApiError("not_found", f"No setting `{call.path['setting']}`.")
    return name


@route("GET", "/indexes/{uid:str}/settings/{setting:str}", "settings.get")
def get_setting(call: Call) -> Any:
    return call.index.settings[_setting(call)]


def _set_setting(call: Call) -> Any:
    name = _setting(call)
    change = settings.validate({name: call.json()})
    return call.node.enqueue("settingsUpdate", call.uid, change, change)


@route("PUT", "/indexes/{uid:str}/settings/{setting:str}", "settings.update", 202)
def put_setting(call: Call) -> Any:
    return _set_setting(call)


@route("PATCH", "/indexes/{uid:str}/settings/{setting:str}", "settings.update", 202)
def patch_setting(call: Call) -> Any:
    return _set_setting(call)


@route("DELETE", "/indexes/{uid:str}/settings/{setting:str}", "settings.update", 202)
def reset_setting(call: Call) -> Any:
    name = _setting(call)
    return call.node.enqueue(
        "settingsUpdate", call.uid, {name: settings.defaults()[name]}, {name: None}
    )


def _send(call: Call, *, merge: bool) -> Any:
    uid = call.uid
    sent = documents.parse(call.raw, call.request.headers.get("content-type", ""))
    payload = {"documents": sent, "merge": merge, "primaryKey": call.query.get("primaryKey")}
    details = {"receivedDocuments": len(sent), "indexedDocuments": None}
    return call.node.enqueue(
        "documentAdditionOrUpdate", uid, details, payload, call.query.get("customMetadata")
    )


@route("POST", "/indexes/{uid:str}/documents", "documents.add", 202)
def replace_documents(call: Call) -> Any:
    return _send(call, merge=False)


@route("PUT", "/indexes/{uid:str}/documents", "documents.add", 202)
def update_documents(call: Call) -> Any:
    return _send(call, merge=True)


def _fetch(call: Call, body: dict[str, Any]) -> Any:
    index = call.index
    with call.node.lock:
        found = filters.evaluate(index, body.get("filter"), "invalid_document_filter")
        numbers = list(index.live if found is None else found & index.live)
        if body.get("ids") is not None:
            wanted = {index.ids.get(str(i)) for i in body["ids"]}
            numbers = [n for n in numbers if n in wanted]
        offset, limit, fields = body.get("offset", 0), body.get("limit", 20), body.get("fields")
        rows = [index.get(n) for n in numbers[offset : offset + limit]]
    if fields is not None and "*" not in fields:
        rows = [{k: v for k, v in row.items() if k in fields} for row in rows]
    return {"results": rows, "offset": offset, "limit": limit, "total": len(numbers)}


@route("GET", "/indexes/{uid:str}/documents", "documents.get")
def get_documents(call: Call) -> Any:
    fields = call.query.get("fields")
    return _fetch(call, {
        "offset": call.number("offset", 0, "invalid_document_offset"),
        "limit": call.number("limit", 20, "invalid_document_limit"),
        "fields": fields.split(",") if fields else None,
        "filter": call.query.get("filter"),
    })  # fmt: skip


@route("POST", "/indexes/{uid:str}/documents/fetch", "documents.get")
def fetch_documents(call: Call) -> Any:
    body = call.json()
    unknown = body.keys() - {"offset", "limit", "fields", "filter", "ids"}
    if unknown:
        raise ApiError("bad_request", f"Unknown field `{sorted(unknown)[0]}`.")
    return _fetch(call, body)


@route("GET", "/indexes/{uid:str}/documents/{document:str}", "documents.get")
def get_document(call: Call) -> Any:
    number = call.index.ids.get(call.path["document"])
    if number is None:
        raise ApiError("document_not_found", f"Document `{call.path['document']}` not found.")
    document = call.index.get(number)
    fields = call.query.get("fields")
    return {k: v for k, v in document.items() if k in fields.split(",")} if fields else document


def _delete(call: Call, details: dict[str, Any], payload: dict[str, Any]) -> Any:
    merged = {"providedIds": 0, "originalFilter": None, "deletedDocuments": None} | details
    return call.node.enqueue("documentDeletion", call.uid, merged, payload)


@route("DELETE", "/indexes/{uid:str}/documents", "documents.delete", 202)
def delete_all(call: Call) -> Any:
    return _delete(call, {}, {"all": True})


@route("DELETE", "/indexes/{uid:str}/documents/{document:str}", "documents.delete", 202)
def delete_one(call: Call) -> Any:
    return _delete(call, {"providedIds": 1}, {"ids": [call.path["document"]]})


@route("POST", "/indexes/{uid:str}/documents/delete-batch", "documents.delete", 202)
def delete_batch(call: Call) -> Any:
    ids = [str(i) for i in call.json()]
    return _delete(call, {"providedIds": len(ids)}, {"ids": ids})


@route("POST", "/indexes/{uid:str}/documents/delete", "documents.delete", 202)
def delete_by_filter(call: Call) -> Any:
    body = call.json()
    if not isinstance(body, dict) or "filter" not in body:
        raise ApiError("missing_document_filter", "Missing field `filter`")
    return _delete(call, {"originalFilter": json.dumps(body["filter"])}, {"filter": body["filter"]})


@route("POST", "/indexes/{uid:str}/search", "search")
def search_post(call: Call) -> Any:
    index = call.index
    body = call.json() if call.raw else {}
    with call.node.lock:
        return search.search(index, body)


_NUMERIC = {"offset", "limit", "page", "hitsPerPage", "cropLength"}
_LISTED = {
    "attributesToRetrieve",
    "attributesToHighlight",
    "attributesToCrop",
    "attributesToSearchOn",
    "facets",
    "sort",
}
_FLAGS = {"showRankingScore", "showRankingScoreDetails", "showMatchesPosition"}


@route("GET", "/indexes/{uid:str}/search", "search")
def search_get(call: Call) -> Any:
    body: dict[str, Any] = {}
    for name, text in call.query.items():
        if name in _NUMERIC:
            body[name] = call.number(
                name, 0, f"invalid_search_{settings.kebab(name).replace('-', '_')}"
            )
        elif name in _LISTED:
            body[name] = text.split(",")
        elif name in _FLAGS:
            body[name] = text == "true"
        else:
            body[name] = text
    with call.node.lock:
        return search.search(call.index, body)


@route("POST", "/multi-search", "search")
def multi_search(call: Call) -> Any:
    body = call.json()
    if not isinstance(body, dict) or "queries" not in body:
        raise ApiError("bad_request", "Missing field `queries`")
    if body.get("federation") is not None:
        raise unsupported("federated search")
    results = []
    for n, one in enumerate(body["queries"]):
        uid = one.get("indexUid")
        if uid is None:
            raise ApiError("missing_index_uid", f"Missing field `indexUid` inside `.queries[{n}]`")
        call.keys.authorise(call.request.headers.get("authorization"), "search", uid)
        with call.node.lock:
            rest = {k: v for k, v in one.items() if k != "indexUid"}
            results.append({"indexUid": uid, **search.search(call.node.index(uid), rest)})
    return {"results": results}


_FILTERS = {"uids": "uid", "statuses": "status", "types": "type", "indexUids": "indexUid"}


def _tasks(call: Call) -> list[dict[str, Any]]:
    """Tasks that the query parameters select, newest first."""
    known = {*_FILTERS, "limit", "from", "reverse", "canceledBy", "afterEnqueuedAt", "beforeEnqueuedAt",
             "afterStartedAt", "beforeStartedAt", "afterFinishedAt", "beforeFinishedAt", "batchUids"}  # fmt: skip
    for name in call.query:
        if name not in known:
            raise ApiError("bad_request", f"Unknown parameter `{name}`.")
    wanted = {
        f: set(call.query[n].split(","))
        for n, f in _FILTERS.items()
        if call.query.get(n, "*") != "*"
    }
    if any(not uid.isdecimal() for uid in wanted.get("uid", ())):
        raise ApiError("invalid_task_uids", "Invalid value in parameter `uids`.")
    statuses = {"enqueued", "processing", "succeeded", "failed", "canceled"}
    if wanted.get("status", set()) - statuses:
        raise ApiError("invalid_task_statuses", "Invalid value in parameter `statuses`.")
    from deploy.local.searchnode.executor import _KINDS

    if wanted.get("type", set()) - set(_KINDS):
        raise ApiError("invalid_task_types", "Invalid value in parameter `types`.")
    rows = [
        call.node.shown(json.loads(r))
        for (r,) in call.node.store.rows("SELECT record FROM tasks ORDER BY uid DESC")
    ]
    for field, values in wanted.items():
        rows = [row for row in rows if str(row[field]) in values]
    for name, value in call.query.items():
        if name.startswith(("after", "before")):
            field = name.removeprefix("after").removeprefix("before")
            field = field[0].lower() + field[1:]
            rows = [r for r in rows if r[field] and (r[field] > value) == name.startswith("after")]
    return rows


@route("GET", "/tasks", "tasks.get")
def list_tasks(call: Call) -> Any:
    rows = _tasks(call)
    total = len(rows)
    limit = call.number("limit", 20, "invalid_task_limit")
    start = call.number("from", -1, "invalid_task_from") if "from" in call.query else None
    if start is not None:
        rows = [row for row in rows if row["uid"] <= start]
    page, rest = rows[:limit], rows[limit:]
    return {"results": page, "total": total, "limit": limit, "from": page[0]["uid"] if page else None,
            "next": rest[0]["uid"] if rest else None}  # fmt: skip


@route("GET", "/tasks/{task:str}", "tasks.get")
def get_task(call: Call) -> Any:
    if not call.path["task"].isdecimal():
        raise ApiError(
            "invalid_task_uids", f"Invalid value in parameter `task_uid`: `{call.path['task']}`."
        )
    return call.node.task(int(call.path["task"]))


def _on_tasks(call: Call, kind: str, done: str) -> Any:
    if not call.query:
        raise ApiError(
            "missing_task_filters",
            f"Query parameters to filter the tasks to {done[:-1]} are missing.",
        )
    uids = [row["uid"] for row in _tasks(call)]
    details = {
        "matchedTasks": len(uids),
        f"{done}edTasks": None,
        "originalFilter": f"?{call.request.url.query}",
    }
    return call.node.enqueue(kind, None, details, {"uids": uids})


@route("DELETE", "/tasks", "tasks.delete", 200)
def delete_tasks(call: Call) -> Any:
    return _on_tasks(call, "taskDeletion", "delet")


@route("POST", "/tasks/cancel", "tasks.cancel", 200)
def cancel_tasks(call: Call) -> Any:
    return _on_tasks(call, "taskCancelation", "cancel")


@route("GET", "/keys", "keys.get")
def list_keys(call: Call) -> Any:
    return _page(call, call.keys.all(), "api_key")


@route("POST", "/keys", "keys.create", 201)
def create_key(call: Call) -> Any:
    return call.keys.create(call.json())


@route("GET", "/keys/{key:str}", "keys.get")
def get_key(call: Call) -> Any:
    return call.keys.get(call.path["key"])


@route("PATCH", "/keys/{key:str}", "keys.update")
def update_key(call: Call) -> Any:
    return call.keys.update(call.path["key"], call.json())


@route("DELETE", "/keys/{key:str}", "keys.delete", 204)
def delete_key(call: Call) -> Any:
    call.keys.delete(call.path["key"])


LEFT_OUT = {
    "/dumps": ("POST", "dumps"), "/snapshots": ("POST", "snapshots"), "/batches": ("GET", "batches"),
    "/network": ("GET", "the network"), "/webhooks": ("GET", "webhooks"), "/chats": ("GET", "chat"),
    "/experimental-features": ("GET", "experimental features"), "/export": ("POST", "exports"),
    "/indexes/{uid:str}/facet-search": ("POST", "facet search"),
    "/indexes/{uid:str}/similar": ("POST", "similar documents"),
}  # fmt: skip


def _left_out(path: str, method: str, what: str) -> None:
    @route(method, path, None)
    def refuse(call: Call) -> Any:
        raise unsupported(what)


for _path, (_method, _what) in LEFT_OUT.items():
    _left_out(_path, _method, _what)


def _http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if error.status_code == 413:
        too_large = ApiError("payload_too_large", "The provided payload reached the size limit.")
        return _answer(413, too_large.body())
    return _answer(error.status_code, None)


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    request.logger.exception("unexpected")
    return _answer(500, ApiError("internal", f"Internal: {type(error).__name__}").body())


def create_app(
    node: Node, keys: Keys, on_shutdown: Callable[[], Awaitable[None]] | None = None
) -> Litestar:
    """The application over one node."""
    app = Litestar(
        route_handlers=ROUTES,
        openapi_config=None,
        request_max_body_size=MAX_BODY,
        exception_handlers={HTTPException: _http_error, Exception: _unexpected},
        on_shutdown=[on_shutdown] if on_shutdown else [],
    )
    app.state.node, app.state.api_keys = node, keys
    return app
