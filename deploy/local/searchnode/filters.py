"""Meilisearch's filter language: a parser and its evaluation over facet values."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from deploy.local.searchnode.errors import ApiError, unsupported

if TYPE_CHECKING:
    from deploy.local.searchnode.index import Index

_TOKEN = re.compile(
    r"""\s*(?:(?P<op>!=|>=|<=|=|>|<|\(|\)|\[|\]|,)"""
    r"""|"(?P<dq>(?:[^"\\]|\\.)*)"|'(?P<sq>(?:[^'\\]|\\.)*)'"""
    r"""|(?P<word>[^\s=<>!()\[\],"']+))"""
)
_KEYWORDS = {
    "AND",
    "OR",
    "NOT",
    "IN",
    "TO",
    "EXISTS",
    "IS",
    "NULL",
    "EMPTY",
    "CONTAINS",
    "STARTS",
    "WITH",
}
MAX_DEPTH = 200


class _Parser:
    def __init__(self, text: str, index: "Index", code: str) -> None:
        self.index, self.code, self.text = index, code, text
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            if not text[at:].strip():
                break
            match = _TOKEN.match(text, at)
            if match is None:
                raise self.wrong(f"unexpected characters at {at}")
            at = match.end()
            kind = match.lastgroup or ""
            value = match.group(kind)
            if kind in ("dq", "sq"):
                kind, value = "string", re.sub(r"\\(.)", r"\1", value)
            elif kind == "word" and value.upper() in _KEYWORDS and value.isupper():
                kind = "key"
            self.tokens.append((kind, value))
        self.at = 0

    def wrong(self, why: str) -> ApiError:
        return ApiError(self.code, f"Invalid filter `{self.text}`: {why}.")

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def accept(self, *wanted: str) -> bool:
        if tuple(self.peek(n)[1] for n in range(len(wanted))) == wanted and all(
            self.peek(n)[0] in ("key", "op") for n in range(len(wanted))
        ):
            self.at += len(wanted)
            return True
        return False

    def expect(self, wanted: str) -> None:
        if not self.accept(wanted):
            raise self.wrong(f"expected `{wanted}`")

    def value(self) -> str:
        kind, value = self.take()
        if kind not in ("word", "string"):
            raise self.wrong("expected a value")
        return value

    def expression(self, depth: int = 0) -> BitMap:
        if depth > MAX_DEPTH:
            raise self.wrong("too deep")
        result = self.conjunction(depth)
        while self.accept("OR"):
            result = result | self.conjunction(depth)
        return result

    def conjunction(self, depth: int) -> BitMap:
        result = self.negation(depth)
        while self.accept("AND"):
            result = result & self.negation(depth)
        return result

    def negation(self, depth: int) -> BitMap:
        if depth > MAX_DEPTH:
            raise self.wrong("too deep")
        if self.accept("NOT"):
            return self.index.live - self.negation(depth + 1)
        if self.accept("("):
            result = self.expression(depth + 1)
            self.expect(")")
            return result
        return self.condition()

    def condition(self) -> BitMap:
        name = self.value()
        if name.startswith("_geo"):
            raise unsupported("geographic filters")
        facet = self.index.facet(name, self.code)
        live = self.index.live
        if self.accept("EXISTS"):
            return facet.exists & live
        if self.accept("NOT", "EXISTS"):
            return live - facet.exists
        if self.accept("IS", "NULL"):
            return facet.null & live
        if self.accept("IS", "NOT", "NULL"):
            return live - facet.null
        if self.accept("IS", "EMPTY"):
            return facet.empty & live
        if self.accept("IS", "NOT", "EMPTY"):
            return live - facet.empty
        if self.accept("NOT", "IN"):
            return live - self.members(facet.equal)
        if self.accept("IN"):
            return self.members(facet.equal)
        if self.accept("STARTS", "WITH"):
            return facet.starting(self.value())
        if self.accept("NOT", "STARTS", "WITH"):
            return live - facet.starting(self.value())
        if self.accept("CONTAINS") or self.accept("NOT", "CONTAINS"):
            raise ApiError("feature_not_enabled", "`CONTAINS` needs the experimental feature.")
        kind, operator = self.take()
        if kind == "op" and operator in ("=", "!="):
            equal = facet.equal(self.value())
            return equal if operator == "=" else live - equal
        if kind == "op" and operator in (">", ">=", "<", "<="):
            return facet.compare(operator, self.value())
        if kind in ("word", "string") and self.accept("TO"):
            return facet.between(operator, self.value())
        raise self.wrong("expected an operator")

    def members(self, equal: Callable[[str], BitMap]) -> BitMap:
        self.expect("[")
        found = BitMap()
        while not self.accept("]"):
            found |= equal(self.value())
            if not self.accept(","):
                self.expect("]")
                break
        return found


def evaluate(index: "Index", given: Any, code: str = "invalid_search_filter") -> BitMap | None:
    """The documents a filter lets through; None when there is no filter.

    A list means AND, a list within it OR. Raises ApiError(code).
    """
    if given is None or given in ("", []):
        return None
    if isinstance(given, str):
        if not given.strip():
            return None
        parser = _Parser(given, index, code)
        result = parser.expression()
        if parser.peek()[0] != "end":
            raise parser.wrong("found characters after the end of the expression")
        return result
    if not isinstance(given, list):
        raise ApiError(code, "Invalid value type at `.filter`: expected a string or an array.")
    result = BitMap(index.live)
    for part in given:
        if isinstance(part, list):
            options = [evaluate(index, option, code) for option in part]
            result &= (
                BitMap.union(*[o for o in options if o is not None]) if options else index.live
            )
        else:
            found = evaluate(index, part, code)
            if found is not None:
                result &= found
    return result
