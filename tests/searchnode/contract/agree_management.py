"""Makes random requests that change a server, most of them wrong in some way. `agree.py` sends them."""

import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tests.searchnode.contract.agree_filters import broken
from tests.searchnode.contract.agree_requests import WRONG, Made

_SETTINGS = (
    "displayedAttributes",
    "searchableAttributes",
    "filterableAttributes",
    "sortableAttributes",
    "rankingRules",
    "stopWords",
    "nonSeparatorTokens",
    "separatorTokens",
    "dictionary",
    "synonyms",
    "distinctAttribute",
    "proximityPrecision",
    "typoTolerance",
    "faceting",
    "pagination",
    "searchCutoffMs",
    "localizedAttributes",
    "facetSearch",
    "prefixSearch",
    "bogus",
)


class Management:
    """Makes requests about indexes, settings, documents, keys and tasks; the same seed makes the same ones."""

    def __init__(self, seed: int, uid: str) -> None:
        self.uid, self.chance = uid, random.Random(seed)

    def requests(self, count: int) -> Iterator[Made]:
        """Yield about `count` requests that would change something."""
        for _ in range(count // 4):
            uid = self.chance.choice([self.uid, "other", "a b", "ü", "x" * 513])
            at = f"/indexes/{quote(uid)}"
            yield "settings", "PATCH", "/indexes/other/settings", self._settings()
            name = self.chance.choice(_SETTINGS)
            kebab = "".join(f"-{c.lower()}" if c.isupper() else c for c in name)
            verb = "PATCH" if name in ("typoTolerance", "faceting", "pagination") else "PUT"
            yield "one setting", verb, f"/indexes/other/settings/{kebab}", self._value(name)
            yield (
                "adding documents",
                self.chance.choice(["POST", "PUT"]),
                f"{at}other/documents",
                self._payload(),
            )
            yield from self.chance.sample(
                [
                    ("indexes", "POST", "/indexes", {"uid": uid, "primaryKey": self.chance.choice(WRONG)}),
                    ("indexes", "PATCH", "/indexes/other", {"primaryKey": self.chance.choice(WRONG)}),
                    (
                        "indexes",
                        "POST",
                        "/swap-indexes",
                        self.chance.choice(
                            [
                                [],
                                [{"indexes": ["other", "none"]}],
                                [{"indexes": ["other"]}],
                                {},
                                [{}],
                                [1],
                                [{"indexes": ["other", "other"]}],
                                [{"indexes": [1, 2]}],
                                [{"indexes": ["a b", "other"]}],
                            ]
                        ),
                    ),
                    ("keys", "POST", "/keys", self._key()),
                    (
                        "deleting documents",
                        "POST",
                        f"/indexes/{self.chance.choice([self.uid, 'none'])}/documents/delete",
                        {
                            "filter": self.chance.choice(
                                [broken(self.chance, "id = 1"), "id = 99999999", *WRONG]
                            )
                        },
                    ),
                    (
                        "deleting documents",
                        "POST",
                        "/indexes/other/documents/delete-batch",
                        self.chance.choice(WRONG),
                    ),
                    ("tasks", "GET", f"/tasks?{self._task_filter()}&limit=0", None),
                    ("tasks", "POST", f"/tasks/cancel?{self._task_filter()}&uids=99999999", None),
                ],
                4,
            )

    def _settings(self) -> dict[str, Any]:
        return {n: self._value(n) for n in self.chance.sample(_SETTINGS, self.chance.choice([1, 1, 2]))}

    def _value(self, name: str) -> Any:
        good: dict[str, list[Any]] = {
            "rankingRules": [
                ["words", "x:asc"],
                ["typo", "nope"],
                ["a:b:desc"],
                ["_geo:asc"],
                ["sort", "sort"],
            ],
            "typoTolerance": [
                {"enabled": False},
                {"minWordSizeForTypos": {"oneTypo": 6}},
                {"minWordSizeForTypos": {"oneTypo": 12}},
                {"minWordSizeForTypos": {"twoTypos": 300}},
                {"disableOnWords": ["A"]},
                {"bogus": 1},
                {"enabled": 1},
            ],
            "faceting": [
                {"maxValuesPerFacet": 3},
                {"sortFacetValuesBy": {"*": "count"}},
                {"sortFacetValuesBy": {"a": "x"}},
                {"maxValuesPerFacet": -1},
            ],
            "pagination": [{"maxTotalHits": 5}, {"maxTotalHits": "5"}, {"maxTotalHits": None}],
            "localizedAttributes": [
                [{"locales": ["ara"], "attributePatterns": ["*"]}],
                [{"locales": ["xx"], "attributePatterns": ["*"]}],
                [{"locales": ["ar"], "attributePatterns": ["t*"]}],
                [{}],
            ],
            "filterableAttributes": [
                ["a", "b.c"],
                [{"attributePatterns": ["a*"]}],
                [
                    {
                        "attributePatterns": ["a"],
                        "features": {"facetSearch": True, "filter": {"equality": True, "comparison": True}},
                    }
                ],
                [{"patterns": 1}],
                ["*"],
                ["a", "a"],
            ],
            "synonyms": [{"a": ["b"]}, {"a": "b"}, {"A b": ["C", "c"]}],
            "stopWords": [["the", "The", "Ä"], ["قِ"]],
            "prefixSearch": ["disabled", "indexingTime", "x"],
            "proximityPrecision": ["byWord", "byAttribute", "x"],
            "searchCutoffMs": [100, "1"],
            "dictionary": [["J. R. R."], ["b", "a", "b"]],
            "separatorTokens": [["|", "&sep"]],
        }
        return self.chance.choice([*good.get(name, [["a"], ["b", "a"]]), *self.chance.sample(WRONG, 2)])

    def _payload(self) -> Any:
        ids: list[Any] = [1, "a", "a b", -3, 1.5, None, True, "", "x" * 512, [1], {"a": 1}, 2**63, "ü"]
        return self.chance.choice(
            [
                {"id": self.chance.choice(ids), "t": 1},
                [{"id": self.chance.choice(ids)}, {"id": 5}],
                [],
                {},
                [{}],
                [1],
                "x",
                [{"id": 1, "bid": 2}],
                [{"t": 1}],
                None,
            ]
        )

    def _key(self) -> dict[str, Any]:
        key: dict[str, Any] = {"actions": ["search"], "indexes": ["*"], "expiresAt": None, "name": "n"}
        name = self.chance.choice([*key, "uid", "description", "bogus", "createdAt"])
        key[name] = self.chance.choice(
            [*WRONG, "2000-01-01", "2100-01-01", "2100-01-01T00:00:00Z", ["a b"], ["documents.fly"]]
        )
        if self.chance.random() < 0.2:
            del key[self.chance.choice(list(key))]
        return key

    def _task_filter(self) -> str:
        return self.chance.choice(
            [
                "statuses=enqueued",
                "statuses=x",
                "types=indexCreation",
                "types=x",
                "uids=1,x",
                "indexUids=a%20b",
                "canceledBy=x",
                "afterEnqueuedAt=x",
                "beforeEnqueuedAt=2020-01-01",
                "afterEnqueuedAt=2020-01-01T00:00:00Z",
                "bogus=1",
                "reverse=x",
                "from=x",
                "uids=*",
                "statuses=",
            ]
        )
