"""Reads a text of Meilisearch's filter language as a tree. `evaluation.py` calls `parse`.

The grammar and its oddities follow Meilisearch's own parser, the crate `filter-parser`.
"""

import re
from collections.abc import Callable
from typing import NoReturn

from deploy.searchnode.query.filters.tree import (
    Both,
    Condition,
    Either,
    FilterSyntaxError,
    GeoCondition,
    Not,
    Tree,
)

# Deeper nesting is refused.
MAX_DEPTH = 150
# Characters of a text that an error message repeats.
_EXCERPT = 60
_SPACES = " \t\r\n"
# Letters and digits, and the Arabic vowel marks, which count as letters in Meilisearch.
_WORD = re.compile(
    r"[\w.\u0610-\u061a\u064b-\u0657\u0659-\u065f\u0670\u06d6-\u06dc\u06e1-\u06e4\u06e7\u06e8\u06ed-]+"
)
_OPERATOR = re.compile(r"<=|>=|!=|<|>|=")
_KEYWORDS = frozenset(
    [
        "AND",
        "OR",
        "IN",
        "NOT",
        "TO",
        "EXISTS",
        "IS",
        "NULL",
        "EMPTY",
        "CONTAINS",
        "STARTS",
        "WITH",
        "_geoRadius",
        "_geoBoundingBox",
    ]
)
_FLOAT = r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*"
_PAIR = rf"\s*\[{_FLOAT},{_FLOAT}\]\s*"
_GEO = re.compile(
    rf"_geoRadius\({_FLOAT}(?:,{_FLOAT}){{2,3}}\)|_geoBoundingBox\({_PAIR},{_PAIR}\)"
    rf"|_geoPolygon\({_PAIR}(?:,{_PAIR}){{2,}},?\s*\)"
)
_GEO_WORDS = ("_geoRadius", "_geoBoundingBox", "_geoPolygon")
# Words after the attribute, the operator they make, and whether it is negated.
_WORD_OPERATORS = tuple(
    (re.compile(pattern), operator, negated)
    for pattern, operator, negated in (
        (r"IS[ \t\r\n]+NULL", "NULL", False),
        (r"IS[ \t\r\n]+NOT[ \t\r\n]+NULL", "NULL", True),
        (r"IS[ \t\r\n]+EMPTY", "EMPTY", False),
        (r"IS[ \t\r\n]+NOT[ \t\r\n]+EMPTY", "EMPTY", True),
        (r"EXISTS", "EXISTS", False),
        (r"NOT[ \t\r\n]+EXISTS", "EXISTS", True),
        (r"CONTAINS", "CONTAINS", False),
        (r"NOT[ \t\r\n]+CONTAINS", "CONTAINS", True),
        (r"STARTS WITH", "STARTS WITH", False),
        (r"NOT[ \t\r\n]+STARTS WITH", "STARTS WITH", True),
    )
)
_WITH_VALUE = ("CONTAINS", "STARTS WITH")
_TO = re.compile(r"TO[ \t\r\n]+")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", **{c: c for c in "'\"\\/"}}
_ESCAPE = re.compile(
    r"\\(?:(?P<one>[bfnrt'\"\\/])|u\{(?P<long>[0-9a-fA-F]+)\}|u(?P<short>[0-9a-fA-F]{4})"
    r"|x(?P<byte>[0-9a-fA-F]{2})|(?P<octal>[0-3][0-7]{0,2}|[4-7][0-7]?)|(?P<wrong>))"
)


class _NoMatch(Exception):
    """The text cannot be read in this way. Another way may still be possible."""


def parse(text: str) -> Tree | None:
    """Read a filter; return None when the text is blank.

    Raises:
        FilterSyntaxError: The text is not a filter.
    """
    if not text.strip():
        return None
    parser = _Parser(text)
    try:
        tree = parser.disjunction(0)
    except _NoMatch:
        parser.fail("expected a condition")
    if parser.at != len(text):
        parser.fail("found characters after the end of the expression")
    return tree


class _Parser:
    """Reads a text from left to right; `at` is the next character.

    A method that raises _NoMatch may have moved `at`. Every method may raise FilterSyntaxError.
    """

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def fail(self, why: str) -> NoReturn:
        raise FilterSyntaxError(f"{why} at `{self.text[self.at :][:_EXCERPT]}`")

    def _skip_spaces(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _SPACES:
            self.at += 1

    def _keyword(self, wanted: str) -> bool:
        """Read a keyword with the blanks around it; return False and stay where it is missing."""
        start = self.at
        self._skip_spaces()
        word = _WORD.match(self.text, self.at)
        if word is None or word.group() != wanted:
            self.at = start
            return False
        self.at = word.end()
        self._skip_spaces()
        return True

    def _sign(self, wanted: str) -> bool:
        """Read one character with the blanks around it; return False and stay where it is missing."""
        start = self.at
        self._skip_spaces()
        if not self.text.startswith(wanted, self.at):
            self.at = start
            return False
        self.at += 1
        self._skip_spaces()
        return True

    def disjunction(self, depth: int) -> Tree:
        """Read conditions joined by OR; `depth` counts the rules that are being read."""
        return self._joined("OR", self._conjunction, Either, depth)

    def _conjunction(self, depth: int) -> Tree:
        return self._joined("AND", self._negation, Both, depth)

    def _joined(
        self, word: str, inner: Callable[[int], Tree], kind: type[Either] | type[Both], depth: int
    ) -> Tree:
        self._check_depth(depth)
        trees = [inner(depth + 1)]
        while self._keyword(word):
            trees.append(self._required(lambda: inner(depth + 1)))
        return trees[0] if len(trees) == 1 else kind(tuple(trees))

    def _check_depth(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            self.fail("too deep")

    def _required(self, read: Callable[[], Tree]) -> Tree:
        try:
            return read()
        except _NoMatch:
            self.fail("expected a condition")

    def _negation(self, depth: int) -> Tree:
        self._check_depth(depth)
        if not self._keyword("NOT"):
            return self._primary(depth + 1)
        inner = self._required(lambda: self._negation(depth + 1))
        return inner.inner if isinstance(inner, Not) else Not(inner)

    def _primary(self, depth: int) -> Tree:
        self._check_depth(depth)
        if self._sign("("):
            tree = self._required(lambda: self.disjunction(depth + 1))
            if not self._sign(")"):
                self.fail("expected `)`")
            return tree
        start = self.at
        self._skip_spaces()
        word = _WORD.match(self.text, self.at)
        if word and word.group() in _GEO_WORDS:
            geo = _GEO.match(self.text, self.at)
            if geo is None:
                self.fail("malformed geographic condition")
            self.at = geo.end()
            return GeoCondition(geo.group())
        self.at = start
        return self._condition()

    def _condition(self) -> Tree:
        attribute = self._value()
        if self._keyword("IN"):
            return Condition(attribute, "IN", self._members())
        start = self.at
        if self._keyword("NOT"):
            if self._keyword("IN"):
                return Not(Condition(attribute, "IN", self._members()))
            self.at = start
        operator = _OPERATOR.match(self.text, self.at)
        if operator:
            self.at = operator.end()
            return Condition(attribute, operator.group(), (self._required_value(),))
        for pattern, name, negated in _WORD_OPERATORS:
            words = pattern.match(self.text, self.at)
            if words:
                self.at = words.end()
                found = Condition(attribute, name, (self._required_value(),) if name in _WITH_VALUE else ())
                return Not(found) if negated else found
        low = self._value()
        to = _TO.match(self.text, self.at)
        if to is None:
            raise _NoMatch
        self.at = to.end()
        return Condition(attribute, "TO", (low, self._required_value()))

    def _members(self) -> tuple[str, ...]:
        """Read the values in brackets after IN; a comma may follow the last value."""
        if not self.text.startswith("[", self.at):
            self.fail("expected `[`")
        self.at += 1
        found: list[str] = []
        start = self.at
        try:
            found.append(self._value())
            start = self.at
            while self._sign(","):
                found.append(self._value())
                start = self.at
        except _NoMatch:
            self.at = start
            if found:
                self._sign(",")
        if not self._sign("]"):
            self.fail("expected `]`")
        return tuple(found)

    def _required_value(self) -> str:
        try:
            return self._value()
        except _NoMatch:
            self.fail("expected a value")

    def _value(self) -> str:
        """Read a word or a quoted text with the blanks around it.

        Raises:
            _NoMatch: Something else stands there.
        """
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        quote = self.text[self.at : self.at + 1]
        if quote in ("'", '"'):
            raw = self._quoted(quote)
        else:
            word = _WORD.match(self.text, self.at)
            if word is None:
                raise _NoMatch
            raw = word.group()
            if raw in ("_geo", *_GEO_WORDS[:2]) or raw.startswith(("_geoPoint", "_geoDistance")):
                self.fail("reserved for geographic conditions")
            if raw in _KEYWORDS:
                raise _NoMatch
            self.at = word.end()
        self._skip_spaces()
        return self._unescaped(raw) if "\\" in raw else raw

    def _quoted(self, quote: str) -> str:
        end = self.at + 1
        while end < len(self.text) and self.text[end] != quote:
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            self.fail("a quote is not closed")
        raw = self.text[self.at + 1 : end]
        self.at = end + 1
        return raw.replace(f"\\{quote}", quote)

    def _unescaped(self, raw: str) -> str:
        def replaced(match: "re.Match[str]") -> str:
            if match["one"]:
                return _ESCAPES[match["one"]]
            digits = match["long"] or match["short"] or match["byte"]
            code = int(digits, 16) if digits else int(match["octal"] or "x", 8)
            return chr(code)

        try:
            return _ESCAPE.sub(replaced, raw)
        except (ValueError, OverflowError):
            self.fail("an escape is malformed")
