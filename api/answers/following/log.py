"""The latest changes of programs that a process has heard of, and which of them touch a page.

Changes are numbered as they are heard. What cannot be told supersedes every page: the log then begins anew, behind all pages.
"""

import math
import time
from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from msgspec import structs

from api.answers.following.depends import Depends, Need, Term
from api.answers.following.vocabulary import Vocabulary, typos
from indexer.stores.following.described import Described

# The changes that are kept, and their words (with tracemalloc, 200,000 words of 6,000 changes take some 15 MB).
MAX_CHANGES, MAX_WORDS = 8192, 200_000
# Of a page that needs no words, so many changes are compared; with more it counts as touched.
_MAX_COMPARED = 2000
# A page is first compared with so many changes, then with more at a time.
_LEAST_PART = 64
# Times of what superseded pages.
_TIMES = 256


class _Change:
    """A change, the generation that it began with others, when it was heard (monotonic seconds), and its words."""

    __slots__ = ("at", "described", "generation", "pairs", "titled", "words")

    def __init__(self, described: Described, generation: int, at: float) -> None:
        self.titled = tuple(described.titled)
        self.words = tuple(dict.fromkeys([*described.titled, *described.others]))
        self.pairs = array("I", described.pairs)
        # The words are here, with those that other changes have, too.
        self.described = structs.replace(described, titled=[], others=[], pairs=[])
        self.generation, self.at = generation, at


class Log:
    """What has changed since when.

    Attributes:
        end: The number of the next change. A page that was compared up to here has nothing against it.
    """

    def __init__(self) -> None:
        """Begin without any change."""
        self.first = self.end = 0
        # Pages of an older generation are superseded.
        self.floor = 0
        self._changes: list[_Change] = []
        self._generations: list[int] = []
        # Word, or the id of a program -> the numbers of its changes.
        self._numbers: dict[str, list[int]] = {}
        self._of_program: dict[int, list[int]] = {}
        self._spelled: dict[str, str] = {}
        self._vocabulary = Vocabulary()
        self._words = 0
        self._times: deque[tuple[int, float]] = deque(maxlen=_TIMES)

    def begin(self, floor: int) -> None:
        """Supersede every page of a generation before `floor`, and every page that was compared with what is here."""
        self._changes.clear()
        self._generations.clear()
        self._numbers.clear()
        self._of_program.clear()
        self._spelled.clear()
        self._vocabulary.clear()
        self._words = 0
        self.end += 1
        self.first, self.floor = self.end, floor
        self._times.append((self.end, time.monotonic()))

    def add(self, generation: int, changes: Sequence[Described]) -> None:
        """Take the changes that began a generation."""
        now = time.monotonic()
        for described in changes:
            self._add(_Change(described, generation, now))
        self._times.append((self.end, now))
        while len(self._changes) > MAX_CHANGES or self._words > MAX_WORDS:
            self._forget()
        if len(self._vocabulary) > 2 * len(self._spelled) + 1000:
            # Most of its words are in no change any more.
            self._vocabulary.clear()
            for word in self._spelled:
                self._vocabulary.add(word)

    def _add(self, change: _Change) -> None:
        spelled = self._spelled
        for word in change.words:
            if word not in spelled:
                spelled[word] = word
                self._vocabulary.add(word)
        # One object for each word, however many changes have it.
        change.words = tuple(map(spelled.__getitem__, change.words))
        change.titled = tuple(map(spelled.__getitem__, change.titled))
        for word in change.words:
            self._numbers.setdefault(word, []).append(self.end)
        self._of_program.setdefault(change.described.id, []).append(self.end)
        self._words += len(change.words)
        self._changes.append(change)
        self._generations.append(change.generation)
        self.end += 1

    def _forget(self) -> None:
        """Drop the oldest change: pages that were not compared with it are superseded from now on."""
        change = self._changes[0]
        del self._changes[0], self._generations[0]
        for word in change.words:
            numbers = self._numbers[word]
            del numbers[0]
            if not numbers:
                del self._numbers[word], self._spelled[word]
        numbers = self._of_program[change.described.id]
        del numbers[0]
        if not numbers:
            del self._of_program[change.described.id]
        self._words -= len(change.words)
        self.first += 1
        self.floor = max(self.floor, change.generation)

    def position(self, generation: int) -> int:
        """Return the number of the first change that a page of this generation may not have; -1: nobody can tell."""
        if generation < self.floor:
            return -1
        return self.first + bisect_right(self._generations, generation)

    def touched_at(self, depends: Depends | None, seen: int) -> float | None:
        """Return when a page was touched first (monotonic seconds); None: not at all.

        Args:
            depends: What the page depends on; None: everything touches it.
            seen: The number of the first change that it was not compared with.
        """
        if seen >= self.end:
            return None
        if depends is None or seen < self.first:
            return self._first_after(seen)
        number = self._first_touch(depends, seen)
        return None if number is None else self._at(number).at

    def _first_after(self, seen: int) -> float:
        for end, at in self._times:
            if end > seen:
                return at
        return -math.inf

    def _at(self, number: int) -> _Change:
        return self._changes[number - self.first]

    def _first_touch(self, depends: Depends, seen: int) -> int | None:
        touches = [
            numbers[at]
            for numbers in map(self._of_program.get, depends.ids)
            if numbers and (at := bisect_left(numbers, seen)) < len(numbers)
        ]
        first = min(touches, default=self.end)
        if depends.needs is None and first - seen > _MAX_COMPARED:
            return seen
        part = _LEAST_PART
        # In parts: what is touched often is touched by one of the first changes.
        while seen < first:
            until = min(first, seen + part)
            touch = min(self._touching(depends, seen, until), default=None)
            if touch is not None:
                return touch
            seen, part = until, 8 * part
        return first if first < self.end else None

    def _touching(self, depends: Depends, seen: int, until: int) -> Iterator[int]:
        """Yield the changes from `seen` to `until` that touch a page by what it needs."""
        every: Iterable[int] = range(seen, until)
        needs = (every,) if depends.needs is None else (self._meeting(n, seen, until) for n in depends.needs)
        for numbers in needs:
            yield from (number for number in numbers if depends.may_show(self._at(number).described))

    def _between(self, word: str, seen: int, until: int) -> list[int]:
        numbers = self._numbers.get(word)
        if not numbers or numbers[-1] < seen:
            return []
        return numbers[bisect_left(numbers, seen) : bisect_left(numbers, until)]

    def _meeting(self, need: Need, seen: int, until: int) -> Iterator[int]:
        """Yield the changes from `seen` to `until` that have the words of a need."""
        found: set[int] | None = None
        for terms, is_near in ((need.whole, False), (need.near, True)):
            for term in terms:
                numbers = self._with_term(term, seen, until, is_near=is_near)
                found = numbers if found is None else found & numbers
                if not found:
                    return
        for number in found if found is not None else range(seen, until):
            change = self._at(number)
            if need.kind and change.described.kind != need.kind:
                continue
            if not all(pair in change.pairs for pair in need.pairs):
                continue
            if not need.is_titled or _has_in_title(change, need):
                yield number

    def _with_term(self, term: Term, seen: int, until: int, *, is_near: bool) -> set[int]:
        """Return the changes that have a term: a word, the beginning of one, or its two halves as words."""
        found: set[int] = set()
        for text in term:
            meant = self._vocabulary.meant(text, typos(text) if is_near else 0)
            if len(meant) <= until - seen:
                for word in meant:
                    found.update(self._between(word, seen, until))
            else:
                every = range(seen, until)
                found.update(n for n in every if not meant.isdisjoint(self._at(n).words))
            for n in range(1, len(text)):
                if text[:n] in self._numbers and text[n:] in self._numbers:
                    halves = self._between(text[:n], seen, until), self._between(text[n:], seen, until)
                    found.update(set(halves[0]).intersection(halves[1]))
        return found


def _has_in_title(change: _Change, need: Need) -> bool:
    if not all(_has(change.titled, term) for term in need.whole):
        return False
    if not need.is_first:
        return True
    described = change.described
    if not _has(described.begins, need.whole[0]):
        return False
    return described.view_count >= need.views or need.text in described.wholes


def _has(words: Sequence[str], term: Term) -> bool:
    return any(
        any(word.startswith(text) for word in words)
        or any(text[:n] in words and text[n:] in words for n in range(1, len(text)))
        for text in term
    )
