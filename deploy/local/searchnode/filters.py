"""Which documents a filter lets through."""

from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from deploy.local.searchnode.errors import ApiError
from deploy.local.searchnode.facets import Facet
from deploy.local.searchnode.filter_syntax import (
    Both,
    Condition,
    Either,
    FilterSyntaxError,
    Not,
    Place,
    Tree,
    parse,
)

if TYPE_CHECKING:
    from deploy.local.searchnode.index import Index

_COMPARISONS = ("<", "<=", ">", ">=", "TO")
_PRESENCE = ("NULL", "EMPTY", "EXISTS")


SEARCH = "invalid_search_filter"


def read(given: Any, code: str = SEARCH) -> Tree | None:
    """A filter as a tree, None when there is none: in a list AND, in a list within it OR.

    Raises ApiError(code).
    """
    if given is None:
        return None
    try:
        tree = _tree(given)
    except FilterSyntaxError as error:
        raise ApiError(code, f"Invalid filter: {error}.") from error
    if tree and any(condition.operator == "CONTAINS" for condition in _conditions(tree)):
        raise ApiError("feature_not_enabled", "`CONTAINS` needs the experimental feature.")
    return tree


def documents(index: "Index", tree: Tree | None, code: str = SEARCH) -> BitMap | None:
    """The documents a filter lets through; None when there is no filter. Raises ApiError(code)."""
    if tree is None:
        return None
    evaluation = _Evaluation(index, code)
    for condition in _conditions(tree):
        evaluation.check(condition)
    return evaluation.of(tree, None)


def evaluate(index: "Index", given: Any, code: str = SEARCH) -> BitMap | None:
    """`documents` of a filter as it was given."""
    return documents(index, read(given, code), code)


def _tree(given: Any) -> Tree | None:
    if isinstance(given, str):
        return parse(given)
    if not isinstance(given, list):
        raise FilterSyntaxError("expected a string or an array")
    every = [_any_of(part) if isinstance(part, list) else _one(part) for part in given]
    return _join(Both, every)


def _any_of(options: list[Any]) -> Tree | None:
    return _join(Either, [_one(option) for option in options])


def _one(text: Any) -> Tree | None:
    if not isinstance(text, str):
        raise FilterSyntaxError("expected a string")
    return parse(text)


def _join(kind: type[Either] | type[Both], trees: list[Tree | None]) -> Tree | None:
    found = tuple(tree for tree in trees if tree is not None)
    if len(found) > 1:
        return kind(found)
    return found[0] if found else None


def _conditions(tree: Tree) -> list[Condition]:
    match tree:
        case Condition():
            return [tree]
        case Not(inner):
            return _conditions(inner)
        case Either(trees) | Both(trees):
            return [condition for inner in trees for condition in _conditions(inner)]
    return []


class _Evaluation:
    """One filter over one index."""

    def __init__(self, index: "Index", code: str) -> None:
        self.index, self.code = index, code

    def check(self, condition: Condition) -> None:
        """Raises ApiError when the attribute may not be filtered by."""
        name = condition.attribute
        rule = self.index.rule(name)
        if rule is None or not rule.features.filterable:
            known = ", ".join(f"`{a}`" for a in self.index.filterable_names()) or "none"
            raise ApiError(
                self.code,
                f"Attribute `{name}` is not filterable. Available filterable attribute patterns are: {known}.",
            )

    def of(self, tree: Tree, within: BitMap | None) -> BitMap:
        """The documents; what is outside `within` does not matter."""
        match tree:
            case Condition():
                return self._condition(tree)
            case Not(inner):
                return (self.index.live if within is None else within) - self.of(inner, within)
            case Either(trees):
                return BitMap.union(BitMap(), *(self.of(inner, within) for inner in trees))
            case Both(trees):
                found = self.of(trees[0], within)
                for inner in trees[1:]:
                    # What nothing can pass any more is not looked at, not even for its faults.
                    if not found:
                        break
                    found = found & self.of(inner, found)
                return found
            case Place():
                raise ApiError(self.code, "Attribute `_geo` is not filterable.")

    def _condition(self, condition: Condition) -> BitMap:
        name, operator, values = condition
        if name not in self.index.names:
            return BitMap()
        rule = self.index.rule(name)
        features = rule.features if rule else None
        allowed = features is None or (
            features.comparison if operator in _COMPARISONS
            else features.equality if operator in ("=", "!=", "IN") else True
        )  # fmt: skip
        if not allowed:
            raise ApiError(
                self.code, f"Operator `{operator}` is not allowed for the attribute `{name}`."
            )
        return _documents(self.index.facets.get(name) or Facet(remembers=False), self.index.live,
                          operator, values)  # fmt: skip


def _documents(facet: Facet, live: BitMap, operator: str, values: tuple[str, ...]) -> BitMap:
    if operator in _PRESENCE:
        return {"NULL": facet.null, "EMPTY": facet.empty, "EXISTS": facet.exists}[operator] & live
    match operator:
        case "=":
            return facet.equal(values[0])
        case "!=":
            return live - facet.equal(values[0])
        case "IN":
            return BitMap.union(BitMap(), *map(facet.equal, values))
        case "TO":
            return facet.between(*values)
        case "STARTS WITH":
            return facet.starting(values[0])
    return facet.compare(operator, values[0])
