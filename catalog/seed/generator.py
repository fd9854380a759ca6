"""Generated programs: the same count and seed give the same programs on any machine.

Words are drawn by Zipf's law, as in real texts: a few words everywhere, most words seldom.
"""

import bisect
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from catalog.core.text import slugify
from catalog.programs.models import KINDS
from catalog.seed import demo, words

# How many series, tags and people the programs share.
SERIES, TAGS, PEOPLE = 200, 400, 600
# Releases are spread over this many days from the first day on.
_FIRST_DAY, _DAYS = datetime(2015, 1, 1, tzinfo=UTC), 4000
_MOST_VIEWS = 1_000_000
_STATUSES = {"published": 0.94, "draft": 0.03, "in_review": 0.01, "archived": 0.02}


class Zipf:
    """Draws positions from 0 to n - 1; position k is drawn in proportion to 1 / (k + 1)."""

    def __init__(self, n: int) -> None:
        self._sums = list(itertools.accumulate(1 / (k + 1) for k in range(n)))

    def draw(self, chance: random.Random) -> int:
        """Return a position."""
        return bisect.bisect_left(self._sums, chance.random() * self._sums[-1])


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """A generated program.

    `number` counts the programs from 1. `category`, `series`, `tags` and `people` are positions in lists, from 0.
    """

    number: int
    slug: str
    title: str
    description: str
    language: str
    media_type: str
    kind: str
    duration_sec: int
    release_date: datetime
    category: int
    series: int | None
    episode: int | None
    is_featured: bool
    status: str
    view_count: int
    tags: tuple[int, ...]
    people: tuple[int, ...]


def generate(
    count: int, seed: int = 1, vocabularies: Mapping[str, Sequence[str]] | None = None
) -> Iterator[ProgramRow]:
    """Yield `count` programs; with the same seed, a larger catalogue begins with a smaller one.

    Args:
        count: How many programs.
        seed: Of the random choices.
        vocabularies: The words of each language, the most frequent ones first; None: those of `words`.
    """
    chance = random.Random(seed)  # noqa: S311  (repeatable on purpose, no secret)
    vocabularies = vocabularies or {"ar": words.arabic(), "en": words.english()}
    words_zipf = {language: Zipf(len(vocabulary)) for language, vocabulary in vocabularies.items()}
    category_count = len(demo.categories())
    tags_zipf, people_zipf, series_zipf, views_zipf = Zipf(TAGS), Zipf(PEOPLE), Zipf(SERIES), Zipf(100_000)
    statuses, weights = list(_STATUSES), list(_STATUSES.values())

    def text_of(language: str, length: int) -> str:
        vocabulary, zipf = vocabularies[language], words_zipf[language]
        return " ".join(vocabulary[zipf.draw(chance)] for _ in range(length))

    for number in range(1, count + 1):
        language = "ar" if chance.random() < 0.5 else "en"
        title = text_of(language, chance.randint(2, 6))
        kind = KINDS[0] if chance.random() < 0.7 else chance.choice(KINDS[1:])
        in_series = kind == "episode" and chance.random() < 0.8
        yield ProgramRow(
            number=number,
            slug=f"{slugify(title)[:90]}-g{number}",
            title=title[:1].upper() + title[1:],
            description=text_of(language, chance.randint(12, 45)),
            language=language,
            media_type="audio" if kind == "episode" and chance.random() < 0.8 else "video",
            kind=kind,
            duration_sec=max(45, int(chance.lognormvariate(7.6, 0.7))),
            release_date=_FIRST_DAY + timedelta(days=chance.randrange(_DAYS), minutes=chance.randrange(1440)),
            category=chance.randrange(category_count),
            series=series_zipf.draw(chance) if in_series else None,
            episode=number if in_series else None,
            is_featured=chance.random() < 0.01,
            status=chance.choices(statuses, weights)[0],
            view_count=_MOST_VIEWS // (views_zipf.draw(chance) + 1),
            tags=tuple(sorted({tags_zipf.draw(chance) for _ in range(chance.randint(0, 4))})),
            people=tuple(sorted({people_zipf.draw(chance) for _ in range(chance.randint(0, 3))})),
        )
