"""What two people wrote at once: which fields differ, and what somebody chose of them."""

from dataclasses import dataclass

from api.web.studio.editor.writing.form import NAMES, Typed, Values

MINE, THEIRS = "mine", "theirs"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that says something else in two versions.

    Attributes:
        name: The field.
        was: Its value before both.
        theirs: What somebody else made of it.
        mine: What was typed here.
        choice: MINE or THEIRS when only one side changed it; empty when both did, so that somebody has to choose.
    """

    name: str
    was: object
    theirs: object
    mine: object
    choice: str


def differences(base: Values, theirs: Values, mine: Values) -> list[Difference]:
    """Return the fields in which two versions differ, in the order of the form.

    Args:
        base: What both began with.
        theirs: What is there now.
        mine: What was typed here.
    """
    found = []
    for name in NAMES:
        was, their, own = base.get(name), theirs.get(name), mine.get(name)
        if their != own:
            choice = MINE if their == was else THEIRS if own == was else ""
            found.append(Difference(name, was, their, own, choice))
    return found


def chosen(typed: Typed, theirs: Values, mine: Values) -> Values:
    """Return the values that somebody chose: of a field without a choice, those that are there.

    Args:
        typed: The fields of the form: `choose.title` and the like.
        theirs: What is there.
        mine: What was typed.
    """
    own = {name: value for name, value in mine.items() if typed.get(f"choose.{name}") == MINE}
    return theirs | own
