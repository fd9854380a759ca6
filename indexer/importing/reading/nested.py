"""Parts of parsed documents whose shape nobody promised: a part that is missing or of another type is empty.

The YouTube adapter looks into the Data API's answers with it.
"""

from collections.abc import Mapping

Json = Mapping[str, object]
_EMPTY: Json = {}


def mapping(value: object) -> Json:
    """Return the value if it is an object of names and values, else an empty one."""
    return value if isinstance(value, Mapping) else _EMPTY


def mappings(value: object) -> list[Json]:
    """Return the objects in a list, else an empty list."""
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def text(value: object) -> str:
    """Return the value if it is text, else an empty text."""
    return value if isinstance(value, str) else ""
