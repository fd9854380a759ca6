"""Makes random requests with every parameter, right and wrong ones. `agree.py` sends them."""

import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tests.searchnode.contract.agree_filters import FIELDS, Filters, broken
from tests.searchnode.contract.agree_queries import Document, Queries

# Kind, method, path and body of a request.
Made = tuple[str, str, str, Any]
# Values that are wrong for most parameters.
WRONG: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    "*",
    [],
    {},
    ["*"],
    [1],
    [None],
    {"a": 1},
    "10",
    10**20,
)
_PARAMETERS = (
    "q",
    "offset",
    "limit",
    "page",
    "hitsPerPage",
    "filter",
    "facets",
    "sort",
    "matchingStrategy",
    "attributesToRetrieve",
    "attributesToSearchOn",
    "attributesToHighlight",
    "attributesToCrop",
    "cropLength",
    "cropMarker",
    "highlightPreTag",
    "highlightPostTag",
    "showMatchesPosition",
    "showRankingScore",
    "showRankingScoreDetails",
    "rankingScoreThreshold",
    "distinct",
    "locales",
    "bogus",
    "Q",
    "sort ",
)


class Requests:
    """Makes requests about one index with documents; the same seed makes the same requests."""

    def __init__(self, documents: list[Document], seed: int, uid: str) -> None:
        self.documents, self.uid = documents, uid
        self.chance = random.Random(seed)
        self.filters = Filters(documents, self.chance)
        self.queries = Queries(documents, seed)
        self.texts = list(self.queries.kinds().values())

    def searches(self, count: int) -> Iterator[Made]:
        """Yield about `count` requests that change nothing."""
        kinds = {
            "filters": lambda: self._search(filter=self.filters.any(), q=""),
            "filters and words": lambda: self._search(filter=self.filters.any()),
            "filters written wrongly": lambda: self._search(
                filter=broken(self.chance, self.filters.expression(2))
            ),
            "sorts": lambda: self._search(sort=self._sort(), q=self.chance.choice(["", self._text()])),
            "facets": lambda: self._search(facets=self._some(FIELDS, "*", "t*", "*e")),
            "pages": self._pages,
            "highlights": self._highlights,
            "strategies": lambda: self._search(
                matchingStrategy=self.chance.choice(["last", "all", "frequency"]),
                attributesToSearchOn=self._some(FIELDS[:9], "*", "t*"),
            ),
            "thresholds and distinct": lambda: self._search(
                rankingScoreThreshold=self.chance.choice([0, 0.3, 0.7, 0.95, 1]),
                distinct=self.chance.choice([*FIELDS, None]),
                showRankingScore=True,
            ),
            "details": lambda: self._search(
                showRankingScoreDetails=True,
                showRankingScore=True,
                sort=self._sort() if self.chance.random() < 0.3 else [],
            ),
            "wrong parameters": self._wrong,
        }
        path = f"/indexes/{self.uid}/search"
        for _ in range(count // (len(kinds) + 4)):
            for kind, make in kinds.items():
                yield kind, "POST", path, make()
            yield "facet search", "POST", f"/indexes/{self.uid}/facet-search", self._facet_search()
            yield "several searches", "POST", "/multi-search", self._several()
            yield "documents", *self._documents()
            yield "by GET", "GET", self._get(), None

    def _text(self) -> str:
        return self.chance.choice(self.texts)(self.chance.choice(self.documents))

    def _some(self, names: tuple[str, ...], *more: str) -> list[str]:
        return self.chance.sample([*names, *more], self.chance.randint(0, 3))

    def _search(self, **more: Any) -> dict[str, Any]:
        return {"q": self._text(), "limit": self.chance.choice([20, 5, 1]), **more}

    def _pages(self) -> dict[str, Any]:
        names = self.chance.sample(["page", "hitsPerPage", "offset", "limit"], 3)
        body: dict[str, Any] = {name: self.chance.choice([0, 1, 2, 7, 30, 60, 400]) for name in names}
        return {"q": self.chance.choice(["", self._text()]), "attributesToRetrieve": ["id"]} | body

    def _highlights(self) -> dict[str, Any]:
        names = ("title", "description", "people", "tags", "id", "*", "nope", "durationSec")
        crops = [f"{name}:{self.chance.choice([0, 1, 3, 20])}" for name in names]
        return self._search(
            attributesToHighlight=self._some(names),
            attributesToCrop=self._some((*names, *crops)),
            cropLength=self.chance.choice([0, 1, 2, 5, 10, 30]),
            cropMarker=self.chance.choice(["…", "", "[...]"]),
            showMatchesPosition=self.chance.random() < 0.5,
            highlightPreTag=self.chance.choice(["<em>", "<b>", ""]),
            attributesToRetrieve=self._some(FIELDS, "*"),
            limit=4,
        )

    def _wrong(self) -> dict[str, Any]:
        names = self.chance.sample(_PARAMETERS, self.chance.randint(1, 2))
        return {"q": "a", "limit": 1} | {name: self.chance.choice(WRONG) for name in names}

    def _facet_search(self) -> dict[str, Any]:
        name = self.chance.choice([*FIELDS, "people", "tags", "people"])
        values = self.chance.choice(self.documents).get(name)
        text = str(self.chance.choice(values) if isinstance(values, list) and values else values)
        body: dict[str, Any] = {"facetName": name, "facetQuery": text[: self.chance.randint(0, 12)]}
        if self.chance.random() < 0.3:
            body["facetQuery"] = self.queries.misspelt(text)
        if self.chance.random() < 0.3:
            body |= {"q": self._text(), "filter": self.filters.expression(1)}
        if self.chance.random() < 0.2:
            body[self.chance.choice([*body, "bogus", "exhaustiveFacetCount"])] = self.chance.choice(WRONG)
        return body

    def _several(self) -> Any:
        queries = [{"indexUid": self.uid, **self._search()} for _ in range(self.chance.randint(0, 3))]
        if queries and self.chance.random() < 0.3:
            queries[-1][self.chance.choice(["indexUid", "limit", "filter", "bogus"])] = self.chance.choice(
                WRONG
            )
        return {"queries": queries}

    def _documents(self) -> tuple[str, str, Any]:
        external = self.chance.choice(self.documents)["id"]
        fetch: dict[str, Any] = {"limit": 5, "fields": self._some(FIELDS)}
        fetch |= self.chance.choice(
            [
                {},
                {"filter": self.filters.any()},
                {"ids": [external, str(external), "none"]},
                {"offset": 10},
                {"sort": self._sort()},
                {self.chance.choice(["offset", "limit", "ids", "fields", "sort"]): self.chance.choice(WRONG)},
            ]
        )
        return self.chance.choice(
            [
                ("GET", f"/indexes/{self.uid}/documents/{external}", None),
                ("GET", f"/indexes/{self.uid}/documents/{external}?fields=id,title,nope", None),
                ("GET", f"/indexes/{self.uid}/documents/{quote('a b')}", None),
                (
                    "GET",
                    f"/indexes/{self.uid}/documents?limit=3&offset={self.chance.choice(['2', '-1', 'x', ''])}",
                    None,
                ),
                ("POST", f"/indexes/{self.uid}/documents/fetch", fetch),
                ("POST", f"/indexes/{self.uid}/documents/fetch", fetch),
            ]
        )

    def _get(self) -> str:
        parameters = {
            "q": self._text(),
            "limit": self.chance.choice(["1", "3", "x", "-1", ""]),
            "filter": self.filters.expression(1),
            "sort": "releaseDate:desc,id:asc",
            "facets": "language,kind",
            "attributesToRetrieve": "id,title",
            "showRankingScore": self.chance.choice(["true", "false", "yes"]),
            "page": "2",
            "matchingStrategy": self.chance.choice(["all", "none"]),
            "bogus": "1",
            "rankingScoreThreshold": self.chance.choice(["0.5", "2", "x"]),
            "cropLength": "3",
            "locales": "ara,xx",
        }
        names = self.chance.sample(list(parameters), self.chance.randint(1, 3))
        return f"/indexes/{self.uid}/search?" + "&".join(f"{n}={quote(parameters[n])}" for n in names)

    def _sort(self) -> list[str]:
        return [
            f"{self.chance.choice(FIELDS)}:{self.chance.choice(['asc', 'desc'])}"
            if self.chance.random() < 0.95
            else self.chance.choice(["id", ":asc", "id:up", "_geoPoint(1,2):asc"])
            for _ in range(self.chance.randint(1, 2))
        ]
