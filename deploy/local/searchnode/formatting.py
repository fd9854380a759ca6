"""How a hit is shown: highlighted, cropped, with the places of what matched."""

from dataclasses import dataclass
from typing import Any

from deploy.local.searchnode.query import Query
from deploy.local.searchnode.tokens import Token, tokenise


@dataclass(frozen=True)
class Style:
    """What a search asked of its hits."""

    highlight: frozenset[str]
    crop: dict[str, int]
    pre: str = "<em>"
    post: str = "</em>"
    marker: str = "…"
    positions: bool = False

    @property
    def wanted(self) -> bool:
        """Is there anything to do?"""
        return bool(self.highlight or self.crop or self.positions)


def matches(query: Query, text: str) -> list[tuple[Token, int]]:
    """The tokens of `text` that the query matches, each with how many characters of it."""
    found = []
    for token in tokenise(text):
        length = 0
        for term in query.terms:
            if token.word in term.words:
                whole = token.end - token.start
                if term.is_prefix and token.word.startswith(term.text):
                    whole = min(whole, len(term.text))
                length = max(length, whole)
        if length:
            found.append((token, length))
    return found


def format_value(
    query: Query, value: Any, *, style: Style, highlight: bool, crop: int | None
) -> Any:
    """The value with its texts formatted; numbers and objects become texts as the real one does."""
    if isinstance(value, list):
        return [format_value(query, v, style=style, highlight=highlight, crop=crop) for v in value]
    if isinstance(value, dict):
        return {
            k: format_value(query, v, style=style, highlight=highlight, crop=crop)
            for k, v in value.items()
        }
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return str(value)
    found = matches(query, value)
    start, end = 0, len(value)
    before = after = ""
    if crop is not None:
        start, end = _window(value, found, crop)
        before = style.marker if start > 0 else ""
        after = style.marker if end < len(value) else ""
    if not highlight:
        return before + value[start:end] + after
    parts, at = [before], start
    for token, length in found:
        if token.start < start or token.end > end:
            continue
        parts += [
            value[at : token.start],
            style.pre,
            value[token.start : token.start + length],
            style.post,
        ]
        at = token.start + length
    parts += [value[at:end], after]
    return "".join(parts)


def _window(text: str, found: list[tuple[Token, int]], size: int) -> tuple[int, int]:
    tokens = tokenise(text)
    if len(tokens) <= size:
        return 0, len(text)
    anchors = {token.start for token, _ in found}
    best, best_count = 0, -1
    for first in range(len(tokens) - size + 1):
        count = sum(t.start in anchors for t in tokens[first : first + size])
        if count > best_count:
            best, best_count = first, count
    last = best + size - 1
    start = 0 if best == 0 else tokens[best].start
    end = len(text) if last == len(tokens) - 1 else tokens[last].end
    return start, end


def positions(query: Query, document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """`_matchesPosition`: byte offsets of what matched, by attribute."""
    result: dict[str, list[dict[str, Any]]] = {}
    for name, value in document.items():
        rows = []
        for n, text in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(text, str):
                continue
            for token, length in matches(query, text):
                row: dict[str, Any] = {
                    "start": len(text[: token.start].encode()),
                    "length": len(text[token.start : token.start + length].encode()),
                }
                if isinstance(value, list):
                    row["indices"] = [n]
                rows.append(row)
        if rows:
            result[name] = rows
    return result
