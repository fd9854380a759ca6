"""Makes queries from a catalogue, of every kind that people type, and odd ones. `agree.py` sends them."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from catalog.seed import demo

Document = dict[str, Any]
_FORMS = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه", "ا": "أ", "ه": "ة"})
_MARKS = "\u064e\u064f\u0650\u0652"


def catalogue(path: Path | None) -> list[Document]:
    """Return the documents of a JSONL file; without a file the demo catalogue, as documents of the product."""
    if path is not None:
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    found = []
    for number, row in enumerate(demo.programs(), 1):
        found.append(
            {
                "id": number,
                "title": row["title"],
                "description": row.get("description", ""),
                "language": row.get("language"),
                "mediaType": row.get("mediaType"),
                "kind": row.get("kind"),
                "categoryId": sum(map(ord, row.get("category", ""))) % 13,
                "tags": row.get("tags", []),
                "people": [name for _, name in demo.people(row)],
                "durationSec": demo.seconds(row["duration"]) if row.get("duration") else None,
                "releaseDate": number * 86_400,
                "viewCount": number * 7 % 50,
                "isFeatured": number % 9 == 0,
                "seriesTitle": row.get("series"),
            }
        )
    return found


class Queries:
    """Makes queries of every kind from one catalogue; the same seed makes the same queries."""

    def __init__(self, documents: list[Document], seed: int) -> None:
        self.documents, self.chance = documents, random.Random(seed)

    def of_every_kind(self, each: int) -> Iterator[tuple[str, str]]:
        """Yield (kind, query), `each` queries of every kind."""
        for kind, make in self.kinds().items():
            made = 0
            while made < each:
                text = make(self.chance.choice(self.documents))
                if text.strip():
                    made += 1
                    yield kind, text

    def kinds(self) -> dict[str, Callable[[Document], str]]:
        """Return for each kind the function that makes a query from a document."""
        return {
            "clean title": lambda d: str(d["title"]),
            "one typo": lambda d: self.misspelt(d["title"]),
            "two typos": lambda d: self.misspelt(self.misspelt(d["title"])),
            "prefix": lambda d: d["title"][: self.chance.randint(1, max(len(d["title"]) - 1, 1))],
            "short prefix": lambda d: d["title"][: self.chance.randint(1, 3)],
            "part of a title": self._part,
            "other forms": lambda d: self._changed(d["title"], lambda c: c.translate(_FORMS), 0.5),
            "vowel marks": lambda d: self._changed(d["title"], lambda c: c + self.chance.choice(_MARKS), 0.3),
            "a person": lambda d: self.chance.choice(d["people"] or [d["title"]]),
            "person and title": lambda d: (
                f"{self._word(self.chance.choice(d['people'] or ['']))} {self._part(d)}"
            ),
            "words of the text": lambda d: self._some_words(d.get("description") or d["title"], 3),
            "two programs": lambda d: f"{self._part(d)} {self._part(self.chance.choice(self.documents))}",
            "proclitic": lambda d: self.chance.choice("وبلف") + d["title"],
            "phrase": lambda d: f'"{self._part(d)}"',
            "phrase and words": lambda d: (
                f'{self._word(d["title"])} "{self._part(d)}" {self._word(d["description"] or "")}'
            ),
            "negation": lambda d: f"{self._part(d)} -{self._word(d['description'] or d['title'])}",
            "negated phrase": lambda d: (
                f'{self._word(d["title"])} -"{self._some_words(d["description"] or "x", 2)}"'
            ),
            "odd punctuation": self._punctuated,
            "mixed scripts": lambda d: (
                f"{self._word(d['title'])}{self._word(self.chance.choice(self.documents)['title'])}"
            ),
            "digits": lambda d: f"{self._word(d['title'])} {self.chance.randint(0, 2030)}",
            "very long": lambda d: f"{d['title']} {d.get('description') or ''}",
            "split": self._split,
            "joined": lambda d: self._part(d).replace(" ", "", 1),
            "repeated": lambda d: " ".join([self._word(d["title"])] * 2 + [self._word(d["title"])]),
            "upper case": lambda d: str(d["title"]).upper(),
            "unknown word": lambda d: f"{self._part(d)} {''.join(self.chance.choices('qwxzjkv', k=7))}",
        }

    def misspelt(self, text: str) -> str:
        """Return the text with one typo: a letter missing, twice, added, replaced, or exchanged with the next."""
        positions = [n for n, c in enumerate(text) if c.isalpha()]
        if not positions:
            return text
        at = self.chance.choice(positions)
        other = self.chance.choice("ابتعمنيلرس" if "\u0600" < text[at] < "\u06ff" else "aeiostnrlm")
        return self.chance.choice(
            [
                text[:at] + text[at + 1 :],
                text[:at] + text[at] + text[at:],
                text[:at] + other + text[at:],
                text[:at] + other + text[at + 1 :],
                text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :],
            ]
        )

    def _word(self, text: str) -> str:
        return self.chance.choice(text.split() or [""])

    def _some_words(self, text: str, count: int) -> str:
        words = text.split()
        at = self.chance.randint(0, max(len(words) - count, 0))
        return " ".join(words[at : at + count])

    def _part(self, document: Document) -> str:
        words = document["title"].split()
        return self._some_words(document["title"], self.chance.randint(1, max(len(words), 1)))

    def _changed(self, text: str, change: Callable[[str], str], share: float) -> str:
        return "".join(change(c) if c.isalpha() and self.chance.random() < share else c for c in text)

    def _punctuated(self, document: Document) -> str:
        marks = [
            "!",
            "?!",
            " - ",
            "--",
            "/",
            "\\",
            "'",
            '"',
            "…",
            "،",
            "؟",
            "«",
            "»",
            "_",
            ".",
            ". ",
            "#",
            "&",
            "@",
            "+",
            "(",
            "]",
            " -",
            "\t",
            "\u200f",
            "~",
            ":",
            ";",
            "%",
            "$",
            "*",
        ]
        return "".join(word + self.chance.choice([*marks, " "]) for word in document["title"].split())

    def _split(self, document: Document) -> str:
        words = document["title"].split()
        n = max(range(len(words)), key=lambda n: len(words[n]))
        at = self.chance.randint(1, max(len(words[n]) - 1, 1))
        words[n] = f"{words[n][:at]} {words[n][at:]}"
        return " ".join(words)
