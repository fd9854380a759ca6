"""What the sender of a change may do without a reviewer."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.core.actor import Actor
from catalog.core.errors import CatalogError, RevisionRequired


class ReviewerNeeded(CatalogError):
    """The change would be seen by listeners, and the sender may not publish."""

    code = "forbidden"


@dataclass(frozen=True, slots=True)
class Rights:
    """Whether the sender may change what listeners see.

    Attributes:
        may_publish: Every field.
        direct: At least these fields, by JSON name.
    """

    may_publish: bool
    direct: frozenset[str] = frozenset()


# Of a process of the product, and of a person with the role.
EVERYTHING = Rights(may_publish=True)


def require_named(expected_rev: int | None, actor: Actor, authors: Sequence[str], current: int) -> None:
    """Check that a person who makes a text public names its revision. Whoever alone wrote it need not.

    Args:
        expected_rev: The revision that the person named; None without a name.
        actor: Who makes it public. Clocks and import runs decide by rules, so they name nothing.
        authors: Everybody who wrote the text, as text.
        current: The revision that there is, for the error.

    Raises:
        RevisionRequired: Somebody else may have changed the text since the person read it.
    """
    if expected_rev is None and actor.is_person and set(authors) != {str(actor)}:
        raise RevisionRequired(current)
