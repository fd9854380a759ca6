"""Searches: one, several, and of facet values."""

from typing import Any

from deploy.local.searchnode import parameters, search
from deploy.local.searchnode.documents import UID
from deploy.local.searchnode.errors import ApiError, unsupported
from deploy.local.searchnode.facet_search import facet_search
from deploy.local.searchnode.web import Call, route


@route("POST", "/indexes/{uid:str}/search", "search", quick=True)
def search_post(call: Call) -> Any:
    body = call.json() if call.raw else {}
    with call.node.lock:
        return search.search(call.index, body)


@route("GET", "/indexes/{uid:str}/search", "search", quick=True)
def search_get(call: Call) -> Any:
    body = parameters.from_query(dict(call.query.items()))
    with call.node.lock:
        return search.search(call.index, body)


@route("POST", "/indexes/{uid:str}/facet-search", "search", quick=True)
def search_facets(call: Call) -> Any:
    body = call.json()
    with call.node.lock:
        return facet_search(call.index, body)


@route("POST", "/multi-search", "search", quick=True)
def multi_search(call: Call) -> Any:
    body = call.object("queries", "federation")
    if body.get("federation") is not None:
        raise unsupported("federated search")
    if not isinstance(body.get("queries"), list):
        raise ApiError("bad_request", "Missing field `queries`")
    results = []
    for n, one in enumerate(body["queries"]):
        if not isinstance(one, dict):
            raise ApiError("bad_request", f"Invalid value type at `.queries[{n}]`.")
        uid = one.get("indexUid", "")
        if "indexUid" in one and not (isinstance(uid, str) and UID.fullmatch(uid)):
            raise ApiError("invalid_index_uid", f"Invalid value at `.queries[{n}].indexUid`.")
        if not uid:
            raise ApiError("missing_index_uid", f"Missing field `indexUid` inside `.queries[{n}]`")
        call.authorise("search", uid)
        rest = {k: v for k, v in one.items() if k != "indexUid"}
        try:
            with call.node.lock:
                results.append({"indexUid": uid, **search.search(call.node.index(uid), rest)})
        except ApiError as error:
            # Here a missing index is a fault of the request, not of the address.
            wrong = ApiError(error.code, f"Inside `.queries[{n}]`: {error.message}")
            wrong.status_of = 400 if error.status == 404 else error.status
            raise wrong from error
    return {"results": results}
