"""Health, version, statistics; indexes and their settings."""

from typing import Any

import msgspec

from deploy.local.searchnode import settings
from deploy.local.searchnode.documents import UID
from deploy.local.searchnode.errors import ApiError, unsupported
from deploy.local.searchnode.index import Index
from deploy.local.searchnode.web import Call, route

# The version of the API that is spoken; `commitSha` says what speaks it.
VERSION = "1.50.0"
NAME = "thmanyah-searchnode"


@route("GET", "/health", None, quick=True)
def health(call: Call) -> Any:
    return {"status": "available"}


@route("GET", "/version", "version")
def version(call: Call) -> Any:
    return {"commitSha": NAME, "commitDate": "unknown", "pkgVersion": VERSION}


def _stats(index: Index, busy: set[str]) -> dict[str, Any]:
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
    shown = [i for uid, i in sorted(call.node.indexes.items()) if call.grant.covers(uid)]
    busy = call.node.busy
    return {
        "databaseSize": size,
        "usedDatabaseSize": size,
        "lastUpdate": max((i.updated_at for i in shown), default=None),
        "indexes": {index.uid: _stats(index, busy) for index in shown},
    }


@route("GET", "/indexes/{uid:str}/stats", "stats.get")
def index_stats(call: Call) -> Any:
    return _stats(call.index, call.node.busy)


def _described(index: Index) -> dict[str, Any]:
    return {"uid": index.uid, "createdAt": index.created_at, "updatedAt": index.updated_at,
            "primaryKey": index.primary_key}  # fmt: skip


@route("GET", "/indexes", "indexes.get")
def list_indexes(call: Call) -> Any:
    shown = [uid for uid in sorted(call.node.indexes) if call.grant.covers(uid)]
    return call.page([_described(call.node.indexes[uid]) for uid in shown], "index")


def _primary_key(body: dict[str, Any]) -> str | None:
    key = body.get("primaryKey")
    if key is not None and not isinstance(key, str):
        raise ApiError("invalid_index_primary_key", "Invalid value type at `.primaryKey`.")
    return key


@route("POST", "/indexes", "indexes.create", 202)
def create_index(call: Call) -> Any:
    body = call.object("uid", "primaryKey")
    uid = body.get("uid")
    if uid is None:
        raise ApiError("missing_index_uid", "Missing field `uid`")
    if not isinstance(uid, str) or not UID.fullmatch(uid):
        raise ApiError(
            "invalid_index_uid", f"Invalid value at `.uid`: `{uid}` is not a valid index uid."
        )
    call.authorise("indexes.create", uid)
    key = {"primaryKey": _primary_key(body)}
    return call.node.enqueue("indexCreation", uid, key, key)


@route("GET", "/indexes/{uid:str}", "indexes.get")
def get_index(call: Call) -> Any:
    return _described(call.index)


@route("PATCH", "/indexes/{uid:str}", "indexes.update", 202)
def update_index(call: Call) -> Any:
    body = call.object("primaryKey", "uid")
    if "uid" in body:
        raise unsupported("renaming an index (two indexes can be swapped)")
    key = {"primaryKey": _primary_key(body)}
    return call.node.enqueue("indexUpdate", call.uid, key, key)


@route("DELETE", "/indexes/{uid:str}", "indexes.delete", 202)
def delete_index(call: Call) -> Any:
    return call.node.enqueue("indexDeletion", call.uid, None, {})


@route("POST", "/swap-indexes", "indexes.swap", 202)
def swap(call: Call) -> Any:
    body = call.json()
    if not isinstance(body, list):
        raise ApiError("bad_request", "Invalid value type: expected an array.")
    seen: set[str] = set()
    for pair in body:
        for name in _swapped(pair):
            call.authorise("indexes.swap", name)
            if name in seen:
                raise ApiError(
                    "invalid_swap_duplicate_index_found",
                    f"Indexes must be declared only once during a swap. `{name}` was specified several times.",
                )
            seen.add(name)
    swaps = [{"indexes": pair["indexes"], "rename": False} for pair in body]
    return call.node.enqueue("indexSwap", None, {"swaps": swaps}, swaps)


def _swapped(pair: Any) -> list[str]:
    """The two indexes of a swap. Raises ApiError."""
    if not isinstance(pair, dict):
        raise ApiError("bad_request", "Invalid value type: expected an object.")
    for field in pair:
        if field not in ("indexes", "rename"):
            raise ApiError("bad_request", f"Unknown field `{field}`.")
    if "indexes" not in pair:
        raise ApiError("missing_swap_indexes", "Missing field `indexes`.")
    names = pair["indexes"]
    if not isinstance(names, list) or not all(
        isinstance(name, str) and UID.fullmatch(name) for name in names
    ):
        raise ApiError("invalid_swap_indexes", "Invalid value at `.indexes`.")
    if len(names) != 2:
        raise ApiError("invalid_swap_indexes", "Two indexes must be given for each swap.")
    if pair.get("rename"):
        raise unsupported("renaming an index (two indexes can be swapped)")
    return names


@route("GET", "/indexes/{uid:str}/settings", "settings.get")
def get_settings(call: Call) -> Any:
    return call.index.settings


@route("PATCH", "/indexes/{uid:str}/settings", "settings.update", 202)
def update_settings(call: Call) -> Any:
    change = settings.validate(call.json())
    return call.node.enqueue("settingsUpdate", call.uid, settings.told(change), change)


@route("DELETE", "/indexes/{uid:str}/settings", "settings.update", 202)
def reset_settings(call: Call) -> Any:
    reset = dict.fromkeys(settings.DEFAULTS)
    return call.node.enqueue("settingsUpdate", call.uid, settings.reset_all(), reset)


def _setting(call: Call) -> str:
    path = call.path["setting"]
    if path in {settings.kebab(name) for name in settings.LEFT_OUT}:
        raise unsupported(f"the setting `{path}`")
    name = settings.BY_PATH.get(path)
    if name is None:
        raise ApiError("not_found", f"No setting `{path}`.")
    return name


@route("GET", "/indexes/{uid:str}/settings/{setting:str}", "settings.get")
def get_setting(call: Call) -> Any:
    name = _setting(call)
    value = call.index.settings[name]
    return msgspec.Raw(b"null") if value is None else value


def _set_setting(call: Call) -> Any:
    change = settings.validate({_setting(call): call.json()})
    return call.node.enqueue("settingsUpdate", call.uid, settings.told(change), change)


@route("PUT", "/indexes/{uid:str}/settings/{setting:str}", "settings.update", 202)
def put_setting(call: Call) -> Any:
    return _set_setting(call)


@route("PATCH", "/indexes/{uid:str}/settings/{setting:str}", "settings.update", 202)
def patch_setting(call: Call) -> Any:
    return _set_setting(call)


@route("DELETE", "/indexes/{uid:str}/settings/{setting:str}", "settings.update", 202)
def reset_setting(call: Call) -> Any:
    reset = {_setting(call): None}
    return call.node.enqueue("settingsUpdate", call.uid, reset, reset)
