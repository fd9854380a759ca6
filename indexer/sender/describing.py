"""Describes documents for caches. The sender calls it for each batch."""

from collections.abc import Sequence

import msgspec

from indexer.engines.document import Document
from indexer.following import lemmas
from indexer.following.described import MAX_BYTES, MAX_DESCRIBED, Described


def described(document: Document) -> Described:
    """Return what caches need to know of a document."""
    return Described(
        id=document.id,
        is_visible=True,
        titled=lemmas.of_texts((document.title, document.folded_title or "")),
        others=lemmas.of_texts(
            (
                *document.people,
                *document.tags,
                document.series_title or "",
                *document.other_forms,
                document.description,
            )
        ),
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
