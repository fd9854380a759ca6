"""Routes of documents: send, read, delete."""

import msgspec
from pyroaring import BitMap

from deploy.searchnode.errors import ApiError, NotSupported
from deploy.searchnode.http.call import Call
from deploy.searchnode.http.routing import Route
from deploy.searchnode.query.filters import evaluation
from deploy.searchnode.query.hits import pick
from deploy.searchnode.query.search import check_sortable, sort_keys
from deploy.searchnode.rank.search import RankRequest, rank
from deploy.searchnode.tasks import documents
from deploy.searchnode.tasks.payloads import Addition, Deletion
from deploy.searchnode.values import Json

_WRONG_FILTER = "invalid_document_filter"


class _Fetch(msgspec.Struct, forbid_unknown_fields=True):
    """The documents that a request wants to read. `filter` is a text or a list."""

    offset: int = 0
    limit: int = 20
    fields: list[str] | None = None
    filter: object = None
    ids: list[str | int] | None = None
    sort: list[str] | None = None


def _send(call: Call, *, merge: bool) -> object:
    uid = call.uid
    for name in call.query:
        if name not in ("primaryKey", "customMetadata", "csvDelimiter", "skipCreation"):
            raise ApiError("bad_request", f"Unknown parameter `{name}`.")
    if "csvDelimiter" in call.query:
        raise NotSupported("CSV documents")
    if call.query.get("skipCreation", "false") != "false":
        raise NotSupported("`skipCreation`")
    sent = documents.parse(call.body, call.content_type)
    if uid not in call.node.indexes:
        # The documents create the index, so the key must allow it for this index.
        call.authorise("documents.add", uid)
    return call.node.enqueue(
        "documentAdditionOrUpdate",
        uid,
        {"receivedDocuments": len(sent), "indexedDocuments": None},
        Addition(sent, merge, call.query.get("primaryKey")),
        call.metadata,
    )


def replace_documents(call: Call) -> object:
    """Enqueue documents that replace those with the same ids."""
    return _send(call, merge=False)


def update_documents(call: Call) -> object:
    """Enqueue documents that are merged into those with the same ids."""
    return _send(call, merge=True)


def _fetch(call: Call, wanted: _Fetch) -> object:
    index = call.index
    with call.node.lock:
        order = sort_keys(wanted.sort or [], "invalid_document_sort")
        found = evaluation.evaluate(index, wanted.filter, _WRONG_FILTER)
        check_sortable(index, order, "invalid_document_sort")
        allowed = index.live if found is None else found & index.live
        if wanted.ids is not None:
            numbers = (index.ids.get(str(external)) for external in wanted.ids)
            allowed = allowed & BitMap(number for number in numbers if number is not None)
        request = RankRequest("", allowed, order, offset=wanted.offset, limit=wanted.limit)
        _, ranked = rank(index, request, by=order)
        rows = [index.get(number) for number in ranked.numbers]
    if wanted.fields is not None:
        rows = [pick(row, wanted.fields) for row in rows]
    return {"results": rows, "offset": wanted.offset, "limit": wanted.limit, "total": len(allowed)}


def get_documents(call: Call) -> object:
    """Answer a page of documents, selected by parameters.

    Raises:
        ApiError: A parameter is unknown or wrong.
        NotSupported: The request asks for vectors.
    """
    for name, text in call.query.items():
        if name not in ("offset", "limit", "fields", "filter", "ids", "sort", "retrieveVectors"):
            raise ApiError("bad_request", f"Unknown parameter `{name}`.")
        if name == "retrieveVectors" and text != "false":
            raise NotSupported("vectors")

    def listed(name: str) -> list[str] | None:
        return call.query[name].split(",") if name in call.query else None

    ids = listed("ids")
    return _fetch(
        call,
        _Fetch(
            offset=call.number("offset", 0, "invalid_document_offset"),
            limit=call.number("limit", 20, "invalid_document_limit"),
            fields=listed("fields"),
            filter=call.query.get("filter"),
            ids=None if ids is None else [*ids],
            sort=listed("sort"),
        ),
    )


def fetch_documents(call: Call) -> object:
    """Answer a page of documents, selected by a body.

    Raises:
        ApiError: A field is unknown or wrong.
        NotSupported: The request asks for vectors.
    """
    body = call.json_object("offset", "limit", "fields", "filter", "ids", "sort", "retrieveVectors")
    if body.pop("retrieveVectors", False):
        raise NotSupported("vectors")
    for name, value in body.items():
        try:
            msgspec.convert({name: value}, _Fetch)
        except msgspec.ValidationError as error:
            raise ApiError(f"invalid_document_{name}", f"Invalid value: {error}.") from error
        if name in ("offset", "limit") and isinstance(value, int) and value < 0:
            raise ApiError(f"invalid_document_{name}", f"`.{name}` must not be negative.")
    wanted = msgspec.convert(body, _Fetch)
    if wanted.fields is not None:
        # In a body a star stands for no attribute; in an address it stands for all.
        wanted.fields = [name for name in wanted.fields if name != "*"]
    return _fetch(call, wanted)


def get_document(call: Call) -> object:
    """Answer one document.

    Raises:
        ApiError: There is no such document.
    """
    with call.node.lock:
        number = call.index.ids.get(call.path["document"])
        if number is None:
            raise ApiError("document_not_found", f"Document `{call.path['document']}` not found.")
        document = call.index.get(number)
    fields = call.query.get("fields")
    return pick(document, fields.split(",")) if fields else document


def _delete(call: Call, deletion: Deletion, provided_ids: int, filter_: str | None = None) -> object:
    details: dict[str, Json] = {
        "providedIds": provided_ids,
        "deletedDocuments": None,
        "originalFilter": filter_,
    }
    return call.node.enqueue("documentDeletion", call.uid, details, deletion, call.metadata)


def delete_all(call: Call) -> object:
    """Enqueue the deletion of all documents."""
    return call.node.enqueue(
        "documentDeletion", call.uid, {"deletedDocuments": None}, Deletion(all=True), call.metadata
    )


def delete_document(call: Call) -> object:
    """Enqueue the deletion of one document."""
    return _delete(call, Deletion(ids=[call.path["document"]]), 1)


def delete_batch(call: Call) -> object:
    """Enqueue the deletion of several documents by their ids.

    Raises:
        ApiError: The body is no list.
    """
    body = call.json()
    if not isinstance(body, list):
        raise ApiError("bad_request", "Expected an array of document ids.")
    return _delete(call, Deletion(ids=[str(external) for external in body]), len(body))


def delete_by_filter(call: Call) -> object:
    """Enqueue the deletion of the documents that a filter lets through.

    Raises:
        ApiError: The filter is missing, empty or wrong.
    """
    body = call.json_object("filter")
    if "filter" not in body:
        raise ApiError("missing_document_filter", "Missing field `filter`")
    filter_ = body["filter"]
    if not isinstance(filter_, str | list) or not filter_:
        raise ApiError(_WRONG_FILTER, "Sending an empty filter is forbidden.")
    evaluation.read(filter_, _WRONG_FILTER)
    return _delete(call, Deletion(filter=filter_), 0, msgspec.json.encode(filter_).decode())


def edit_documents(call: Call) -> object:
    """Refuse to edit documents by a function.

    Raises:
        NotSupported: Always.
    """
    raise NotSupported("editing documents by function")


_ALL = "/indexes/{uid:str}/documents"
_SINGLE = "/indexes/{uid:str}/documents/{document:str}"
ROUTES = (
    Route("POST", _ALL, "documents.add", replace_documents, 202),
    Route("PUT", _ALL, "documents.add", update_documents, 202),
    Route("GET", _ALL, "documents.get", get_documents),
    Route("POST", f"{_ALL}/fetch", "documents.get", fetch_documents),
    Route("GET", _SINGLE, "documents.get", get_document),
    Route("DELETE", _ALL, "documents.delete", delete_all, 202),
    Route("DELETE", _SINGLE, "documents.delete", delete_document, 202),
    Route("POST", f"{_ALL}/delete-batch", "documents.delete", delete_batch, 202),
    Route("POST", f"{_ALL}/delete", "documents.delete", delete_by_filter, 202),
    Route("POST", f"{_ALL}/edit", "documents.add", edit_documents),
)
