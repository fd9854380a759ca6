"""The one function from a row to a document. The sender, the rebuild, the audit and the API's fallback use it."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from catalog.programs.models import BUCKETS
from catalog.programs.queries import ProgramRow
from catalog.words import forms
from indexer.engines import index_settings

_canonical = msgspec.json.Encoder(order="sorted").encode
# Descriptions are searched only; nobody needs 20,000 characters to find a program.
MAX_DESCRIPTION = 5_000


class ListedFields(msgspec.Struct, rename="camel"):
    """The fields of a document that a list of programs shows. Times are Unix seconds.

    `view_count` is the rounded popularity; `people` and `tags` are names.
    """

    id: int
    slug: str
    title: str
    description: str
    language: str
    media_type: str
    kind: str
    duration_sec: int | None
    release_date: int | None
    thumbnail_url: str | None
    category_id: int | None
    category_slug: str | None
    category_name_ar: str | None
    category_name_en: str | None
    series_id: int | None
    series_slug: str | None
    series_title: str | None
    season: int | None
    episode: int | None
    tags: list[str]
    people: list[str]
    is_featured: bool
    is_explicit: bool
    view_count: int


class Content(ListedFields):
    """Everything of a document that a listener can see or search by.

    Attributes:
        published_at: Unix seconds.
        folded_title: The title in the spelling of queries; None where the engine's own folding does the same.
        other_forms: Words of the texts and names in the spelling of queries, and without letters joined to them.
    """

    published_at: int | None
    folded_title: str | None
    other_forms: list[str]


class Document(Content):
    """A program as an index stores it: its content, and which version of it this is."""

    rev: int = msgspec.field(name="_rev")
    hash: str = msgspec.field(name="_hash")
    bucket: int = msgspec.field(name="_bucket")
    settings: str = msgspec.field(name="_settings")


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment is not None else None


def is_indexed(row: ProgramRow, now: datetime) -> bool:
    """Return whether the program of this row has a document at `now`, by the database's clock."""
    return (
        row["status"] == "published"
        and row["deleted_at"] is None
        and (row["expire_at"] is None or row["expire_at"] > now)
    )


def build(row: ProgramRow) -> Document:
    """Return the document of the program of this row."""
    # An inactive category is the editors' alone.
    shelved = bool(row["category_is_active"])
    tags = list(row["tags"] or [])
    people = list(dict.fromkeys(person["name"] for person in row["people"] or []))
    description = row["description"][:MAX_DESCRIPTION]
    content = Content(
        id=row["id"],
        slug=row["slug"],
        title=row["title"],
        description=description,
        language=row["language"],
        media_type=row["media_type"],
        kind=row["kind"],
        duration_sec=row["duration_sec"],
        release_date=_seconds(row["release_date"]),
        thumbnail_url=row["thumbnail_url"],
        category_id=row["category_id"] if shelved else None,
        category_slug=row["category_slug"] if shelved else None,
        category_name_ar=row["category_name_ar"] if shelved else None,
        category_name_en=row["category_name_en"] if shelved else None,
        series_id=row["series_id"],
        series_slug=row["series_slug"],
        series_title=row["series_title"],
        season=row["season"],
        episode=row["episode"],
        tags=tags,
        people=people,
        is_featured=row["is_featured"],
        is_explicit=row["is_explicit"],
        published_at=_seconds(row["published_at"]),
        folded_title=forms.folded(row["title"]),
        other_forms=forms.other_forms([row["title"], row["series_title"] or "", *people, *tags], description),
        view_count=row["popularity"],
    )
    # By position: the content's fields come first.
    version = (row["rev"], content_hash(content), row["id"] % BUCKETS, index_settings.HASH)
    fields = msgspec.structs.astuple(content) + version
    return Document(*fields)  # pyright: ignore[reportCallIssue]  # the tuple has every field


def content_hash(content: Content | Mapping[str, object]) -> str:
    """Return sixteen hexadecimal digits over everything that a listener can see or search by.

    The same for the same content whatever encodes it: over JSON with sorted keys and no spaces.
    """
    return hashlib.blake2b(_canonical(content), digest_size=8).hexdigest()
