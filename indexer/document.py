"""The one function from a row to a document: sync, rebuild and audit all use it."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from catalog.programs.models import BUCKETS
from indexer import index_settings

_canonical = msgspec.json.Encoder(order="sorted").encode
# Searched only; nobody needs 20,000 characters to find a program.
MAX_DESCRIPTION = 5_000


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment is not None else None


def is_indexed(row: Mapping[str, Any], now: datetime) -> bool:
    """Has this row a document at `now` (the database's clock)?"""
    return (
        row["status"] == "published"
        and row["deleted_at"] is None
        and (row["expire_at"] is None or row["expire_at"] > now)
    )


def build(row: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a row of `catalog.programs.queries.detail()`.

    Times are Unix seconds, `viewCount` is the rounded popularity, `people` and `tags` are names.
    """
    people = row["people"] or []
    document = {
        "id": row["id"],
        "slug": row["slug"],
        "title": row["title"],
        "description": row["description"][:MAX_DESCRIPTION],
        "language": row["language"],
        "mediaType": row["media_type"],
        "kind": row["kind"],
        "durationSec": row["duration_sec"],
        "releaseDate": _seconds(row["release_date"]),
        "thumbnailUrl": row["thumbnail_url"],
        "categoryId": row["category_id"],
        "categorySlug": row["category_slug"],
        "categoryNameAr": row["category_name_ar"],
        "categoryNameEn": row["category_name_en"],
        "seriesId": row["series_id"],
        "seriesSlug": row["series_slug"],
        "seriesTitle": row["series_title"],
        "season": row["season"],
        "episode": row["episode"],
        "tags": list(row["tags"] or []),
        "people": list(dict.fromkeys(person["name"] for person in people)),
        "isFeatured": row["is_featured"],
        "isExplicit": row["is_explicit"],
        "publishedAt": _seconds(row["published_at"]),
        "viewCount": row["popularity"],
    }
    return document | {
        "_rev": row["rev"],
        "_hash": content_hash(document),
        "_bucket": row["id"] % BUCKETS,
        "_settings": index_settings.HASH,
    }


def content_hash(document: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits over everything a listener can see or search."""
    return hashlib.blake2b(_canonical(document), digest_size=8).hexdigest()
