"""The index's settings as code: ranking is data, and its hash says which ranking is live."""

import hashlib
import json
from typing import Any

MAX_TOTAL_HITS = 10_000
# Grows by one with every change of SETTINGS or of the document builder: a process that runs older
# code leaves the settings and the rebuilds of newer code alone.
REVISION = 1

SETTINGS: dict[str, Any] = {
    "searchableAttributes": ["title", "people", "tags", "seriesTitle", "description"],
    "filterableAttributes": [
        "_bucket", "categoryId", "durationSec", "id", "isExplicit", "isFeatured", "kind", "language",
        "mediaType", "people", "publishedAt", "releaseDate", "seriesId", "tags", "viewCount",
    ],
    "sortableAttributes": ["durationSec", "id", "publishedAt", "releaseDate", "title", "viewCount"],
    "rankingRules": ["words", "typo", "proximity", "attribute", "sort", "exactness", "viewCount:desc"],
    # Arabic words are short: at the default of five letters most of them would forgive nothing.
    "typoTolerance": {
        "enabled": True,
        "minWordSizeForTypos": {"oneTypo": 4, "twoTypos": 8},
        "disableOnWords": [],
        "disableOnAttributes": [],
    },
    "pagination": {"maxTotalHits": MAX_TOTAL_HITS},
    "faceting": {"maxValuesPerFacet": 100, "sortFacetValuesBy": {"*": "count"}},
    # Detecting the language of three words fails; everything is folded as Arabic and Latin alike.
    "localizedAttributes": [{"locales": ["ara"], "attributePatterns": ["*"]}],
}  # fmt: skip

# A change of these reaches documents already sent only when all are sent again.
REBUILDING = ("searchableAttributes", "localizedAttributes")


def settings_hash(settings: dict[str, Any] = SETTINGS) -> str:
    """Twelve hexadecimal digits that change with any setting."""
    canonical = json.dumps(settings, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(canonical).hexdigest()[:12]


HASH = settings_hash()
BUILD = (HASH, REVISION)


def lost_attributes(live: dict[str, Any], wanted: dict[str, Any] = SETTINGS) -> list[str]:
    """What searches could use in the `live` settings and could no longer in `wanted`."""
    return sorted(
        f"{name}: {attribute}"
        for name in ("filterableAttributes", "searchableAttributes", "sortableAttributes")
        for attribute in live.get(name) or []
        if attribute != "*" and attribute not in wanted[name]
    )
