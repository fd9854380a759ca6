"""The settings of an index as code, and their hash, which tells with which of them an index was made.

Used by everything that makes an index, builds a document or looks whether a rebuild is needed.
"""

import hashlib
import json
import string
from collections.abc import Mapping

from sqlalchemy.orm import Session

from catalog.curation import queries
from catalog.curation.expansions import Rule, compiled
from catalog.indexing.targets import Build

MAX_TOTAL_HITS = 10_000
# Values of a facet that a search counts.
MAX_FACET_VALUES = 100
# Add one with every change of SETTINGS or of the document builder: a process that runs older code leaves the
# settings and the rebuilds of newer code alone.
REVISION = 4

# A letter with a sign that changes what it means: C#, F#, C++. Engines cut texts at the signs otherwise.
_SIGNED = [f"{letter}{sign}" for letter in string.ascii_letters for sign in ("#", "++")]

SETTINGS: dict[str, object] = {
    "searchableAttributes": [
        "title",
        "foldedTitle",
        "people",
        "tags",
        "seriesTitle",
        "otherForms",
        "description",
    ],
    "filterableAttributes": [
        "_bucket",
        "categoryId",
        "durationSec",
        "id",
        "isExplicit",
        "isFeatured",
        "kind",
        "language",
        "mediaType",
        "people",
        "publishedAt",
        "releaseDate",
        "seriesId",
        "tags",
        "viewCount",
    ],
    "sortableAttributes": ["durationSec", "id", "publishedAt", "releaseDate", "title", "viewCount"],
    # The order that a listener asks for comes before relevance: without one, the rule `sort` does nothing.
    "rankingRules": ["sort", "words", "typo", "proximity", "attribute", "exactness", "viewCount:desc"],
    # R&B and AT&T are words.
    "nonSeparatorTokens": ["&"],
    "dictionary": _SIGNED,
    # Arabic words are short: with the default of five letters, most of them would allow no typo at all.
    "typoTolerance": {
        "enabled": True,
        "minWordSizeForTypos": {"oneTypo": 4, "twoTypos": 8},
        "disableOnWords": [],
        "disableOnAttributes": [],
        # 1973 is no misspelling of 1974.
        "disableOnNumbers": True,
    },
    "pagination": {"maxTotalHits": MAX_TOTAL_HITS},
    "faceting": {"maxValuesPerFacet": MAX_FACET_VALUES, "sortFacetValuesBy": {"*": "count"}},
    # Detecting the language of three words fails; everything is folded as Arabic and Latin alike.
    "localizedAttributes": [{"locales": ["ara"], "attributePatterns": ["*"]}],
}

# Documents that were sent before a change of these follow it only when all are sent again.
REBUILDING = ("searchableAttributes", "localizedAttributes", "nonSeparatorTokens", "dictionary")
# The engine keeps these without an order.
_SETS = {
    "filterableAttributes",
    "sortableAttributes",
    "disableOnWords",
    "disableOnAttributes",
    "nonSeparatorTokens",
    "dictionary",
}


def settings_hash(settings: Mapping[str, object] = SETTINGS) -> str:
    """Return twelve hexadecimal digits that change with any setting."""
    canonical = json.dumps(settings, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(canonical).hexdigest()[:12]


def curated(session: Session) -> dict[str, object]:
    """Return the settings that editors decide: the synonyms. They change without a build, so the hash leaves them out."""
    return {"synonyms": compiled(Rule(*row) for row in session.execute(queries.synonyms()))}


HASH = settings_hash()
# Which code made an index.
BUILD = Build(HASH, REVISION)


def same(name: str, live: object, wanted: object) -> bool:
    """Return whether a setting of an index is as wanted.

    Args:
        name: The setting.
        live: Its value in the index. The engine adds defaults to objects, and gives sets in any order.
        wanted: The value it should have; an object may leave fields out.
    """
    if name == "synonyms" and isinstance(wanted, dict) and isinstance(live, dict):
        # Here another key is a difference.
        return live.keys() == wanted.keys() and all(
            sorted(live[key]) == sorted(wanted[key]) for key in wanted
        )
    if isinstance(wanted, dict) and isinstance(live, dict):
        return all(same(inner, live.get(inner), value) for inner, value in wanted.items())
    if name in _SETS and isinstance(live, list) and isinstance(wanted, list):
        return sorted(map(str, live)) == sorted(wanted)
    return live == wanted


def lost_attributes(live: Mapping[str, object], wanted: Mapping[str, object] = SETTINGS) -> list[str]:
    """Return what searches can use with the `live` settings and could no longer use with `wanted`."""
    return sorted(
        f"{name}: {attribute}"
        for name in ("filterableAttributes", "searchableAttributes", "sortableAttributes")
        for attribute in _names(live.get(name)) - _names(wanted[name]) - {"*"}
    )


def _names(attributes: object) -> set[str]:
    return {str(name) for name in attributes} if isinstance(attributes, list) else set()
