"""Documents: sent, read, deleted."""

from typing import Any

import msgspec

from deploy.local.searchnode import documents, filters
from deploy.local.searchnode.errors import ApiError, unsupported
from deploy.local.searchnode.rank.search import Wanted, rank
from deploy.local.searchnode.search import check_sortable, picked, sort_order
from deploy.local.searchnode.web import Call, route


def _send(call: Call, *, merge: bool) -> Any:
    uid = call.uid
    for name in call.query:
        if name not in ("primaryKey", "customMetadata", "csvDelimiter", "skipCreation"):
            raise ApiError("bad_request", f"Unknown parameter `{name}`.")
    if "csvDelimiter" in call.query:
        raise unsupported("CSV documents")
    if call.query.get("skipCreation", "false") != "false":
        raise unsupported("`skipCreation`")
    sent = documents.parse(call.raw, call.content_type)
    if uid not in call.node.indexes:
        # Documents make the index, so the key must be allowed to.
        call.authorise("documents.add", uid)
    payload = documents.Addition(sent, merge, call.query.get("primaryKey"))
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


class _Fetch(msgspec.Struct, forbid_unknown_fields=True):
    """What `documents/fetch` may be asked."""

    offset: int = 0
    limit: int = 20
    fields: list[str] | None = None
    filter: Any = None
    ids: list[str | int] | None = None
    sort: list[str] | None = None


def _fetch(call: Call, asked: _Fetch) -> Any:
    index = call.index
    with call.node.lock:
        order = sort_order(asked.sort or [], "invalid_document_sort")
        found = filters.evaluate(index, asked.filter, "invalid_document_filter")
        check_sortable(index, order, "invalid_document_sort")
        allowed = index.live if found is None else found & index.live
        if asked.ids is not None:
            wanted = (index.ids.get(str(i)) for i in asked.ids)
            allowed = allowed & type(allowed)(n for n in wanted if n is not None)
        _, ranked = rank(
            index, Wanted("", allowed, order, offset=asked.offset, limit=asked.limit), by=order
        )
        rows = [index.get(number) for number in ranked.numbers]
    if asked.fields is not None:
        rows = [picked(row, asked.fields) for row in rows]
    return {
        "results": rows, "offset": asked.offset, "limit": asked.limit, "total": len(allowed),
    }  # fmt: skip


@route("GET", "/indexes/{uid:str}/documents", "documents.get")
def get_documents(call: Call) -> Any:
    for name, text in call.query.items():
        if name not in ("offset", "limit", "fields", "filter", "ids", "sort", "retrieveVectors"):
            raise ApiError("bad_request", f"Unknown parameter `{name}`.")
        if name == "retrieveVectors" and text != "false":
            raise unsupported("vectors")

    def listed(name: str) -> list[str] | None:
        return call.query[name].split(",") if name in call.query else None

    return _fetch(call, _Fetch(
        call.number("offset", 0, "invalid_document_offset"),
        call.number("limit", 20, "invalid_document_limit"),
        listed("fields"), call.query.get("filter"), listed("ids"), listed("sort"),  # type: ignore[arg-type]
    ))  # fmt: skip


@route("POST", "/indexes/{uid:str}/documents/fetch", "documents.get")
def fetch_documents(call: Call) -> Any:
    body = call.object("offset", "limit", "fields", "filter", "ids", "sort", "retrieveVectors")
    if body.pop("retrieveVectors", False):
        raise unsupported("vectors")
    for name, value in body.items():
        try:
            msgspec.convert({name: value}, _Fetch)
        except msgspec.ValidationError as error:
            raise ApiError(f"invalid_document_{name}", f"Invalid value: {error}.") from error
        if name in ("offset", "limit") and value < 0:
            raise ApiError(f"invalid_document_{name}", f"`.{name}` must not be negative.")
    asked = msgspec.convert(body, _Fetch)
    if asked.fields is not None:
        # Here a star stands for nothing; in an address it stands for all.
        asked.fields = [name for name in asked.fields if name != "*"]
    return _fetch(call, asked)


@route("GET", "/indexes/{uid:str}/documents/{document:str}", "documents.get")
def get_document(call: Call) -> Any:
    with call.node.lock:
        number = call.index.ids.get(call.path["document"])
        if number is None:
            raise ApiError("document_not_found", f"Document `{call.path['document']}` not found.")
        document = call.index.get(number)
    fields = call.query.get("fields")
    return picked(document, fields.split(",")) if fields else document


def _delete(call: Call, payload: dict[str, Any], ids: int, asked: str | None = None) -> Any:
    details = {"providedIds": ids, "deletedDocuments": None, "originalFilter": asked}
    return call.node.enqueue(
        "documentDeletion", call.uid, details, payload, call.query.get("customMetadata")
    )


@route("DELETE", "/indexes/{uid:str}/documents", "documents.delete", 202)
def delete_all(call: Call) -> Any:
    return call.node.enqueue(
        "documentDeletion", call.uid, {"deletedDocuments": None}, {"all": True},
        call.query.get("customMetadata"),
    )  # fmt: skip


@route("DELETE", "/indexes/{uid:str}/documents/{document:str}", "documents.delete", 202)
def delete_one(call: Call) -> Any:
    return _delete(call, {"ids": [call.path["document"]]}, 1)


@route("POST", "/indexes/{uid:str}/documents/delete-batch", "documents.delete", 202)
def delete_batch(call: Call) -> Any:
    body = call.json()
    if not isinstance(body, list):
        raise ApiError("bad_request", "Expected an array of document ids.")
    return _delete(call, {"ids": [str(i) for i in body]}, len(body))


@route("POST", "/indexes/{uid:str}/documents/delete", "documents.delete", 202)
def delete_by_filter(call: Call) -> Any:
    body = call.object("filter")
    if "filter" not in body:
        raise ApiError("missing_document_filter", "Missing field `filter`")
    asked = body["filter"]
    if not isinstance(asked, str | list) or not asked:
        raise ApiError("invalid_document_filter", "Sending an empty filter is forbidden.")
    filters.read(asked, "invalid_document_filter")
    return _delete(call, {"filter": asked}, 0, msgspec.json.encode(asked).decode())


@route("POST", "/indexes/{uid:str}/documents/edit", "documents.add")
def edit(call: Call) -> Any:
    raise unsupported("editing documents by function")
