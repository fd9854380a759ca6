"""Routes of searches: one search, several at once, and searches for values of a facet."""

from deploy.searchnode.errors import ApiError, NotSupported
from deploy.searchnode.http.call import Call
from deploy.searchnode.http.routing import Route
from deploy.searchnode.index.index import is_valid_uid
from deploy.searchnode.query import parameters
from deploy.searchnode.query.facet_search import facet_search
from deploy.searchnode.query.search import search
from deploy.searchnode.values import Json


def search_post(call: Call) -> object:
    """Answer a search whose parameters are in the body."""
    body = call.json() if call.body else {}
    with call.node.lock:
        return search(call.index, body)


def search_get(call: Call) -> object:
    """Answer a search whose parameters are in the address."""
    body = parameters.from_query(dict(call.query.items()))
    with call.node.lock:
        return search(call.index, body)


def search_facet(call: Call) -> object:
    """Answer a search for values of a facet."""
    body = call.json()
    with call.node.lock:
        return facet_search(call.index, body)


def multi_search(call: Call) -> object:
    """Answer several searches, each over an index of its own.

    Raises:
        ApiError: The body is wrong; a search fails, and the message says which.
        NotSupported: The request asks for a federated search.
    """
    body = call.json_object("queries", "federation")
    if body.get("federation") is not None:
        raise NotSupported("federated search")
    queries = body.get("queries")
    if not isinstance(queries, list):
        raise ApiError("bad_request", "Missing field `queries`")
    return {"results": [_search_of(call, n, query) for n, query in enumerate(queries)]}


def _search_of(call: Call, n: int, query: Json) -> dict[str, object]:
    """Answer search number `n` of a multi-search.

    Raises:
        ApiError: It names no index, or fails.
    """
    if not isinstance(query, dict):
        raise ApiError("bad_request", f"Invalid value type at `.queries[{n}]`.")
    uid = query.get("indexUid", "")
    if "indexUid" in query and not (isinstance(uid, str) and is_valid_uid(uid)):
        raise ApiError("invalid_index_uid", f"Invalid value at `.queries[{n}].indexUid`.")
    if not isinstance(uid, str) or not uid:
        raise ApiError("missing_index_uid", f"Missing field `indexUid` inside `.queries[{n}]`")
    call.authorise("search", uid)
    try:
        with call.node.lock:
            own_parameters = {name: value for name, value in query.items() if name != "indexUid"}
            return {"indexUid": uid, **search(call.node.index(uid), own_parameters)}
    except ApiError as error:
        # Here a missing index is a fault of the body, not of the address.
        wrong = ApiError(error.code, f"Inside `.queries[{n}]`: {error.message}")
        wrong.status_override = 400 if error.status == 404 else error.status
        raise wrong from error


ROUTES = (
    Route("POST", "/indexes/{uid:str}/search", "search", search_post, quick=True),
    Route("GET", "/indexes/{uid:str}/search", "search", search_get, quick=True),
    Route("POST", "/indexes/{uid:str}/facet-search", "search", search_facet, quick=True),
    Route("POST", "/multi-search", "search", multi_search, quick=True),
)
