"""One search: finds and ranks documents, pages, counts and shows them. `http/routes/search.py` calls it."""

import time

from pyroaring import BitMap

from deploy.searchnode.attributes import is_within_any, matches
from deploy.searchnode.errors import ApiError
from deploy.searchnode.index.index import Index
from deploy.searchnode.query.distribution import distribution
from deploy.searchnode.query.filters import evaluation
from deploy.searchnode.query.hits import Hits
from deploy.searchnode.query.parameters import SearchParameters, check
from deploy.searchnode.rank.search import RankRequest, SortKey, rank, same_value
from deploy.searchnode.values import Json

# The hits of a page when the request numbers pages and does not say how long they are.
_HITS_PER_PAGE = 20


def search(index: Index, body: Json) -> dict[str, object]:
    """Answer a search. The caller holds the node's lock.

    Args:
        index: The index.
        body: The request's body: an object with the parameters.

    Returns:
        The answer as `POST /indexes/{uid}/search` gives it, a value that msgspec can encode.

    Raises:
        ApiError: A parameter is wrong, or the settings do not allow the search.
    """
    started = time.perf_counter()
    parameters = check(body)
    text = parameters.q or ""
    # When several parameters are wrong, Meilisearch reports them in this order.
    tree = evaluation.read(parameters.filter)
    order = sort_keys(parameters.sort or [], "invalid_search_sort")
    fields = searchable_fields(index, parameters.attributes_to_search_on)
    distinct = _distinct(index, parameters.distinct)
    allowed = evaluation.documents(index, tree)
    if order and "sort" not in index.settings["rankingRules"]:
        raise ApiError("invalid_search_sort", "You must specify where `sort` is listed in the rankingRules.")
    check_sortable(index, order, "invalid_search_sort")
    threshold = parameters.ranking_score_threshold
    cap = index.settings["pagination"]["maxTotalHits"]
    paged = _is_paged(parameters)
    offset, limit = _range(parameters, cap)
    scored = parameters.show_ranking_score or parameters.show_ranking_score_details
    query, ranked = rank(
        index,
        RankRequest(
            text=text,
            allowed=index.live if allowed is None else allowed,
            sort=order,
            strategy=parameters.matching_strategy,
            fields=fields,
            locales=parameters.languages,
            offset=offset,
            limit=limit,
            scored=scored or threshold is not None,
            threshold=threshold,
            distinct=distinct,
            evaluate=cap if paged and threshold is not None else 0,
        ),
    )
    candidates = ranked.candidates
    answer: dict[str, object] = {
        "hits": Hits(index, query, parameters).all(ranked),
        "query": text,
        "processingTimeMs": int((time.perf_counter() - started) * 1000),
    }
    if paged:
        candidates = first_of_each_value(index, candidates, distinct)
        size, total = _page_size(parameters), len(candidates)
        answer |= {
            "hitsPerPage": size,
            "page": _page(parameters),
            "totalPages": -(-total // size) if size else 0,
            "totalHits": total,
        }
    else:
        answer |= {
            "limit": parameters.limit,
            "offset": parameters.offset,
            "estimatedTotalHits": len(candidates),
        }
    if parameters.facets:
        answer |= distribution(index, candidates, parameters.facets)
    return answer


def _is_paged(parameters: SearchParameters) -> bool:
    """Return whether the request numbers pages, which makes counts exact."""
    return parameters.page is not None or parameters.hits_per_page is not None


def _page_size(parameters: SearchParameters) -> int:
    return _HITS_PER_PAGE if parameters.hits_per_page is None else parameters.hits_per_page


def _page(parameters: SearchParameters) -> int:
    return 1 if parameters.page is None else parameters.page


def _range(parameters: SearchParameters, cap: int) -> tuple[int, int]:
    """Return the offset and the limit of the page, within the first `cap` documents."""
    offset, limit = parameters.offset, parameters.limit
    if _is_paged(parameters):
        size, page = _page_size(parameters), _page(parameters)
        offset, limit = max(page - 1, 0) * size, size if page else 0
    offset = min(offset, cap)
    return offset, min(limit, cap - offset)


def searchable_fields(index: Index, names: list[str] | None) -> set[int] | None:
    """Return the numbers of the fields that `attributesToSearchOn` names; None: all fields.

    Raises:
        ApiError: A name is not searchable.
    """
    if names is None:
        return None
    searchable = index.settings["searchableAttributes"]
    found: set[int] = set()
    for name in names:
        own = {
            n
            for n, field in enumerate(index.searchable.names)
            if field == name or ("*" in name and matches(name, field))
        }
        if not own and name != "*" and name not in searchable and "*" not in searchable:
            known = ", ".join(f"`{attribute}`" for attribute in searchable)
            raise ApiError(
                "invalid_search_attributes_to_search_on",
                f"Attribute `{name}` is not searchable. Available searchable attributes are: `{known}`.",
            )
        found |= own
    return None if "*" in names else found


def sort_keys(texts: list[str], code: str) -> list[SortKey]:
    """Return texts like `title:asc` as (attribute, direction).

    Raises:
        ApiError: With this code, when a text is not of this form.
    """
    keys = []
    for text in texts:
        name, colon, direction = text.rpartition(":")
        if not colon or direction not in ("asc", "desc"):
            raise ApiError(code, f"Invalid syntax for the sort parameter: `{text}`.")
        keys.append((name, direction))
    return keys


def check_sortable(index: Index, keys: list[SortKey], code: str) -> None:
    """Refuse to sort by attributes that are not sortable.

    Args:
        index: The index.
        keys: The sort, as `sort_keys` returns it.
        code: The code of the error.

    Raises:
        ApiError: With this code, when the settings do not allow one of the keys.
    """
    for name, _ in keys:
        if not is_within_any(name, index.settings["sortableAttributes"]):
            raise ApiError(code, f"Attribute `{name}` is not sortable.")


def _distinct(index: Index, requested: str | None) -> str | None:
    """Return the attribute by which results are distinct: the request's, else the settings'.

    Raises:
        ApiError: The request's is not filterable.
    """
    if requested is not None and not index.filterable.allows(requested):
        raise ApiError("invalid_search_distinct", f"Attribute `{requested}` is not filterable.")
    return requested or index.settings["distinctAttribute"]


def first_of_each_value(index: Index, candidates: BitMap, distinct: str | None) -> BitMap:
    """Return one document for each value of an attribute, which exact counts need.

    Args:
        index: The index.
        candidates: The documents found.
        distinct: The attribute; None: every document counts.
    """
    if distinct is None:
        return candidates
    same = same_value(index, distinct)
    kept, repeated = BitMap(), BitMap()
    for number in candidates:
        if number not in repeated:
            kept.add(number)
            repeated |= same(number)
    return kept
