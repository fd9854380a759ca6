"""What is in a document: attributes by dotted names, searchable texts, values as filters compare them."""

import math
import re
import unicodedata
from collections.abc import Iterator

from deploy.searchnode.values import Document, Json, JsonObject

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def flatten(value: JsonObject, prefix: str = "") -> Iterator[tuple[str, Json]]:
    """Yield (dotted name, value) of every attribute, also of nested objects and objects in arrays.

    An attribute of several objects of one array is yielded once for each object.
    """
    for key, inner in value.items():
        name = f"{prefix}{key}"
        yield name, inner
        if isinstance(inner, dict):
            yield from flatten(inner, f"{name}.")
        elif isinstance(inner, list):
            for each in inner:
                if isinstance(each, dict):
                    yield from flatten(each, f"{name}.")


def texts(value: Json) -> Iterator[str]:
    """Yield the searchable texts of a value. Nested objects are left out: `flatten` yields them apart."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, int | float):
        yield str(value)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def leaves(value: Json) -> Iterator[Json]:
    """Yield the values of an array, also of arrays within it; a value that is no array by itself."""
    if isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def comparable(text: str) -> str:
    """Return the form in which facet values and the values of filters are compared."""
    text = text.strip()
    return text.lower() if text.isascii() else unicodedata.normalize("NFKD", text).lower()


def comparable_value(value: Json) -> str | None:
    """Return the compared form of a text or truth value; None for a number and everything else."""
    if isinstance(value, str):
        return comparable(value)
    return str(value).lower() if isinstance(value, bool) else None


def number_in(text: str) -> float | None:
    """Return the number that a filter's value denotes; None when it is not a finite number."""
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def original_value(document: Document, name: str, wanted: str) -> str | None:
    """Find a text value of an attribute by its compared form.

    Args:
        document: Where to look.
        name: The dotted name of the attribute.
        wanted: The compared form of the value.

    Returns:
        The value as the document writes it; None when the document has no such value.
    """
    for own_name, value in flatten(document):
        if own_name == name:
            for text in texts(value):
                if comparable(text) == wanted:
                    return text
    return None
