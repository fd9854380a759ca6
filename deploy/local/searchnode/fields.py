"""A document's fields: nested names, searchable texts."""

import unicodedata
from collections.abc import Iterator
from typing import Any


def flatten(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of an object: nested objects opened, also those within arrays."""
    for key, inner in value.items():
        name = f"{prefix}{key}"
        yield name, inner
        if isinstance(inner, dict):
            yield from flatten(inner, f"{name}.")
        elif isinstance(inner, list):
            for each in inner:
                if isinstance(each, dict):
                    yield from flatten(each, f"{name}.")


def texts(value: Any) -> Iterator[str]:
    """The searchable texts in a value; objects have names of their own."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, int | float):
        yield str(value)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def original(document: dict[str, Any], name: str, key: str) -> str | None:
    """A text value of an attribute as the document writes it, by its compared form."""
    for own, value in flatten(document):
        if own == name:
            for inner in texts(value):
                if normalise(inner) == key:
                    return inner
    return None


def normalise(text: str) -> str:
    """The form in which texts are compared."""
    text = text.strip()
    return text.lower() if text.isascii() else unicodedata.normalize("NFKD", text).lower()
