"""A filter as a tree of conditions: what `syntax.py` makes of a text and `evaluation.py` evaluates."""

from typing import NamedTuple, TypeAlias


class FilterSyntaxError(Exception):
    """A text is not a filter."""


class Condition(NamedTuple):
    """A condition on one attribute: the operator (`IN`, `=`, `TO`, ...) and its values."""

    attribute: str
    operator: str
    values: tuple[str, ...] = ()


class Not(NamedTuple):
    """Lets through what the inner tree does not."""

    inner: "Tree"


class Either(NamedTuple):
    """Lets through what any of the trees does: OR."""

    trees: tuple["Tree", ...]


class Both(NamedTuple):
    """Lets through what all of the trees do: AND."""

    trees: tuple["Tree", ...]


class GeoCondition(NamedTuple):
    """A geographic condition, which the node reads but does not support."""

    text: str


Tree: TypeAlias = Condition | Not | Either | Both | GeoCondition


def conditions(tree: Tree) -> list[Condition]:
    """Return the conditions of a tree in order, without geographic ones."""
    match tree:
        case Condition():
            return [tree]
        case Not(inner):
            return conditions(inner)
        case Either(trees) | Both(trees):
            return [condition for inner in trees for condition in conditions(inner)]
    return []
