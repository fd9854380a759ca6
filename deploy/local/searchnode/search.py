"""One search: candidates found and ranked, paged, counted and shown."""

import time
from typing import Any

from pyroaring import BitMap

from deploy.local.searchnode import filters, parameters
from deploy.local.searchnode.errors import ApiError, unsupported
from deploy.local.searchnode.formatting import Formatter, How, Style
from deploy.local.searchnode.index import Document, Index
from deploy.local.searchnode.matching import Matcher
from deploy.local.searchnode.rank.parse import Query
from deploy.local.searchnode.rank.scores import Score, details, overall
from deploy.local.searchnode.rank.search import Wanted, rank, same_value
from deploy.local.searchnode.settings import filterable_patterns
from deploy.local.searchnode.text.tokens import matches

Request = dict[str, Any]


def search(index: Index, body: Any) -> dict[str, Any]:
    """The answer of `POST /indexes/{uid}/search`. Raises ApiError."""
    started = time.perf_counter()
    request = parameters.check(body)
    text = request["q"] or ""
    allowed = filters.evaluate(index, request["filter"])
    threshold = request["rankingScoreThreshold"]
    distinct = _distinct(index, request["distinct"])
    cap = index.settings["pagination"]["maxTotalHits"]
    paged = request["page"] is not None or request["hitsPerPage"] is not None
    size = 20 if request["hitsPerPage"] is None else request["hitsPerPage"]
    page = 1 if request["page"] is None else request["page"]
    offset = min(max(page - 1, 0) * size if paged else request["offset"], cap)
    limit = (size if page else 0) if paged else request["limit"]
    scored = request["showRankingScore"] or request["showRankingScoreDetails"]
    query, ranked = rank(index, Wanted(
        text=text, allowed=index.live if allowed is None else allowed,
        sort=_sort(index, request["sort"] or []), strategy=request["matchingStrategy"],
        fields=searchable_fields(index, request["attributesToSearchOn"]),
        offset=offset, limit=min(limit, cap - offset), scored=scored or threshold is not None,
        threshold=threshold, distinct=distinct,
        evaluate=cap if paged and threshold is not None else 0,
    ))  # fmt: skip
    candidates = ranked.candidates
    answer: dict[str, Any] = {
        "hits": _Hits(index, query, request).all(ranked.numbers, ranked.scores),
        "query": text,
        "processingTimeMs": int((time.perf_counter() - started) * 1000),
    }
    if paged:
        total = len(_first_of_each(index, candidates, distinct))
        pages = -(-total // size) if size else 0
        answer |= {"hitsPerPage": size, "page": page, "totalPages": pages, "totalHits": total}
    else:
        answer |= {"limit": limit, "offset": request["offset"],
                   "estimatedTotalHits": len(candidates)}  # fmt: skip
    if request["facets"] is not None:
        answer |= _facets(index, candidates, request["facets"])
    return answer


def searchable_fields(index: Index, names: list[str] | None) -> set[int] | None:
    """The numbers of the fields `attributesToSearchOn` names; None for all. Raises ApiError."""
    if names is None or "*" in names:
        return None
    wanted = index.settings["searchableAttributes"]
    found: set[int] = set()
    for name in names:
        own = {n for n, field in enumerate(index.fields) if field == name or (
            "*" in name and matches(name, field))}  # fmt: skip
        if not own and name not in wanted and "*" not in wanted:
            known = ", ".join(f"`{w}`" for w in wanted)
            raise ApiError(
                "invalid_search_attributes_to_search_on",
                f"Attribute `{name}` is not searchable. Available searchable attributes are: `{known}`.",
            )
        found |= own
    return found


def _sort(index: Index, given: list[str]) -> list[tuple[str, str]]:
    if given and "sort" not in index.settings["rankingRules"]:
        raise ApiError(
            "invalid_search_sort", "You must specify where `sort` is listed in the rankingRules."
        )
    return sort_order(index, given, "invalid_search_sort")


def sort_order(index: Index, given: list[str], code: str) -> list[tuple[str, str]]:
    """`attribute:asc` texts as (attribute, direction). Raises ApiError(code)."""
    result = []
    for rule in given:
        name, _, direction = rule.rpartition(":")
        if rule.startswith("_geo"):
            raise unsupported("geographic sorting")
        if not name or direction not in ("asc", "desc"):
            raise ApiError(code, f"Invalid syntax for the sort parameter: `{rule}`.")
        if not any(matches(a, name) for a in index.settings["sortableAttributes"]):
            raise ApiError(code, f"Attribute `{name}` is not sortable.")
        result.append((name, direction))
    return result


def _distinct(index: Index, asked: str | None) -> str | None:
    if asked is not None and not any(
        matches(p, asked) for p in filterable_patterns(index.settings)
    ):
        raise ApiError("invalid_search_distinct", f"Attribute `{asked}` is not filterable.")
    found: str | None = asked or index.settings["distinctAttribute"]
    return found


def _first_of_each(index: Index, candidates: BitMap, distinct: str | None) -> BitMap:
    """With exact counts, documents that distinct results leave out do not count."""
    if distinct is None:
        return candidates
    same = same_value(index, distinct)
    kept, gone = BitMap(), BitMap()
    for document in candidates:
        if document not in gone:
            kept.add(document)
            gone |= same(document)
    return kept


class _Hits:
    """Turns ranked documents into hits."""

    def __init__(self, index: Index, query: Query, request: Request) -> None:
        self.index, self.request = index, request
        self.shown = index.settings["displayedAttributes"]
        self.retrieved = request["attributesToRetrieve"]
        self.style = self._style()
        self.unified = "attribute" in index.settings["rankingRules"]
        locales = tuple(request["locales"]) if request["locales"] else None
        self.formatter = None
        if self.style.attributes or request["showMatchesPosition"]:
            self.formatter = Formatter(Matcher(query, index.tokenizer), self.style, locales)

    def all(self, numbers: list[int], scores: list[list[Score]]) -> list[Any]:
        return [self._hit(*pair) for pair in zip(numbers, scores, strict=True)]

    def _style(self) -> Style:
        request = self.request
        asked: dict[str, How] = {}
        for name in request["attributesToHighlight"] or []:
            asked[name] = How(True, None)
        for entry in request["attributesToCrop"] or []:
            name, colon, size = entry.rpartition(":")
            length = int(size) if colon and size.isdecimal() else request["cropLength"]
            name = name if colon else entry
            asked[name] = How(name in asked and asked[name].highlight, length)
        known = {
            name: how for name, how in asked.items()
            if name == "*" or name in self.index.field_counts or "." in name
        }  # fmt: skip
        return Style(
            known, request["highlightPreTag"], request["highlightPostTag"], request["cropMarker"]
        )

    def _hit(self, number: int, scores: list[Score]) -> dict[str, Any]:
        request = self.request
        document = picked(self.index.get(number), self.shown)
        hit = picked(document, self.retrieved)
        if self.formatter is not None:
            formatted = self.formatter.document(document)
            if self.style.attributes:
                hit = dict(hit)
                wanted = [*self.retrieved, *self.style.attributes]
                hit["_formatted"] = picked(formatted, wanted)
            if request["showMatchesPosition"]:
                hit = {**hit, "_matchesPosition": self.formatter.positions}
        if request["showRankingScore"]:
            hit = {**hit, "_rankingScore": overall(scores)}
        if request["showRankingScoreDetails"]:
            hidden = frozenset(
                s.rule.rpartition(":")[0] for s in scores
                if not s.ranked and not any(matches(p, s.rule.rpartition(":")[0]) for p in self.shown)
            )  # fmt: skip
            hit = {**hit, "_rankingScoreDetails": details(scores, hidden, unified=self.unified)}
        return hit


def picked(document: Document, names: list[str], prefix: str = "") -> Document:
    """The named attributes of a document, nested ones by their dotted names."""
    if "*" in names:
        return document
    found: Document = {}
    for key, value in document.items():
        name = f"{prefix}{key}"
        if any(matches(n, name) for n in names):
            found[key] = value
        elif any(n.startswith(f"{name}.") for n in names):
            if isinstance(value, dict):
                found[key] = picked(value, names, f"{name}.")
            elif isinstance(value, list):
                inner = [picked(v, names, f"{name}.") for v in value if isinstance(v, dict)]
                if inner:
                    found[key] = inner
    return found


def _facets(index: Index, candidates: BitMap, patterns: list[str]) -> dict[str, Any]:
    allowed = filterable_patterns(index.settings)
    for pattern in patterns:
        if not any(matches(a, pattern) or matches(pattern, a) for a in allowed):
            known = ", ".join(f"`{a}`" for a in sorted(allowed))
            raise ApiError(
                "invalid_search_facets",
                f"Invalid facet distribution: Attribute `{pattern}` is not filterable. Available filterable attributes patterns are: `{known}`.",
            )
    settings = index.settings["faceting"]
    order = settings["sortFacetValuesBy"]
    distribution: dict[str, dict[str, int]] = {}
    stats: dict[str, dict[str, float]] = {}
    names = [*index.facets, *(p for p in patterns if "*" not in p and p not in index.facets)]
    for name in names:
        if not any(matches(p, name) for p in patterns) or not any(
            matches(a, name) for a in allowed
        ):
            continue
        facet = index.facets.get(name)
        found = list(facet.counts(candidates)) if facet else []
        numbers = [value for value, _ in found if isinstance(value, float)]
        if numbers:
            stats[name] = {"min": min(numbers), "max": max(numbers)}
        if order.get(name, order.get("*", "alpha")) == "count":
            found.sort(key=lambda pair: -pair[1])
        else:
            found.sort(key=lambda pair: _told(pair[0]))
        del found[settings["maxValuesPerFacet"] :]
        distribution[name] = {
            _told(value) if facet is None or isinstance(value, float) else facet.shown[value]: count
            for value, count in found
        }
    return {"facetDistribution": distribution, "facetStats": stats}


def _told(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return str(int(value)) if value.is_integer() else str(value)
