"""Finds the documents that a filter lets through. Searches, document routes and deletions call it."""

from pyroaring import BitMap

from deploy.searchnode.errors import ApiError
from deploy.searchnode.index.facets import Facet
from deploy.searchnode.index.index import Index
from deploy.searchnode.query.filters.syntax import parse
from deploy.searchnode.query.filters.tree import (
    Both,
    Condition,
    Either,
    FilterSyntaxError,
    GeoCondition,
    Not,
    Tree,
    conditions,
)

# The code of a wrong filter in a search.
SEARCH = "invalid_search_filter"
_COMPARISONS = ("<", "<=", ">", ">=", "TO")
_PRESENCE = ("NULL", "EMPTY", "EXISTS")


def read(filter_: object, code: str = SEARCH) -> Tree | None:
    """Read a filter as a request has it: a text, or a list joined by AND; a list within it by OR.

    Returns:
        The tree; None when there is no filter or it is blank.

    Raises:
        ApiError: With this code, when it is not a filter; when it uses `CONTAINS`.
    """
    if filter_ is None:
        return None
    try:
        tree = _tree(filter_)
    except FilterSyntaxError as error:
        raise ApiError(code, f"Invalid filter: {error}.") from error
    if tree and any(condition.operator == "CONTAINS" for condition in conditions(tree)):
        raise ApiError("feature_not_enabled", "`CONTAINS` is an experimental feature, which is not enabled.")
    return tree


def documents(index: Index, tree: Tree | None, code: str = SEARCH) -> BitMap | None:
    """Return the documents that a filter lets through.

    Args:
        index: The index.
        tree: The filter as `read` returns it.
        code: The error code for a filter that the settings do not allow.

    Returns:
        The documents, which must not be changed; None when there is no filter.

    Raises:
        ApiError: With this code, when an attribute or an operator may not be used.
    """
    if tree is None:
        return None
    evaluation = _Evaluation(index, code)
    for condition in conditions(tree):
        evaluation.check(condition)
    return evaluation.documents(tree, None)


def evaluate(index: Index, filter_: object, code: str = SEARCH) -> BitMap | None:
    """Return the documents that a filter of a request lets through.

    Args:
        index: The index.
        filter_: The filter as `read` takes it.
        code: The error code for a wrong filter.

    Returns:
        As `documents` does.

    Raises:
        ApiError: As `read` and `documents` do.
    """
    return documents(index, read(filter_, code), code)


def _tree(filter_: object) -> Tree | None:
    if isinstance(filter_, str):
        return parse(filter_)
    if not isinstance(filter_, list):
        raise FilterSyntaxError("expected a string or an array")
    return _join(Both, [_any_of(part) if isinstance(part, list) else _text(part) for part in filter_])


def _any_of(options: list[object]) -> Tree | None:
    return _join(Either, [_text(option) for option in options])


def _text(text: object) -> Tree | None:
    if not isinstance(text, str):
        raise FilterSyntaxError("expected a string")
    return parse(text)


def _join(kind: type[Either] | type[Both], trees: list[Tree | None]) -> Tree | None:
    found = tuple(tree for tree in trees if tree is not None)
    if len(found) > 1:
        return kind(found)
    return found[0] if found else None


class _Evaluation:
    """The evaluation of one filter over one index; `code` is the code of its errors."""

    def __init__(self, index: Index, code: str) -> None:
        self.index, self.code = index, code

    def check(self, condition: Condition) -> None:
        """Check that the attribute of a condition may be filtered by.

        Raises:
            ApiError: It may not.
        """
        name = condition.attribute
        if not self.index.filterable.allows(name):
            known = ", ".join(f"`{a}`" for a in self.index.filterable.names()) or "none"
            raise ApiError(
                self.code,
                f"Attribute `{name}` is not filterable. Available filterable attribute patterns are: {known}.",
            )

    def documents(self, tree: Tree, within: BitMap | None) -> BitMap:
        """Return the documents that a tree lets through; those outside `within` do not matter.

        Raises:
            ApiError: An operator is not allowed for its attribute, or a condition is geographic.
        """
        match tree:
            case Condition():
                return self._condition(tree)
            case Not(inner):
                return (self.index.live if within is None else within) - self.documents(inner, within)
            case Either(trees):
                return BitMap.union(BitMap(), *(self.documents(inner, within) for inner in trees))
            case Both(trees):
                found = self.documents(trees[0], within)
                for inner in trees[1:]:
                    # As in Meilisearch, the rest is not evaluated when no document is left: its errors
                    # are not found either.
                    if not found:
                        break
                    found = found & self.documents(inner, found)
                return found
            case GeoCondition():
                raise ApiError(self.code, "Attribute `_geo` is not filterable.")

    def _condition(self, condition: Condition) -> BitMap:
        name, operator, values = condition
        if name not in self.index.names:
            return BitMap()
        rule = self.index.filterable.rule(name)
        features = rule.features if rule else None
        allowed = features is None or (
            features.comparison
            if operator in _COMPARISONS
            else features.equality
            if operator in ("=", "!=", "IN")
            else True
        )
        if not allowed:
            raise ApiError(self.code, f"Operator `{operator}` is not allowed for the attribute `{name}`.")
        facet = self.index.facets.get(name) or Facet(by_document=False)
        return _documents(facet, self.index.live, operator, values)


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
            return facet.starting_with(values[0])
    return facet.compare(operator, values[0])
