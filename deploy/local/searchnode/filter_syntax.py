"""Meilisearch's filter language: a text as a tree of conditions."""

import re
from collections.abc import Callable
from typing import NamedTuple, NoReturn, TypeAlias

MAX_DEPTH = 150
_SPACE = re.compile(r"[ \t\r\n]*")
# Letters, digits and what counts as a letter elsewhere: Arabic vowel marks.
_WORD = re.compile(
    r"[\w.\u0610-\u061a\u064b-\u0657\u0659-\u065f\u0670\u06d6-\u06dc\u06e1-\u06e4\u06e7\u06e8\u06ed-]+"
)
_OPERATOR = re.compile(r"<=|>=|!=|<|>|=")
_KEYWORDS = frozenset((
    "AND", "OR", "IN", "NOT", "TO", "EXISTS", "IS", "NULL", "EMPTY", "CONTAINS", "STARTS", "WITH",
    "_geoRadius", "_geoBoundingBox",
))  # fmt: skip
_FLOAT = r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*"
_PAIR = rf"\s*\[{_FLOAT},{_FLOAT}\]\s*"
_GEO = re.compile(
    rf"_geoRadius\({_FLOAT}(?:,{_FLOAT}){{2,3}}\)|_geoBoundingBox\({_PAIR},{_PAIR}\)"
    rf"|_geoPolygon\({_PAIR}(?:,{_PAIR}){{2,}},?\s*\)"
)
_GEO_WORDS = ("_geoRadius", "_geoBoundingBox", "_geoPolygon")
# What comes after the attribute: the words, and the operator they make (True: negated).
_UNARY = tuple(
    (re.compile(pattern), operator, negated)
    for pattern, operator, negated in (
        (r"IS[ \t\r\n]+NULL", "NULL", False), (r"IS[ \t\r\n]+NOT[ \t\r\n]+NULL", "NULL", True),
        (r"IS[ \t\r\n]+EMPTY", "EMPTY", False), (r"IS[ \t\r\n]+NOT[ \t\r\n]+EMPTY", "EMPTY", True),
        (r"EXISTS", "EXISTS", False), (r"NOT[ \t\r\n]+EXISTS", "EXISTS", True),
    )
)  # fmt: skip
_BINARY = tuple(
    (re.compile(pattern), operator, negated)
    for pattern, operator, negated in (
        (r"CONTAINS", "CONTAINS", False), (r"NOT[ \t\r\n]+CONTAINS", "CONTAINS", True),
        (r"STARTS WITH", "STARTS WITH", False), (r"NOT[ \t\r\n]+STARTS WITH", "STARTS WITH", True),
    )
)  # fmt: skip
_TO = re.compile(r"TO[ \t\r\n]+")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", **{c: c for c in "'\"\\/"}}
_ESCAPE = re.compile(
    r"\\(?:(?P<one>[bfnrt'\"\\/])|u\{(?P<long>[0-9a-fA-F]+)\}|u(?P<short>[0-9a-fA-F]{4})"
    r"|x(?P<byte>[0-9a-fA-F]{2})|(?P<octal>[0-3][0-7]{0,2}|[4-7][0-7]?)|(?P<wrong>))"
)


class FilterSyntaxError(Exception):
    """The text is not a filter."""


class Condition(NamedTuple):
    """What is asked of one attribute: the operator (`IN`, `=`, `TO`, …) and its values."""

    attribute: str
    operator: str
    values: tuple[str, ...] = ()


class Not(NamedTuple):
    """What the inner tree does not let through."""

    inner: "Tree"


class Either(NamedTuple):
    """What any of the trees lets through."""

    trees: tuple["Tree", ...]


class Both(NamedTuple):
    """What all of the trees let through."""

    trees: tuple["Tree", ...]


class Place(NamedTuple):
    """A geographic condition."""

    text: str


Tree: TypeAlias = Condition | Not | Either | Both | Place


class _NoMatch(Exception):
    """This reading fails; another may not."""


def parse(text: str) -> Tree | None:
    """The tree of a filter; None when the text is blank. Raises FilterSyntaxError."""
    if not text.strip():
        return None
    parser = _Parser(text)
    try:
        tree = parser.alternatives(0)
    except _NoMatch:
        parser.fail("expected a condition")
    if parser.at != len(text):
        parser.fail("found characters after the end of the expression")
    return tree


class _Parser:
    """A reader at a place in the text. A method that raises _NoMatch may have moved it."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def fail(self, why: str) -> NoReturn:
        raise FilterSyntaxError(f"{why} at `{self.text[self.at :][:60]}`")

    def _space(self) -> None:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]

    def _keyword(self, wanted: str) -> bool:
        """Take a whole word with the blanks around it, or stay."""
        start = self.at
        self._space()
        word = _WORD.match(self.text, self.at)
        if word is None or word.group() != wanted:
            self.at = start
            return False
        self.at = word.end()
        self._space()
        return True

    def _sign(self, wanted: str) -> bool:
        """Take a character with the blanks around it, or stay."""
        start = self.at
        self._space()
        if not self.text.startswith(wanted, self.at):
            self.at = start
            return False
        self.at += 1
        self._space()
        return True

    def alternatives(self, depth: int) -> Tree:
        """Conditions joined by OR."""
        return self._joined("OR", self._conjunction, Either, depth)

    def _conjunction(self, depth: int) -> Tree:
        return self._joined("AND", self._negation, Both, depth)

    def _joined(
        self, word: str, inner: Callable[[int], Tree], kind: type[Either] | type[Both], depth: int
    ) -> Tree:
        self._check(depth)
        trees = [inner(depth + 1)]
        while self._keyword(word):
            trees.append(self._surely(lambda: inner(depth + 1)))
        return trees[0] if len(trees) == 1 else kind(tuple(trees))

    def _check(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            self.fail("too deep")

    def _surely(self, read: Callable[[], Tree]) -> Tree:
        try:
            return read()
        except _NoMatch:
            self.fail("expected a condition")

    def _negation(self, depth: int) -> Tree:
        self._check(depth)
        if not self._keyword("NOT"):
            return self._primary(depth + 1)
        inner = self._surely(lambda: self._negation(depth + 1))
        return inner.inner if isinstance(inner, Not) else Not(inner)

    def _primary(self, depth: int) -> Tree:
        self._check(depth)
        if self._sign("("):
            tree = self._surely(lambda: self.alternatives(depth + 1))
            if not self._sign(")"):
                self.fail("expected `)`")
            return tree
        start = self.at
        self._space()
        word = _WORD.match(self.text, self.at)
        if word and word.group() in _GEO_WORDS:
            place = _GEO.match(self.text, self.at)
            if place is None:
                self.fail("malformed geographic condition")
            self.at = place.end()
            return Place(place.group())
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
            return Condition(attribute, operator.group(), (self._sure_value(),))
        for pattern, name, negated in (*_UNARY, *_BINARY):
            words = pattern.match(self.text, self.at)
            if words:
                self.at = words.end()
                values = (self._sure_value(),) if name in ("CONTAINS", "STARTS WITH") else ()
                found = Condition(attribute, name, values)
                return Not(found) if negated else found
        low = self._value()
        to = _TO.match(self.text, self.at)
        if to is None:
            raise _NoMatch
        self.at = to.end()
        return Condition(attribute, "TO", (low, self._sure_value()))

    def _members(self) -> tuple[str, ...]:
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

    def _sure_value(self) -> str:
        try:
            return self._value()
        except _NoMatch:
            self.fail("expected a value")

    def _value(self) -> str:
        """A word or a quoted text with the blanks around it."""
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
        self._space()
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
