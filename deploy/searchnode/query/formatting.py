"""Shows a hit with its matches: highlighted, cropped, with their positions. `hits.py` calls it."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from deploy.searchnode.attributes import is_within
from deploy.searchnode.query.matching import Match, Matcher
from deploy.searchnode.text.tokens import HARD, STOP, WORD, Token
from deploy.searchnode.values import Document, Json, JsonObject

# Matches further apart, in words, count as equally far.
_MAX_DISTANCE = 7
# How good an interval of matches is: different words of the query, nearness, words in order.
_Score = tuple[int, int, int]


class AttributeFormat(NamedTuple):
    """How to show one attribute: highlighted or not, cropped to so many words (None: not cropped)."""

    highlight: bool
    crop: int | None


@dataclass(frozen=True)
class Style:
    """How a search wants its hits shown: by attribute, with these tags and this marker of a crop."""

    attributes: dict[str, AttributeFormat]
    pre: str = "<em>"
    post: str = "</em>"
    marker: str = "…"

    def format_of(self, name: str) -> AttributeFormat | None:
        """Return how to show a field; None: as it is.

        All attributes count that the field is, is nested in, or has nested in it.
        """
        found = [
            format_
            for attribute, format_ in self.attributes.items()
            if is_within(name, attribute) or is_within(attribute, name)
        ]
        if not found:
            return None
        crops = [format_.crop for format_ in found if format_.crop is not None]
        return AttributeFormat(any(format_.highlight for format_ in found), crops[0] if crops else None)


class Formatter:
    """Formats the hits of one search, one after another.

    `positions` are those of the last hit, by field, as `_matchesPosition` has them.
    """

    def __init__(self, matcher: Matcher, style: Style, locales: tuple[str, ...] | None) -> None:
        """Prepare to format hits.

        Args:
            matcher: Finds the words of the query.
            style: How to show the hits.
            locales: The languages that the request names; None: those of the settings.
        """
        self.matcher, self.style, self.locales = matcher, style, locales
        self.positions: dict[str, list[JsonObject]] = {}

    def document(self, document: Document) -> Document:
        """Return the document as `_formatted` shows it, and set `positions`."""
        self.positions = {}
        return {name: self._value(value, name, ()) for name, value in document.items()}

    def _value(self, value: Json, name: str, indices: tuple[int, ...]) -> Json:
        """Format a value; `indices` say where in arrays it stands."""
        if isinstance(value, list):
            return [self._value(v, name, (*indices, n)) for n, v in enumerate(value)]
        if isinstance(value, dict):
            return {k: self._value(v, f"{name}.{k}", indices) for k, v in value.items()}
        if isinstance(value, bool) or value is None:
            return value
        text = value if isinstance(value, str) else str(value)
        locales = self.locales or self.matcher.tokenizer.locales(name)
        tokens, found = self.matcher.find(text, locales)
        positions = [_position(text, tokens, match, indices) for match in found]
        if positions:
            # As in Meilisearch, the last text of an array that has a match replaces those before.
            self.positions[name] = positions
        format_ = self.style.format_of(name)
        return self._formatted(text, tokens, found, format_) if format_ else text

    def _formatted(self, text: str, tokens: list[Token], found: list[Match], format_: AttributeFormat) -> str:
        start, end = 0, len(text)
        if format_.crop:
            start, end = crop_window(text, tokens, found, format_.crop)
        parts = [self.style.marker] if start > 0 else []
        at = start
        for match in found if format_.highlight else ():
            first, last = tokens[match.tokens[0]].start, tokens[match.tokens[1]].end
            if last < start or first > end:
                continue
            first, last = max(first, start), min(last, end)
            cut = min(first + match.length, last)
            parts += [text[at:first], self.style.pre, text[first:cut], self.style.post, text[cut:last]]
            at = last
        parts.append(text[at:end])
        if end < len(text):
            parts.append(self.style.marker)
        return "".join(parts)


def _position(text: str, tokens: list[Token], match: Match, indices: tuple[int, ...]) -> JsonObject:
    """Return where a match is, in bytes."""
    start = tokens[match.tokens[0]].start
    position: JsonObject = {
        "start": len(text[:start].encode()),
        "length": len(text[start : start + match.length].encode()),
    }
    if indices:
        position["indices"] = list(indices)
    return position


def crop_window(text: str, tokens: list[Token], found: list[Match], size: int) -> tuple[int, int]:
    """Find the part of a text to show when it is cropped.

    Args:
        text: The text.
        tokens: Its tokens.
        found: The matches in it, in order.
        size: The length of the part, in words.

    Returns:
        Where the part with the best matches starts and ends, in characters.
    """
    left, right, remaining = -1, 0, size
    if found:
        first, last = best_interval(found, size)
        left, right = first.tokens[0] - 1, last.tokens[1] + 1
        remaining = size - (last.words[1] - first.words[0] + 1)
        if remaining < 0:
            return _shortened(tokens, last.tokens[1] + 1, -remaining)
    while remaining > 0:
        before, after = _kind(tokens, left), _kind(tokens, right)
        if before is None and after is None:
            break
        take_left, take_right = before is not None, after is not None
        if before is not None and after is not None:
            words = before == WORD, after == WORD
            if not any(words):
                # Two separators: both if they are of one kind, else the softer one.
                take_left = before == after or before != HARD
                take_right = (before == after and remaining > 1) or (before != after and before == HARD)
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
    """Return the window of a single phrase that is too long: `surplus` words go from its end."""
    at = min(until, len(tokens) - 1)
    while surplus > 0 and at >= 0:
        surplus -= tokens[at].kind in (WORD, STOP)
        at -= 1
    return 0, tokens[at].start if at >= 0 else 0


def _kind(tokens: list[Token], at: int) -> str | None:
    """Return the kind of a token, stop words being words; None outside the text."""
    if not 0 <= at < len(tokens):
        return None
    return WORD if tokens[at].kind in (WORD, STOP) else tokens[at].kind


def best_interval(found: list[Match], size: int) -> tuple[Match, Match]:
    """Return the first and the last of the matches that are best shown together, in `size` words."""
    best: tuple[_Score, tuple[int, int]] | None = None
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
    best: tuple[_Score, tuple[int, int]] | None, found: list[Match], first: int, last: int
) -> tuple[_Score, tuple[int, int]]:
    """Return the better of the best interval so far and the one from `first` to `last`."""
    score = _score(found[first : last + 1])
    return (score, (first, last)) if best is None or score > best[0] else best


def _score(found: list[Match]) -> _Score:
    inside = sum(match.words[1] - match.words[0] for match in found)
    distance, in_order = -inside, inside
    for match, following in pairwise(found):
        in_order += following.query_words[0] > match.query_words[0]
        distance -= min(following.words[0] - match.words[1], _MAX_DISTANCE)
    different = {n for match in found for n in range(match.query_words[0], match.query_words[1] + 1)}
    return len(different), distance, in_order
