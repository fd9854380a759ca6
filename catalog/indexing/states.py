"""The states of a target, and which step leads from which state to which.

    empty ──> filling ──> live ──> previous
      ^          │          │          │
      └──────────┴──────────┘          │        building ──┐
                 (wiped)               └──> live <─────────┘

`targets` and `initial_fill` take every step from this table; whoever reads a target asks its state.
"""

from collections.abc import Mapping

from catalog.core.errors import IllegalStep

# The states of the index whose name searches go to. Only `live` is asked: `empty` waits for its marks, `filling`
# until the engine has confirmed them.
MAIN = ("empty", "filling", "live")
# `building` is filled by a rebuild, `previous` was live before the last rebuild and is kept for a rollback.
TARGET_STATES = (*MAIN, "building", "previous")
# A removed target has no row.
REMOVED = "removed"

# step -> state before -> state after. A rebuild watches over the content of the indexes beside the main one by itself.
STEPS: Mapping[str, Mapping[str, str]] = {
    # The index is new, or its content is unknown.
    "wipe": {
        "empty": "empty",
        "filling": "empty",
        "live": "empty",
        "building": "building",
        "previous": "previous",
    },
    # Everything that the index needs is marked.
    "mark": {"empty": "filling", "filling": "filling", "building": "building", "previous": "previous"},
    # The engine has confirmed the marks.
    "fill": {"filling": "live"},
    # A rebuild or a rollback exchanges two indexes.
    "promote": {"building": "live", "previous": "live"},
    "demote": {"empty": "previous", "filling": "previous", "live": "previous"},
    "remove": {"building": REMOVED, "previous": REMOVED},
}


def step(name: str, state: str) -> str:
    """Return the state after a step.

    Args:
        name: A key of `STEPS`.
        state: The state before.

    Raises:
        IllegalStep: The step does not start from this state.
    """
    found = STEPS[name].get(state)
    if found is None:
        raise IllegalStep(f"Cannot {name} an index that is {state}.")
    return found
