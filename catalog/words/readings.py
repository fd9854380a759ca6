"""What a query may have been meant as: its words taken one by one, in the words of the catalogue.

A reading says what to search instead and how far that is from what was typed (`cost`). `read` finds the cheapest
readings with a beam over the words; each step of it is a rung of the ladder. The searches that ask for them choose by
what an engine finds (`api/discovery/searching/ladder.py`).
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from catalog.words import layouts
from catalog.words.joined import ARTICLE, bare, is_arabic, without
from catalog.words.keys import likeness, sound_hash, sounds
from catalog.words.kinds import GENERAL
from catalog.words.lexicon import Correction, Lexicon
from catalog.words.resemblance import resemblance
from catalog.words.spelling import split

# An engine reads no more words of a query either.
MAX_WORDS = 10
_BEAM = 12
_ALTERNATIVES, _CORRECTIONS = 3, 5
# The costs of steps: 0 is the word as typed. Measured with `make bench-search` on three catalogues.
_JOINED, _SPLIT, _MERGED = 0.4, 1.0, 0.9
_CORRECTED, _FAR = 1.2, 2.6
_SOUNDS, _UNLIKE = 0.9, 5.0
_GENERAL_WORD, _ANY_KIND, _DROPPED, _LAYOUT, _UNKNOWN = 0.3, 0.2, 4.5, 0.8, 3.5
# A word of the catalogue was probably meant as it is.
_KNOWN_CHANGED = 1.6
_LIKE_ENOUGH = 0.5
# A word of the other script that sounds less alike was hardly meant, and a short one or one below the second bound may
# be there by chance. So many words are compared.
_PLAUSIBLE, _SURE, _COMPARED = 0.8, 0.9, 12
_BY_CHANCE = 4
_FREQUENT = 0.2
# Words of at least so many letters may have two mistakes.
_LONG = 6
_LONG_LATIN = 4
# Signs whose keys have letters on the Arabic layout, where a letter would stand.
_LETTER_KEY = re.compile(r"[\[\];,'./`](?=[a-z\[\];,'./`])|^[\[\];,'./`]", re.IGNORECASE)
_CHAT = re.compile("[a-z][235-9]|[235-9][a-z]")
# So many letters of a wrong layout say something: b is لا there, and R&B is not meant so.
_LEAST_TYPED = 3
# Words of one text are all likelier to be in the other script than each alone.
_TOGETHER = 0.7
_ARTICLES = ("al", "el", "ال")
# Readings that cost so much more than the likeliest are not asked for.
_FURTHER = 3.0
# Names of a catalogue are written in one script.
_MIXED = 1.2
# Words of the same sound that are compared.
_SOUNDING = 60


@dataclass(frozen=True, slots=True)
class Step:
    """What some words of the query become. `weak`: perhaps by chance, so that no word is dropped beside it."""

    rung: str
    words: tuple[str, ...]
    cost: float
    dropped: int = 0
    kind: str = ""
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A query to ask instead. `dropped` words are missing from it; `kind` is the kind of program asked for."""

    rung: str
    text: str
    cost: float
    dropped: int
    kind: str


class Reader:
    """Reads queries with the words of one lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        """Take the words of the catalogue."""
        self.lexicon = lexicon

    def knows(self, word: str, *, unfinished: bool = False) -> bool:
        """Return whether the catalogue has the word, or, if it is unfinished, one that begins so."""
        if word.isdecimal() or self.lexicon.count(word) or self.lexicon.count(bare(word)):
            return True
        return unfinished and (self.lexicon.begins(word) or self.lexicon.begins(bare(word)))

    def doubtful(self, query: str) -> bool:
        """Return whether a word of the query is unknown or general, so that the query may need another reading."""
        words = split(query)[:MAX_WORDS]
        last = len(words) - 1
        finished = query[-1:].isspace()
        general = len(words) > 1 and (words[0] in GENERAL or words[-1] in GENERAL)
        if _LETTER_KEY.search(query) and all(map(self.knows, split(layouts.to_arabic(query)))):
            return True
        return general or any(
            not self.knows(word, unfinished=n == last and not finished) for n, word in enumerate(words)
        )

    def read(self, query: str, limit: int) -> list[Reading]:
        """Return the likeliest other readings of the query, the likeliest first.

        Args:
            query: As it was typed.
            limit: How many at most.
        """
        finished = query[-1:].isspace()
        plain = " ".join(split(query)[:MAX_WORDS])
        found = self._paths(split(query)[:MAX_WORDS], finished=finished)
        for text in (layouts.to_arabic(query), self._on_us_layout(query.lower())):
            words = split(text)[:MAX_WORDS]
            known = sum(self.knows(word, unfinished=n + 1 == len(words)) for n, word in enumerate(words))
            says_enough = sum(map(len, words)) >= _LEAST_TYPED
            # A title may begin with a number.
            switched = any(map(is_arabic, words)) != any(map(is_arabic, plain.split()))
            if says_enough and switched and known * 2 > len(words):
                paths = self._paths(words, finished=finished)
                found += [_switched(path) for path in paths[:2]]
        found += self._transliterated(split(query)[:MAX_WORDS])
        readings: dict[tuple[str, str], Reading] = {}
        for reading in sorted(found, key=lambda reading: reading.cost):
            if reading.text and (reading.text != plain or reading.rung == "layout"):
                readings.setdefault((reading.text, reading.kind), reading)
                if reading.kind:
                    # Programs of the kind are preferred, and others count too.
                    other = replace(reading, kind="", cost=reading.cost + _ANY_KIND)
                    readings.setdefault((other.text, ""), other)
        likely = sorted(
            (reading for reading in readings.values() if reading.cost < math.inf),
            key=lambda reading: reading.cost,
        )[:limit]
        return [reading for reading in likely if reading.cost <= likely[0].cost + _FURTHER]

    def _on_us_layout(self, query: str) -> str:
        """The query as its keys write it with the US layout. لا is one key or two: what makes a known word is taken."""
        found = []
        for word in query.split():
            forms = layouts.to_latin(word)
            found.append(next((form for form in forms if all(map(self.knows, split(form)))), forms[0]))
        return " ".join(found)

    def _transliterated(self, words: Sequence[str]) -> list[Reading]:
        """The whole query in the other script: whatever of it is a word in its own script too."""
        paths: list[tuple[float, tuple[Step, ...]]] = [(0.0, ())]
        for n, word in enumerate(words):
            if word.isdecimal():
                steps = [Step("plain", (word,), 0.0)]
            elif word in _ARTICLES and n + 1 < len(words):
                steps = [Step("script", (), 0.1)]
            else:
                steps = list(self._in_other_script(word)) or [Step("dropped", (), _DROPPED, dropped=1)]
            paths = sorted(
                ((c + s.cost, (*p, s)) for c, p in paths for s in steps), key=lambda path: path[0]
            )[:_BEAM]
        found = [_reading(cost * _TOGETHER, path) for cost, path in paths[:_ALTERNATIVES]]
        return [reading for reading in found if reading.dropped * 2 < len(words)]

    def _paths(self, words: Sequence[str], *, finished: bool) -> list[Reading]:
        """The beam: what the words up to each place may be."""
        beams: list[list[tuple[float, tuple[Step, ...]]]] = [[(0.0, ())], *([] for _ in words)]
        for at in range(len(words)):
            beams[at].sort(key=lambda path: path[0])
            steps = list(self._steps(words, at, finished=finished))
            for cost, path in beams[at][:_BEAM]:
                for length, step in steps:
                    beams[at + length].append((cost + step.cost, (*path, step)))
        beams[-1].sort(key=lambda path: path[0])
        return [_reading(cost, path) for cost, path in beams[-1][: _BEAM * 2]]

    def _steps(self, words: Sequence[str], at: int, *, finished: bool) -> Iterator[tuple[int, Step]]:
        """What the word at this place may be, and how many words of the query that takes."""
        word = words[at]
        last = at + 1 == len(words)
        known = self.knows(word, unfinished=last and not finished)
        yield 1, Step("plain", (word,), 0.0 if known else _UNKNOWN)
        if len(words) > 1 and word in GENERAL and (at == 0 or last):
            yield 1, Step("kind", (), _GENERAL_WORD, kind=GENERAL[word])
        extra = _KNOWN_CHANGED if known else 0.0
        for step in self._others(word, known=known):
            yield 1, replace(step, cost=step.cost + extra)
        if len(words) > 1:
            yield 1, Step("dropped", (), _DROPPED + (0.5 if known else 0.0), dropped=1)
        if not last:
            merged = word + words[at + 1]
            if self.lexicon.count(merged) and not (known and self.knows(words[at + 1])):
                yield 2, Step("merged", (merged,), _MERGED)

    def _others(self, word: str, *, known: bool) -> Iterator[Step]:
        lexicon = self.lexicon
        for rest in without(word):
            if lexicon.count(rest):
                yield Step("joined", (rest,), _JOINED)
                break
        if not known:
            split_words = self._split(word)
            if split_words:
                yield Step("split", split_words, _SPLIT)
        # 7ob is written as people chat: its digits are letters, not mistakes.
        for correction in () if _CHAT.search(word) else self._corrections(word):
            far = _CORRECTED if correction.distance == 1 else _FAR
            yield Step("correction", (correction.word,), far)
        yield from self._in_other_script(word)

    def _corrections(self, word: str) -> list[Correction]:
        far = 2 if len(word) >= _LONG else 1
        found = self.lexicon.corrections(word, _CORRECTIONS, far)
        noun = bare(word)
        if noun != word and not (found and found[0].distance == 1):
            nouns = self.lexicon.corrections(noun, _CORRECTIONS)
            found += [Correction(ARTICLE + c.word, c.distance, c.programs) for c in nouns]
        return found

    def _split(self, word: str) -> tuple[str, ...]:
        """Two words of the catalogue that were run together; of several pairs the more frequent one."""
        best: tuple[float, tuple[str, ...]] = (0.0, ())
        for n in range(2, len(word) - 1):
            left, right = word[:n], word[n:]
            weight = self._weight(left) * self._weight(right)
            if weight > best[0]:
                best = weight, (left, right)
        return best[1]

    def _weight(self, word: str) -> float:
        count = self.lexicon.count(word) or self.lexicon.count(bare(word))
        # A long word is hardly there by chance; a short one is.
        return math.sqrt(count) * len(word) ** 2

    def _in_other_script(self, word: str) -> Iterator[Step]:
        arabic = is_arabic(word)
        # What looks like an article may be the beginning of a name: ألفريد.
        forms = [word]
        if arabic:
            forms += [bare(word)] if bare(word) != word else []
        elif word[:2] in ("al", "el") and len(word) > _LONG_LATIN:
            forms.append(word[2:])
        found: dict[str, tuple[float, int]] = {}
        for form in forms:
            hashes = {sound_hash(key) for key in sounds(form)}
            for entry in self.lexicon.sounding(hashes, _SOUNDING):
                # One letter sounds like too much.
                if is_arabic(entry.word) != arabic and len(bare(entry.word)) > 1:
                    alike = likeness(form, bare(entry.word))
                    text = entry.word
                    if form != word and self.lexicon.count(ARTICLE + bare(text)):
                        text = ARTICLE + bare(text)
                    # Of words that sound alike the more frequent one is likelier: من rather than مأمون for `mon`.
                    alike += _FREQUENT * math.log1p(entry.programs) / math.log1p(self.lexicon.most)
                    found[text] = max(found.get(text, (0.0, 0)), (alike, entry.programs))
        best = sorted(found.items(), key=lambda pair: (-round(pair[1][0], 2), -pair[1][1]))[:_COMPARED]
        plausible = (
            (other, alike, resembling)
            for other, (alike, _) in best
            if alike >= _LIKE_ENOUGH
            and (resembling := max(resemblance(form, bare(other)) for form in forms)) >= _PLAUSIBLE
        )
        for other, alike, resembling in islice(plausible, _ALTERNATIVES):
            weak = resembling < _SURE or len(word) <= _BY_CHANCE
            yield Step("script", (other,), _SOUNDS + _UNLIKE * max(1 - alike, 0.0), weak=weak)


def _reading(cost: float, path: Sequence[Step]) -> Reading:
    """One path through the query. The step that costs most names the rung."""
    words = [word for step in path for word in step.words]
    main = max(path, key=lambda step: (step.rung != "plain") * (step.cost + 0.01), default=None)
    kind = next((step.kind for step in path if step.kind), "")
    rung = main.rung if main is not None else "plain"
    scripts = {is_arabic(word) for word in words if not word.isdecimal()}
    if rung == "script" and len(scripts) > 1:
        cost += _MIXED
    dropped = sum(step.dropped for step in path)
    # Words that the catalogue does not have say nothing of what was meant.
    lost = sum(step.dropped or step.cost == _UNKNOWN for step in path)
    if lost * 2 >= len(path) and any(step.weak for step in path):
        cost = math.inf
    return Reading(rung, " ".join(words), cost, dropped, kind)


def _switched(reading: Reading) -> Reading:
    return Reading("layout", reading.text, reading.cost + _LAYOUT, reading.dropped, reading.kind)
