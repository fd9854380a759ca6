"""One search: candidates found and ranked, paged, counted and shown."""

import time
from typing import Any

import msgspec
from pyroaring import BitMap

from deploy.local.searchnode import filters, parameters
from deploy.local.searchnode.attributes import fits, inside_any
from deploy.local.searchnode.distribution import distribution
from deploy.local.searchnode.errors import ApiError
from deploy.local.searchnode.formatting import Formatter, How, Style
from deploy.local.searchnode.index import Document, Index
from deploy.local.searchnode.matching import Matcher
from deploy.local.searchnode.rank.parse import Query
from deploy.local.searchnode.rank.scores import Score, details, overall
from deploy.local.searchnode.rank.search import Wanted, rank, same_value

Request = dict[str, Any]


def search(index: Index, body: Any) -> dict[str, Any]:
    """The answer of `POST /indexes/{uid}/search`. Raises ApiError."""
    started = time.perf_counter()
    request = parameters.check(body)
    text = request["q"] or ""
    # What is wrong with a request is told in this order.
    tree = filters.read(request["filter"])
    order = sort_order(request["sort"] or [], "invalid_search_sort")
    fields = searchable_fields(index, request["attributesToSearchOn"])
    distinct = _distinct(index, request["distinct"])
    allowed = filters.documents(index, tree)
    if order and "sort" not in index.settings["rankingRules"]:
        raise ApiError(
            "invalid_search_sort", "You must specify where `sort` is listed in the rankingRules."
        )
    check_sortable(index, order, "invalid_search_sort")
    threshold = request["rankingScoreThreshold"]
    cap = index.settings["pagination"]["maxTotalHits"]
    paged = request["page"] is not None or request["hitsPerPage"] is not None
    size = 20 if request["hitsPerPage"] is None else request["hitsPerPage"]
    page = 1 if request["page"] is None else request["page"]
    offset = min(max(page - 1, 0) * size if paged else request["offset"], cap)
    limit = (size if page else 0) if paged else request["limit"]
    scored = request["showRankingScore"] or request["showRankingScoreDetails"]
    query, ranked = rank(index, Wanted(
        text=text, allowed=index.live if allowed is None else allowed,
        sort=order, strategy=request["matchingStrategy"], fields=fields,
        locales=request["locales"] and tuple(request["locales"]),
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
        candidates = first_of_each(index, candidates, distinct)
        total = len(candidates)
        pages = -(-total // size) if size else 0
        answer |= {"hitsPerPage": size, "page": page, "totalPages": pages, "totalHits": total}
    else:
        answer |= {"limit": request["limit"],  "offset": request["offset"], "estimatedTotalHits": len(candidates)}  # fmt: skip
    if request["facets"]:
        answer |= distribution(index, candidates, request["facets"])
    return answer


def searchable_fields(index: Index, names: list[str] | None) -> set[int] | None:
    """The numbers of the fields `attributesToSearchOn` names; None for all. Raises ApiError."""
    if names is None:
        return None
    wanted = index.settings["searchableAttributes"]
    found: set[int] = set()
    for name in names:
        own = {n for n, field in enumerate(index.fields) if field == name or (
            "*" in name and fits(name, field))}  # fmt: skip
        if not own and name != "*" and name not in wanted and "*" not in wanted:
            known = ", ".join(f"`{w}`" for w in wanted)
            raise ApiError(
                "invalid_search_attributes_to_search_on",
                f"Attribute `{name}` is not searchable. Available searchable attributes are: `{known}`.",
            )
        found |= own
    return None if "*" in names else found


def sort_order(given: list[str], code: str) -> list[tuple[str, str]]:
    """`attribute:asc` texts as (attribute, direction). Raises ApiError(code)."""
    result = []
    for rule in given:
        name, colon, direction = rule.rpartition(":")
        if not colon or direction not in ("asc", "desc"):
            raise ApiError(code, f"Invalid syntax for the sort parameter: `{rule}`.")
        result.append((name, direction))
    return result


def check_sortable(index: Index, order: list[tuple[str, str]], code: str) -> None:
    """Raises ApiError(code) when the settings do not allow to sort so."""
    for name, _ in order:
        if not inside_any(name, index.settings["sortableAttributes"]):
            raise ApiError(code, f"Attribute `{name}` is not sortable.")


def _distinct(index: Index, asked: str | None) -> str | None:
    if asked is not None and not index.may_filter(asked):
        raise ApiError("invalid_search_distinct", f"Attribute `{asked}` is not filterable.")
    found: str | None = asked or index.settings["distinctAttribute"]
    return found


def first_of_each(index: Index, candidates: BitMap, distinct: str | None) -> BitMap:
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
        # Attributes are shown by the names that the settings show them by.
        self.retrieved = [
            name for name in request["attributesToRetrieve"]
            if name == "*" or "*" in self.shown or name in self.shown
        ]  # fmt: skip
        self.style = self._style()
        self.unified = "attribute" in index.settings["rankingRules"]
        locales = tuple(request["locales"]) if request["locales"] else None
        self.formatter = None
        if self.style.attributes or request["showMatchesPosition"]:
            self.formatter = Formatter(Matcher(query, index.tokenizer), self.style, locales)

        # Hits that are told as they were sent need not be opened.
        self.untouched = (
            self.formatter is None and "*" in self.shown and "*" in self.retrieved
            and not request["showRankingScore"] and not request["showRankingScoreDetails"]
        )  # fmt: skip

    def all(self, numbers: list[int], scores: list[list[Score]]) -> list[Any]:
        return [self._hit(*pair) for pair in zip(numbers, scores, strict=True)]

    def _style(self) -> Style:
        request = self.request
        shown = [name for name in self.index.names if "*" in self.shown or name in self.shown]
        asked: dict[str, How] = {}
        for name in request["attributesToHighlight"] or []:
            for one in shown if name == "*" else [name] if name in shown else []:
                asked[one] = How(True, None)
        for entry in request["attributesToCrop"] or []:
            name, colon, size = entry.rpartition(":")
            length = int(size) if colon and size.isdecimal() else request["cropLength"]
            name = name if colon else entry
            for one in shown if name == "*" else [name] if name in shown else []:
                asked[one] = How(one in asked and asked[one].highlight, length)
        return Style(
            asked, request["highlightPreTag"], request["highlightPostTag"], request["cropMarker"]
        )

    def _hit(self, number: int, scores: list[Score]) -> Any:
        request = self.request
        if self.untouched:
            return msgspec.Raw(self.index.documents[number])
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
                if not s.ranked and "*" not in self.shown
                and s.rule.rpartition(":")[0] not in self.shown
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
        if name in names:
            found[key] = value
        elif any(n.startswith(f"{name}.") for n in names):
            if isinstance(value, dict):
                found[key] = picked(value, names, f"{name}.")
            elif isinstance(value, list):
                inner = [picked(v, names, f"{name}.") for v in value if isinstance(v, dict)]
                if inner:
                    found[key] = inner
    return found
