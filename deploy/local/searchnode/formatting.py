"""How a hit is shown: highlighted, cropped, with the places of what matched."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from deploy.local.searchnode.attributes import inside
from deploy.local.searchnode.matching import Match, Matcher
from deploy.local.searchnode.text.tokens import HARD, STOP, WORD, Token

_FAR = 7


class How(NamedTuple):
    """What to do with one attribute: highlight it, crop it to so many words (None: do not)."""

    highlight: bool
    crop: int | None


@dataclass(frozen=True)
class Style:
    """What a search asked of its hits, by attribute."""

    attributes: dict[str, How]
    pre: str = "<em>"
    post: str = "</em>"
    marker: str = "…"

    def of(self, name: str) -> How | None:
        """What holds for a field: everything asked of it, of what it is in and what is in it."""
        asked = [
            how for attribute, how in self.attributes.items()
            if inside(name, attribute) or inside(attribute, name)
        ]  # fmt: skip
        if not asked:
            return None
        crops = [how.crop for how in asked if how.crop is not None]
        return How(any(how.highlight for how in asked), crops[0] if crops else None)


class Formatter:
    """Formats hits of one search. `positions` are collected as `_matchesPosition` has them."""

    def __init__(self, matcher: Matcher, style: Style, locales: tuple[str, ...] | None) -> None:
        self.matcher, self.style, self.locales = matcher, style, locales
        self.positions: dict[str, list[dict[str, Any]]] = {}

    def document(self, document: dict[str, Any]) -> dict[str, Any]:
        """Every text of the document as it is shown; collects the positions anew."""
        self.positions = {}
        return {name: self._value(value, name, ()) for name, value in document.items()}

    def _value(self, value: Any, name: str, indices: tuple[int, ...]) -> Any:
        if isinstance(value, list):
            return [self._value(v, name, (*indices, n)) for n, v in enumerate(value)]
        if isinstance(value, dict):
            return {k: self._value(v, f"{name}.{k}", indices) for k, v in value.items()}
        if isinstance(value, bool) or value is None:
            return value
        text = value if isinstance(value, str) else str(value)
        locales = self.locales or self.matcher.tokenizer.locales(name)
        tokens, found = self.matcher.find(text, locales)
        places = []
        for match in found:
            start = tokens[match.tokens[0]].start
            place: dict[str, Any] = {
                "start": len(text[:start].encode()),
                "length": len(text[start : start + match.length].encode()),
            }
            if indices:
                place["indices"] = list(indices)
            places.append(place)
        if places:
            # Of an array the last text with a match is told, as the real one does.
            self.positions[name] = places
        how = self.style.of(name)
        return self._format(text, tokens, found, how) if how else text

    def _format(self, text: str, tokens: list[Token], found: list[Match], how: How) -> str:
        start, end = 0, len(text)
        if how.crop:
            start, end = window(text, tokens, found, how.crop)
        parts = [self.style.marker] if start > 0 else []
        at = start
        for match in found if how.highlight else ():
            first, last = tokens[match.tokens[0]].start, tokens[match.tokens[1]].end
            if last < start or first > end:
                continue
            first, last = max(first, start), min(last, end)
            cut = min(first + match.length, last)
            parts += [text[at:first], self.style.pre, text[first:cut], self.style.post,
                      text[cut:last]]  # fmt: skip
            at = last
        parts.append(text[at:end])
        if end < len(text):
            parts.append(self.style.marker)
        return "".join(parts)


def window(text: str, tokens: list[Token], found: list[Match], size: int) -> tuple[int, int]:
    """(start, end) of the part with the best matches, `size` words long, in characters."""
    left, right, remaining = -1, 0, size
    if found:
        first, last = best_interval(found, size)
        own = last.words[1] - first.words[0] + 1
        left, right = first.tokens[0] - 1, last.tokens[1] + 1
        remaining = size - own
        if remaining < 0:
            return _shortened(tokens, last.tokens[1] + 1, -remaining)
    while remaining > 0:
        before = _kind(tokens, left)
        after = _kind(tokens, right)
        if before is None and after is None:
            break
        take_left, take_right = before is not None, after is not None
        if before is not None and after is not None:
            words = before == WORD, after == WORD
            if not any(words):
                # Separators: both when alike, else the softer one.
                take_left = before == after or before != HARD
                take_right = (before == after and remaining > 1) or (
                    before != after and before == HARD
                )
            elif all(words):
                take_right = remaining > 1
            else:
                take_left, take_right = words
        remaining -= (take_left and before == WORD) + (take_right and after == WORD)
        left -= take_left
        right += take_right
    start = tokens[left].end if left >= 0 else 0
    end = tokens[right].start if right < len(tokens) else len(text)
    return start, end


def _shortened(tokens: list[Token], until: int, surplus: int) -> tuple[int, int]:
    """A single phrase longer than the window: words go from its end."""
    at = min(until, len(tokens) - 1)
    while surplus > 0 and at >= 0:
        surplus -= tokens[at].kind in (WORD, STOP)
        at -= 1
    return 0, tokens[at].start if at >= 0 else 0


def _kind(tokens: list[Token], at: int) -> str | None:
    if not 0 <= at < len(tokens):
        return None
    return WORD if tokens[at].kind in (WORD, STOP) else tokens[at].kind


def best_interval(found: list[Match], size: int) -> tuple[Match, Match]:
    """The first and the last of the matches that are worth showing together."""
    best: tuple[tuple[int, int, int], tuple[int, int]] | None = None
    first = 0
    for n, match in enumerate(found):
        if match.words[1] - found[first].words[0] < size:
            continue
        if n:
            best = _better(best, found, first, n - 1)
        while first < len(found) - 1:
            first += 1
            start = found[first].words[0]
            if start > match.words[1] or match.words[1] - start < size:
                break
    last = len(found) - 1
    only = found[first].words
    if first != last or only[1] - only[0] + 1 < size:
        best = _better(best, found, first, last)
    a, b = best[1] if best else (0, 0)
    return found[a], found[b]


def _better(
    best: tuple[tuple[int, int, int], tuple[int, int]] | None,
    found: list[Match], first: int, last: int,
) -> tuple[tuple[int, int, int], tuple[int, int]]:  # fmt: skip
    score = _score(found[first : last + 1])
    return (score, (first, last)) if best is None or score > best[0] else best


def _score(found: list[Match]) -> tuple[int, int, int]:
    """Different words of the query, then how near they are, then how many are in order."""
    inside = sum(match.words[1] - match.words[0] for match in found)
    distance, order = -inside, inside
    for one, other in pairwise(found):
        order += other.ids[0] > one.ids[0]
        distance -= min(other.words[0] - one.words[1], _FAR)
    words = {n for match in found for n in range(match.ids[0], match.ids[1] + 1)}
    return len(words), distance, order
