"""Turns the engine's marked texts into HTML. The engine marks the parts of words that match; `service` calls this.

The HTML marks whole words. An Arabic article is marked together with its noun, and never alone.
"""

import html
import unicodedata
from collections.abc import Iterator

# The engine marks with these. No text can contain them, because the catalogue refuses control characters.
OPEN, CLOSE = "\x01", "\x02"
_ARTICLES = frozenset(("ال", "أل", "إل", "آل", "ٱل"))
_MARK_CATEGORIES = ("Mn", "Mc", "Cf", "Lm")
Span = tuple[int, int]


def marked(text: str) -> str:
    """Return a text as HTML with `<em>` around every word of which the engine marked a part."""
    plain, spans = _read(text)
    found, at = [], 0
    for start, end in _whole_words(plain, spans):
        found += [html.escape(plain[at:start]), "<em>", html.escape(plain[start:end]), "</em>"]
        at = end
    return "".join([*found, html.escape(plain[at:])])


def _read(text: str) -> tuple[str, list[Span]]:
    """Return the text without marks, and the spans of its marked characters."""
    first, *rest = text.split(OPEN)
    plain, spans = first, []
    for part in rest:
        inside, _, after = part.partition(CLOSE)
        spans.append((len(plain), len(plain) + len(inside)))
        plain += inside + after
    return plain, spans


def _whole_words(plain: str, spans: list[Span]) -> Iterator[Span]:
    """Yield the spans, each extended to whole words. Spans of the same word become one span."""
    last: Span | None = None
    for start, end in spans:
        from_, to = _word_start(plain, start), _word_end(plain, end)
        if last is not None and from_ <= last[1]:
            last = last[0], max(to, last[1])
            continue
        # The article was split off and matched; the noun did not.
        if plain[start:end] in _ARTICLES and to > end and not any(s >= end and s < to for s, _ in spans):
            continue
        if last is not None:
            yield last
        last = from_, to
    if last is not None:
        yield last


def _word_start(plain: str, at: int) -> int:
    while at > 0 and _of_word(plain[at - 1]):
        at -= 1
    return at


def _word_end(plain: str, at: int) -> int:
    while at < len(plain) and _of_word(plain[at]):
        at += 1
    return at


def _of_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character) in _MARK_CATEGORIES
