"""How near a program is to another one, and why: pure functions, the same for an engine's hits and PostgreSQL's rows.

The neighbours in the same series come first: the next, the one before, the second next, the second before. Then what two
programs have in common counts points, and the kind with the most points is the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from api.discovery.around.schemas import Because
from api.http.schemas import ProgramDetail
from catalog.words.spelling import split, written
from indexer.engines.document import ListedFields

# Programs of the same series that are offered on each side.
SIDE = 2
# More than all things in common together.
_SERIES = 1_000
# Points for the first things in common of a kind, and how many of them count.
_PERSON, _PEOPLE = 40, 2
_TAG, _TAGS = 15, 3
_WORD, _WORDS = 12, 3
_CATEGORY, _LANGUAGE = 8, 6


@dataclass(frozen=True, slots=True)
class Near:
    """A program, how near it is, and why."""

    hit: ListedFields
    points: int
    because: Because


def ranked(program: ProgramDetail, words: Sequence[str], hits: Sequence[ListedFields]) -> list[Near]:
    """Return what is near a program, the nearest first; of equally near ones the most viewed, then the lowest id.

    Args:
        program: The program. It is not near itself.
        words: Words of its title that say something, in the spelling of comparison.
        hits: Candidates; some may occur twice.
    """
    candidates = {hit.id: hit for hit in hits if hit.id != program.id}
    places = _places(program, list(candidates.values()))
    found = []
    for hit in candidates.values():
        near = _near(program, words, hit, places)
        if near is not None:
            found.append(near)
    found.sort(key=lambda near: (-near.points, -near.hit.view_count, near.hit.id))
    return found


def _near(
    program: ProgramDetail, words: Sequence[str], hit: ListedFields, places: dict[int, int]
) -> Near | None:
    """Return None for what has nothing in common but the language, and for far programs of the same series."""
    if program.series is not None and hit.series_id == program.series.id:
        if hit.id not in places:
            return None
        because = Because(kind="series", value=program.series.title)
        return Near(hit, _SERIES - places[hit.id], because)
    people = [name for name in dict.fromkeys(person.name for person in program.people) if name in hit.people]
    tags = [tag for tag in program.tags if tag in hit.tags]
    spoken = set(split(hit.title))
    common = [word for word in words if word in spoken]
    counted: list[tuple[int, Because]] = []
    if people:
        because = Because(kind="person", value=people[0], others=len(people) - 1)
        counted.append((_PERSON * min(len(people), _PEOPLE), because))
    if tags:
        because = Because(kind="tag", value=tags[0], others=len(tags) - 1)
        counted.append((_TAG * min(len(tags), _TAGS), because))
    if common:
        as_written = written([hit.title])
        because = Because(kind="words", value=" ".join(as_written.get(word, word) for word in common))
        counted.append((_WORD * min(len(common), _WORDS), because))
    if program.category is not None and hit.category_id == program.category.id:
        counted.append((_CATEGORY, Because(kind="category", value=program.category.slug)))
    if not counted:
        return None
    points = sum(value for value, _ in counted) + (_LANGUAGE if hit.language == program.language else 0)
    return Near(hit, points, max(counted, key=lambda reason: reason[0])[1])


def _places(program: ProgramDetail, hits: Sequence[ListedFields]) -> dict[int, int]:
    """Return 0 for the id of the next program of the series, 1 for the one before, 2 for the second next, and so on."""
    if program.series is None:
        return {}
    own = _place(program.season, program.episode, program.id)
    series = [
        (_place(hit.season, hit.episode, hit.id), hit.id)
        for hit in hits
        if hit.series_id == program.series.id
    ]
    after = sorted(one for one in series if one[0] > own)[:SIDE]
    before = sorted((one for one in series if one[0] < own), reverse=True)[:SIDE]
    places = {row_id: 2 * n for n, (_, row_id) in enumerate(after)}
    return places | {row_id: 2 * n + 1 for n, (_, row_id) in enumerate(before)}


def _place(season: int | None, episode: int | None, row_id: int) -> tuple[int, int, int]:
    """Return what a series is ordered by; a program without a number stands first."""
    return (-1 if season is None else season, -1 if episode is None else episode, row_id)
