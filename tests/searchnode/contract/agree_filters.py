"""Makes random filters over a catalogue, right and wrong ones. The other `agree_` modules use them."""

import random
from typing import Any

from tests.searchnode.contract.agree_queries import Document

FIELDS = (
    "id",
    "title",
    "description",
    "language",
    "mediaType",
    "kind",
    "categoryId",
    "tags",
    "people",
    "durationSec",
    "releaseDate",
    "viewCount",
    "isFeatured",
    "seriesId",
    "nope",
    "tags.x",
    "_geo",
)


class Filters:
    """Makes filters whose values are those of the documents."""

    def __init__(self, documents: list[Document], chance: random.Random) -> None:
        self.documents, self.chance = documents, chance

    def any(self) -> Any:
        """Return a filter of any form, sometimes a wrong one."""
        shape = self.chance.random()
        if shape < 0.7:
            return self.expression(3)
        if shape < 0.9:
            return [self.expression(1), [self.expression(1), self.expression(1)]]
        return self.chance.choice(
            [[[]], [], "", "  ", [""], [["", self.expression(1)]], [[["a = 1"]]], [1], {}, 4]
        )

    def expression(self, depth: int) -> str:
        """Return a filter as a text, with at most `depth` levels of AND, OR and NOT."""
        if depth == 0 or self.chance.random() < 0.4:
            return self._condition()
        left, right = self.expression(depth - 1), self.expression(depth - 1)
        return self.chance.choice(
            [
                f"{left} AND {right}",
                f"{left} OR {right}",
                f"NOT {left}",
                f"({left}) AND NOT ({right})",
                f"( {left} OR {right} )",
            ]
        )

    def _condition(self) -> str:
        name = (
            self.chance.choice(FIELDS[3:])
            if self.chance.random() < 0.15
            else self.chance.choice(FIELDS[3:13])
        )
        values = [self._value(name) for _ in range(3)]
        a, b, _ = values
        return self.chance.choice(
            [
                f"{name} = {a}",
                f"{name} != {a}",
                f"{name} > {a}",
                f"{name} >= {a}",
                f"{name} < {a}",
                f"{name} <= {a}",
                f"{name} {a} TO {b}",
                f"{name} IN [{', '.join(values)}]",
                f"{name} NOT IN [{a},]",
                f"{name} EXISTS",
                f"{name} NOT EXISTS",
                f"{name} IS NULL",
                f"{name} IS NOT NULL",
                f"{name} IS EMPTY",
                f"{name} IS NOT EMPTY",
                f"{name} STARTS WITH {a}",
                f"{name} NOT STARTS WITH {a}",
                f"{name}={a}",
            ]
        )

    def _value(self, name: str) -> str:
        value = self.chance.choice(self.documents).get(name)
        if isinstance(value, list):
            value = self.chance.choice(value) if value else "none"
        text = str(value).lower() if isinstance(value, bool | None) else str(value)
        if not text.replace(".", "").isalnum():
            mark = self.chance.choice("'\"")
            escaped = text.replace("\\", "\\\\").replace(mark, f"\\{mark}")
            return f"{mark}{escaped}{mark}"
        return text.upper() if self.chance.random() < 0.1 else text


def broken(chance: random.Random, text: str) -> str:
    """Return a filter made wrong: something is put into it, or replaces a few of its characters."""
    at = chance.randrange(len(text) + 1)
    junk = chance.choice(
        [
            "",
            "(",
            ")",
            "'",
            '"',
            "\\",
            " AND ",
            " OR",
            "NOT ",
            " IN [",
            "]",
            ",",
            "=",
            "=!",
            " TO ",
            "_geo",
            "_geoRadius(1,2,3)",
            " \\x41 ",
            "\\u0041",
            "🦀",
            " EXISTS",
            " ",
        ]
    )
    return text[:at] + junk + text[at + chance.choice([0, 0, 1, 3]) :]
