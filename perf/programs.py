"""Generated programs as documents of the engine, and titles with a typo. `perf.benches.index.node` uses them."""

import random

from catalog.seed import generator

Documents = list[dict[str, object]]


def documents(count: int, seed: int = 1) -> Documents:
    """Return generated programs as documents, in the form in which the sender sends them."""
    found = []
    for row in generator.generate(count, seed):
        found.append(
            {
                "id": row.number,
                "title": row.title,
                "description": row.description,
                "language": row.language,
                "mediaType": row.media_type,
                "kind": row.kind,
                "categoryId": row.category,
                "tags": [f"tag {n}" for n in row.tags],
                "people": [f"Person {n}" for n in row.people],
                "durationSec": row.duration_sec,
                "releaseDate": int(row.release_date.timestamp()),
                "publishedAt": row.number,
                "viewCount": row.view_count,
                "isFeatured": row.is_featured,
                "isExplicit": False,
                "seriesId": row.series,
                "seriesTitle": f"Series {row.series}" if row.series else None,
            }
        )
    return found


def misspelt(text: str, chance: random.Random) -> str:
    """Return the text with one letter of its longest word dropped, doubled, swapped or replaced."""
    words = text.split()
    n = max(range(len(words)), key=lambda n: len(words[n]))
    word = words[n]
    at = chance.randrange(1, max(len(word) - 1, 2))
    words[n] = chance.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at : at + 1] + word[at:],
            word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :],
            word[:at] + "m" + word[at + 1 :],
        ]
    )
    return " ".join(words)
