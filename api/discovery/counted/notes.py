"""What the count of searches knows of a search: a note that its answer has, wherever it is kept.

`api.discovery.searching.service` writes notes, `asked` reads them. A query that may name a person leaves no words in them.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import fields

import msgspec

from api.discovery.narrowing.filters import Filters
from api.discovery.params import BEGINNING, SearchRequest
from catalog.core.fields import camel
from catalog.insight.rollup import language_of
from catalog.words.spelling import split

# The query itself answered; no engine did.
PLAIN, DEGRADED = "plain", "degraded"
# Longer queries are counted without their words.
MAX_LETTERS = 80
# As many digits as a telephone number, an identity card or a bank card has at least.
_PRIVATE_DIGITS = 7
_NO_FILTERS = Filters()


class Note(msgspec.Struct, array_like=True):
    """A search whose answer was given.

    Attributes:
        text: Its words in the spelling of comparison; empty if they are not to be read.
        language: That of its words.
        is_first: Whether it is a first page.
        hits: The results on all pages.
        rung: The reading that answered.
        filters: The filters that are set, as parameters name them.
        is_named: Whether the query was taken as it was typed, and the catalogue has every word of it.
    """

    text: str
    language: str
    is_first: bool
    hits: int
    rung: str
    filters: list[str]
    is_named: bool


read = msgspec.json.Decoder(Note).decode


def is_empty(note: Note) -> bool:
    """Return whether a search found nothing, and an engine said so."""
    return note.is_first and not note.hits and note.rung != DEGRADED


def text_of(q: str) -> str:
    """Return the words of a query as they are counted; empty if they may name a person, or are too long."""
    # Signs and digits in any of their forms: wide, small, or in a circle.
    plain = unicodedata.normalize("NFKC", q)
    if "@" in plain or sum(map(str.isdecimal, plain)) >= _PRIVATE_DIGITS:
        return ""
    text = " ".join(split(q))
    return text if len(text) <= MAX_LETTERS else ""


def of_search(
    request: SearchRequest, hits: int, rung: str, *, as_typed: bool, knows: Callable[[str], bool]
) -> str:
    """Return the note of a search; empty for one without words, which is a list.

    Args:
        request: The search.
        hits: The results on all pages.
        rung: The reading that answered.
        as_typed: Whether the query found something as it was typed, and nothing else was offered.
        knows: Says whether the catalogue has every word of a text.
    """
    words = split(request.q)
    if not words:
        return ""
    text, is_first = text_of(request.q), request.page == 1 and request.cursor in (None, BEGINNING)
    chosen = [
        camel(field.name)
        for field in fields(Filters)
        if getattr(request.filters, field.name) != getattr(_NO_FILTERS, field.name)
    ]
    is_named = as_typed and is_first and bool(text) and knows(text)
    note = Note(text, language_of(words), is_first, hits, rung, chosen, is_named)
    return msgspec.json.encode(note).decode()
