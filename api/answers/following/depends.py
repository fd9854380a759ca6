"""What a page depends on: which changes of programs can touch it."""

from collections.abc import Iterable

import msgspec

from indexer.stores.following import lemmas
from indexer.stores.following.described import Described

# A word of a query, and what neighbouring words make with it when they are written as one.
Term = tuple[str, ...]
# The fields of a program that conditions compare with texts; engines do not tell capitals and marks apart.
_NAMES = frozenset({"tags", "people"})


class Need(msgspec.Struct, array_like=True, frozen=True):
    """Words that a program must have to be shown.

    Attributes:
        whole: Terms that it must have as they are, or as the beginning of a longer word.
        near: Terms that it must have, perhaps with a typo.
        pairs: Words that must follow on each other, as `indexer.stores.following.lemmas.pair` writes them.
        is_titled: Whether the title must have the terms of `whole`.
        is_first: Whether a text must begin with the first of them; then it also needs one of the following two.
        views: The least views.
        text: The words that are all of a name or of the title, as `indexer.stores.following.lemmas.plain` writes them.
        kind: The kind of programs that is looked for; empty: any.
    """

    whole: tuple[Term, ...] = ()
    near: tuple[Term, ...] = ()
    pairs: tuple[int, ...] = ()
    is_titled: bool = False
    is_first: bool = False
    views: int = 0
    text: str = ""
    kind: str = ""


class Condition(msgspec.Struct, array_like=True, frozen=True):
    """A condition of a filter.

    Attributes:
        field: The field of `Described`.
        values: It must have one of them; empty: `least` and `most` say what it must have.
        least: The least value.
        most: The largest value.
    """

    field: str
    values: tuple[int | str, ...] = ()
    least: int | None = None
    most: int | None = None


class Span(msgspec.Struct, array_like=True, frozen=True):
    """The part of a list in an order that a page shows, both ends included.

    Attributes:
        field: The field of `Described` by which the list is ordered.
        is_descending: Whether the largest value comes first.
        first: The value at which the page begins; None: it is the first page.
        last: The value at which it ends; None: everything that follows is on it.
    """

    field: str
    is_descending: bool
    first: int | None = None
    last: int | None = None


class Depends(msgspec.Struct, array_like=True, frozen=True):
    """What decides which programs a page shows. A change that can touch it makes it superseded; any other does not.

    Attributes:
        ids: Programs that touch it by any change.
        needs: A program must meet one of them to be shown; None: it needs no words.
        conditions: And each of these.
        span: And lie in this part of the list.
    """

    ids: tuple[int, ...]
    needs: tuple[Need, ...] | None = ()
    conditions: tuple[Condition, ...] = ()
    span: Span | None = None

    def size(self) -> int:
        """Return about how many bytes it takes in memory."""
        needs = sum(
            80 + 60 * (len(need.whole) + len(need.near) + len(need.pairs)) for need in self.needs or ()
        )
        return 150 + 8 * len(self.ids) + needs + 100 * len(self.conditions)

    def may_show(self, change: Described) -> bool:
        """Return whether the page could show a program, were its words those that are needed."""
        if not change.is_visible or not all(_meets(change, condition) for condition in self.conditions):
            return False
        return self.span is None or _lies_in(change, self.span)


def _meets(change: Described, condition: Condition) -> bool:
    value = getattr(change, condition.field)
    if condition.values:
        if condition.field in _NAMES:
            return any(one in value for one in condition.values)
        return value in condition.values
    if value is None:
        return False
    least, most = condition.least, condition.most
    return (least is None or value >= least) and (most is None or value <= most)


def _lies_in(change: Described, span: Span) -> bool:
    value = getattr(change, span.field)
    if value is None:
        # Programs without a value come last.
        return span.last is None
    first, last = (span.first, span.last) if span.is_descending else (span.last, span.first)
    return (first is None or value <= first) and (last is None or value >= last)


def of_names(field: str, values: Iterable[str]) -> Condition:
    """Return the condition that a program has one of some names.

    Args:
        field: `tags` or `people`.
        values: The names.
    """
    return Condition(field, tuple(map(lemmas.fold, values)))
