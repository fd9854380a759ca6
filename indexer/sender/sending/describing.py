"""Describes documents for caches. The sender calls it for each batch."""

from collections.abc import Sequence

import msgspec

from indexer.engines.document import Document
from indexer.stores.following import lemmas
from indexer.stores.following.described import MAX_BYTES, MAX_DESCRIBED, Described

# A text begins with its first word; a piece before it may be nothing but signs.
_FIRST = 2


def described(document: Document) -> Described:
    """Return what caches need to know of a document."""
    names = (*document.people, *document.tags, document.series_title or "", *document.other_forms)
    texts = [document.title, document.folded_title or "", document.description, *names]
    first = (text.split(maxsplit=_FIRST)[:_FIRST] for text in texts)
    return Described(
        id=document.id,
        is_visible=True,
        titled=lemmas.of_texts((document.title, document.folded_title or "")),
        others=lemmas.of_texts((*names, document.description)),
        begins=lemmas.of_texts(piece for pieces in first for piece in pieces),
        pairs=sorted(lemmas.pairs((document.title, document.description, *names))),
        wholes=list(dict.fromkeys(lemmas.plain(text) for text in (document.title, *names) if text)),
        category_id=document.category_id,
        series_id=document.series_id,
        language=document.language,
        media_type=document.media_type,
        kind=document.kind,
        tags=[lemmas.fold(tag) for tag in document.tags],
        people=[lemmas.fold(person) for person in document.people],
        is_featured=document.is_featured,
        duration_sec=document.duration_sec,
        release_date=document.release_date,
        view_count=document.view_count,
    )


def told(changes: Sequence[Described]) -> bytes:
    """Return the changes of a batch as JSON; nothing if they are too many to be compared one by one."""
    if not changes or len(changes) > MAX_DESCRIBED:
        return b""
    text = msgspec.json.encode(changes)
    return text if len(text) <= MAX_BYTES else b""
