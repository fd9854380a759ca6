"""One search: the request checked, candidates found, ranked, paged, counted and formatted."""

import time
from typing import Any

from pyroaring import BitMap

from deploy.local.searchnode import filters, query
from deploy.local.searchnode.errors import ApiError, unsupported
from deploy.local.searchnode.formatting import Style, format_value, positions
from deploy.local.searchnode.index import Index
from deploy.local.searchnode.ranking import Ranked, Ranker

# parameter -> (default, allowed types)
PARAMETERS: dict[str, tuple[Any, tuple[type, ...]]] = {
    "q": (None, (str,)), "offset": (0, (int,)), "limit": (20, (int,)),
    "page": (None, (int,)), "hitsPerPage": (None, (int,)), "filter": (None, (str, list)),
    "facets": (None, (list,)), "sort": (None, (list,)), "matchingStrategy": ("last", (str,)),
    "attributesToRetrieve": (["*"], (list,)), "attributesToSearchOn": (None, (list,)),
    "attributesToHighlight": (None, (list,)), "attributesToCrop": (None, (list,)),
    "cropLength": (10, (int,)), "cropMarker": ("…", (str,)), "highlightPreTag": ("<em>", (str,)),
    "highlightPostTag": ("</em>", (str,)), "showMatchesPosition": (False, (bool,)),
    "showRankingScore": (False, (bool,)), "showRankingScoreDetails": (False, (bool,)),
    "rankingScoreThreshold": (None, (int, float)), "distinct": (None, (str,)),
    "locales": (None, (list,)), "showPerformanceDetails": (False, (bool,)),
}  # fmt: skip
_LEFT_OUT = {"vector", "hybrid", "retrieveVectors", "media", "personalize"}


def _code(name: str) -> str:
    return "invalid_search_" + "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def check(body: Any) -> dict[str, Any]:
    """The request with its defaults; raises ApiError naming the first wrong parameter."""
    if not isinstance(body, dict):
        raise ApiError("bad_request", "Invalid value type: expected an object.")
    request = {name: default for name, (default, _) in PARAMETERS.items()}
    for name, value in body.items():
        if name in _LEFT_OUT:
            raise unsupported(f"`{name}`")
        if name not in PARAMETERS:
            raise ApiError("bad_request", f"Unknown field `{name}`.")
        if value is None:
            continue
        allowed = PARAMETERS[name][1]
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            raise ApiError(_code(name), f"Invalid value type at `.{name}`.")
        if isinstance(value, int) and not isinstance(value, bool) and value < 0:
            raise ApiError(_code(name), f"Invalid value at `.{name}`: must be positive.")
        request[name] = value
    if request["matchingStrategy"] not in ("last", "all", "frequency"):
        raise ApiError("invalid_search_matching_strategy", "Must be one of last, all, frequency.")
    threshold = request["rankingScoreThreshold"]
    if threshold is not None and not 0 <= threshold <= 1:
        raise ApiError("invalid_search_ranking_score_threshold", "Must be between 0 and 1.")
    return request


def search(index: Index, body: Any) -> dict[str, Any]:
    """The answer of `POST /indexes/{uid}/search`."""
    started = time.perf_counter()
    request = check(body)
    allowed = filters.evaluate(index, request["filter"])
    sort = _sort(index, request["sort"] or [])
    asked = query.parse(index, request["q"] or "")
    ranker = Ranker(index, asked, sort, request["matchingStrategy"], _fields(index, request))
    candidates = ranker.candidates()
    if allowed is not None:
        candidates &= allowed
    paged = request["page"] is not None or request["hitsPerPage"] is not None
    size = request["hitsPerPage"] if request["hitsPerPage"] is not None else 20
    page = request["page"] if request["page"] is not None else 1
    offset = (page - 1) * size if paged else request["offset"]
    limit = (size if page else 0) if paged else request["limit"]
    cap = index.settings["pagination"]["maxTotalHits"]
    threshold = request["rankingScoreThreshold"]
    distinct = request["distinct"] or index.settings["distinctAttribute"]
    everything = bool(threshold or distinct)
    wanted = len(candidates) if everything else min(max(offset, 0) + limit, cap)
    ranked = ranker.rank(candidates, wanted) if wanted else []
    if threshold:
        ranked = [r for r in ranked if r.score >= threshold]
        candidates = BitMap(r.number for r in ranked)
    if distinct:
        ranked = _distinct(index, ranked, distinct)
    total = min(len(ranked) if everything else len(candidates), cap)
    hits = ranked[: min(len(ranked), cap)][max(offset, 0) : max(offset, 0) + limit]
    answer: dict[str, Any] = {
        "hits": [_hit(index, asked, r, request) for r in hits],
        "query": request["q"] or "",
        "processingTimeMs": int((time.perf_counter() - started) * 1000),
    }
    if paged:
        answer |= {
            "hitsPerPage": size, "page": page, "totalPages": -(-total // size) if size else 0,
            "totalHits": total,
        }  # fmt: skip
    else:
        answer |= {"limit": limit, "offset": offset, "estimatedTotalHits": total}
    if request["facets"] is not None:
        answer |= _facets(index, candidates, request["facets"])
    return answer


def _fields(index: Index, request: dict[str, Any]) -> set[int] | None:
    names = request["attributesToSearchOn"]
    if names is None or "*" in names:
        return None
    wanted = index.settings["searchableAttributes"]
    known = index.fields if "*" in wanted else wanted
    for name in names:
        if name not in known and "*" not in wanted:
            raise ApiError(
                "invalid_search_attributes_to_search_on", f"Attribute `{name}` is not searchable."
            )
    return {known.index(name) for name in names if name in known}


def _sort(index: Index, given: list[Any]) -> list[tuple[str, str]]:
    result = []
    for rule in given:
        name, _, direction = str(rule).rpartition(":")
        if not name or direction not in ("asc", "desc"):
            raise ApiError(
                "invalid_search_sort", f"Invalid syntax for the sort parameter: `{rule}`."
            )
        if name not in index.settings["sortableAttributes"]:
            raise ApiError("invalid_search_sort", f"Attribute `{name}` is not sortable.")
        result.append((name, direction))
    if result and "sort" not in index.settings["rankingRules"]:
        raise ApiError(
            "invalid_search_sort", "You must specify where `sort` is listed in the rankingRules."
        )
    return result


def _distinct(index: Index, ranked: list[Ranked], name: str) -> list[Ranked]:
    if (
        name not in index.settings["filterableAttributes"]
        and name != index.settings["distinctAttribute"]
    ):
        raise ApiError("invalid_search_distinct", f"Attribute `{name}` is not filterable.")
    seen: set[str] = set()
    kept = []
    for found in ranked:
        value = index.get(found.number).get(name)
        if value is None or repr(value) not in seen:
            kept.append(found)
            seen.add(repr(value))
    return kept


def _hit(
    index: Index, asked: query.Query, ranked: Ranked, request: dict[str, Any]
) -> dict[str, Any]:
    document = index.get(ranked.number)
    shown = index.settings["displayedAttributes"]
    if "*" not in shown:
        document = {k: v for k, v in document.items() if k in shown}
    retrieved = request["attributesToRetrieve"]
    hit = document if "*" in retrieved else {k: v for k, v in document.items() if k in retrieved}
    hit = dict(hit)
    style = _style(request, document)
    if style.wanted and (style.highlight or style.crop):
        hit["_formatted"] = {
            name: format_value(
                asked,
                value,
                style=style,
                highlight=name in style.highlight,
                crop=style.crop.get(name),
            )
            for name, value in document.items()
            if name in hit or name in style.highlight or name in style.crop
        }
    if style.positions:
        hit["_matchesPosition"] = positions(asked, document)
    if request["showRankingScore"]:
        hit["_rankingScore"] = ranked.score
    if request["showRankingScoreDetails"]:
        hit["_rankingScoreDetails"] = {
            name: {"order": n, **extra, **({} if "value" in extra else {"score": rank / most})}
            for n, (name, rank, most, extra) in enumerate(ranked.details)
        }
    return hit


def _style(request: dict[str, Any], document: dict[str, Any]) -> Style:
    highlight = request["attributesToHighlight"] or []
    crop: dict[str, int] = {}
    for entry in request["attributesToCrop"] or []:
        name, _, size = str(entry).partition(":")
        length = int(size) if size.isdecimal() else request["cropLength"]
        for each in document if name == "*" else (name,):
            crop[each] = length
    return Style(
        highlight=frozenset(document if "*" in highlight else highlight),
        crop=crop,
        pre=request["highlightPreTag"],
        post=request["highlightPostTag"],
        marker=request["cropMarker"],
        positions=request["showMatchesPosition"],
    )


def _facets(index: Index, candidates: BitMap, names: list[str]) -> dict[str, Any]:
    allowed = index.settings["filterableAttributes"]
    if "*" in names:
        names = list(allowed)
    settings = index.settings["faceting"]
    distribution: dict[str, dict[str, int]] = {}
    stats: dict[str, dict[str, float]] = {}
    for name in names:
        if name not in allowed:
            known = ", ".join(f"`{a}`" for a in allowed)
            raise ApiError(
                "invalid_search_facets",
                f"Invalid facet distribution: Attribute `{name}` is not filterable. Available filterable attributes patterns are: `{known}`.",
            )
        facet = index.facet(name, "invalid_search_facets")
        counts: dict[str, int] = {}
        for number in facet.order:
            count = facet.numbers[number].intersection_cardinality(candidates)
            if count:
                counts[str(int(number)) if number.is_integer() else str(number)] = count
                own = stats.setdefault(name, {"min": number, "max": number})
                own["max"] = number
        for key in sorted(facet.strings):
            count = facet.strings[key].intersection_cardinality(candidates)
            if count:
                counts[facet.shown[key]] = count
        order = settings["sortFacetValuesBy"]
        if order.get(name, order.get("*", "alpha")) == "count":
            counts = dict(sorted(counts.items(), key=lambda pair: -pair[1]))
        distribution[name] = dict(list(counts.items())[: settings["maxValuesPerFacet"]])
    return {"facetDistribution": distribution, "facetStats": stats}
