"""Routes of indexes: list, create, read, update, delete, swap."""

from deploy.searchnode.errors import ApiError, NotSupported
from deploy.searchnode.http.call import Call
from deploy.searchnode.http.routing import Route
from deploy.searchnode.index.index import Index, is_valid_uid
from deploy.searchnode.tasks.payloads import IndexKey, Swap
from deploy.searchnode.values import Json, JsonObject

_RENAMING = "renaming an index (two indexes can be swapped)"


def _described(index: Index) -> JsonObject:
    return {
        "uid": index.uid,
        "createdAt": index.created_at,
        "updatedAt": index.updated_at,
        "primaryKey": index.primary_key,
    }


def list_indexes(call: Call) -> object:
    """Answer a page of the indexes that the caller may see, in order of their uids."""
    shown = [uid for uid in sorted(call.node.indexes) if call.grant.covers(uid)]
    return call.page([_described(call.node.indexes[uid]) for uid in shown], "index")


def _primary_key(body: JsonObject) -> str | None:
    key = body.get("primaryKey")
    if key is not None and not isinstance(key, str):
        raise ApiError("invalid_index_primary_key", "Invalid value type at `.primaryKey`.")
    return key


def create_index(call: Call) -> object:
    """Enqueue the creation of an index.

    Raises:
        ApiError: The uid is missing or wrong, or the caller may not create this index.
    """
    body = call.json_object("uid", "primaryKey")
    uid = body.get("uid")
    if uid is None:
        raise ApiError("missing_index_uid", "Missing field `uid`")
    if not isinstance(uid, str) or not is_valid_uid(uid):
        raise ApiError("invalid_index_uid", f"Invalid value at `.uid`: `{uid}` is not a valid index uid.")
    call.authorise("indexes.create", uid)
    key = _primary_key(body)
    return call.node.enqueue("indexCreation", uid, {"primaryKey": key}, IndexKey(key))


def get_index(call: Call) -> object:
    """Answer one index."""
    return _described(call.index)


def update_index(call: Call) -> object:
    """Enqueue a change of an index's primary key.

    Raises:
        NotSupported: The request asks to rename the index.
    """
    body = call.json_object("primaryKey", "uid")
    if "uid" in body:
        raise NotSupported(_RENAMING)
    key = _primary_key(body)
    return call.node.enqueue("indexUpdate", call.uid, {"primaryKey": key}, IndexKey(key))


def delete_index(call: Call) -> object:
    """Enqueue the deletion of an index with its documents."""
    return call.node.enqueue("indexDeletion", call.uid, None)


def swap_indexes(call: Call) -> object:
    """Enqueue swaps of pairs of indexes.

    Raises:
        ApiError: The body is no list of pairs, or names an index twice.
    """
    body = call.json()
    if not isinstance(body, list):
        raise ApiError("bad_request", "Invalid value type: expected an array.")
    swaps, seen = [], set[str]()
    for entry in body:
        pair = _swap(entry)
        for uid in pair.indexes:
            call.authorise("indexes.swap", uid)
            if uid in seen:
                raise ApiError(
                    "invalid_swap_duplicate_index_found",
                    f"Indexes must be declared only once during a swap. `{uid}` was specified several times.",
                )
            seen.add(uid)
        swaps.append(pair)
    details: list[Json] = [{"indexes": [*pair.indexes], "rename": pair.rename} for pair in swaps]
    return call.node.enqueue("indexSwap", None, {"swaps": details}, swaps)


def _swap(entry: Json) -> Swap:
    """Return one swap of the body.

    Raises:
        ApiError: It does not name two indexes.
        NotSupported: It asks to rename an index.
    """
    if not isinstance(entry, dict):
        raise ApiError("bad_request", "Invalid value type: expected an object.")
    for field in entry:
        if field not in ("indexes", "rename"):
            raise ApiError("bad_request", f"Unknown field `{field}`.")
    if "indexes" not in entry:
        raise ApiError("missing_swap_indexes", "Missing field `indexes`.")
    names = entry["indexes"]
    if not isinstance(names, list):
        raise ApiError("invalid_swap_indexes", "Invalid value at `.indexes`.")
    uids = [name for name in names if isinstance(name, str) and is_valid_uid(name)]
    if len(uids) < len(names):
        raise ApiError("invalid_swap_indexes", "Invalid value at `.indexes`.")
    if len(uids) != 2:
        raise ApiError("invalid_swap_indexes", "Two indexes must be given for each swap.")
    if entry.get("rename"):
        raise NotSupported(_RENAMING)
    return Swap((uids[0], uids[1]))


ROUTES = (
    Route("GET", "/indexes", "indexes.get", list_indexes),
    Route("POST", "/indexes", "indexes.create", create_index, 202),
    Route("GET", "/indexes/{uid:str}", "indexes.get", get_index),
    Route("PATCH", "/indexes/{uid:str}", "indexes.update", update_index, 202),
    Route("DELETE", "/indexes/{uid:str}", "indexes.delete", delete_index, 202),
    Route("POST", "/swap-indexes", "indexes.swap", swap_indexes, 202),
)
