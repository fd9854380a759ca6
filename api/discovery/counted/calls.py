"""What the script that counts gets to read: `asked` sends it."""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import UTC, datetime
from typing import NamedTuple

from api.discovery.counted import notes
from api.discovery.counted.events import Event
from api.discovery.counted.hiding import Hiding
from catalog.insight.rollup import FILTER, RUNG
from indexer.jobs import searches
from indexer.jobs.searches import DAY_SECONDS, DAYS, ENOUGH, TOLD, window_key

# A query counts once in so many seconds for popular searches, whoever asks it.
WINDOW = 600
_HOUR = 3600
# An entry of the script: a search with its measures, or an event.
Entry = list[str | int]


class Call(NamedTuple):
    """A call of the script. It may be repeated: a call with the same first key changes nothing.

    Attributes:
        keys: The keys.
        arguments: All others.
        entries: How many searches and events it has.
    """

    keys: tuple[str, ...]
    arguments: Entry
    entries: int


def call(prefix: str, now: datetime, entries: Iterable[Entry], most_of_a_day: int) -> Call:
    """Return the call that counts some entries.

    Args:
        prefix: What every key in Redis begins with.
        now: When they are counted.
        entries: Of `of_search` and `of_event`.
        most_of_a_day: The most queries of a day.
    """
    begin, moment, days = searches.room(prefix), int(now.timestamp()), searches.days(now.astimezone(UTC))
    hour, listed = moment // _HOUR, list(entries)
    keys = (
        f"{begin}call:{uuid.uuid4().hex}",
        window_key(prefix, moment // WINDOW),
        f"{begin}events:{hour}",
        f"{begin}events:{hour - 1}",
        f"{begin}clients:{hour}",
    )
    first: Entry = [begin, most_of_a_day, 2 * WINDOW, (DAYS + 1) * DAY_SECONDS, ENOUGH, TOLD, moment]
    first += [moment - DAYS * DAY_SECONDS, len(days), *days]
    return Call(keys, first + [part for entry in listed for part in entry], len(listed))


def of_search(note: notes.Note, times: int, listeners: Set[str], hiding: Hiding) -> Entry:
    """Return the entry for answers with a note.

    Args:
        note: The note.
        times: How often an answer with it was given.
        listeners: Some of those who got one.
        hiding: Names them.
    """
    counted: Counter[str] = Counter()
    counted["searches" if note.is_first else "pages"] = times
    if note.is_first:
        counted["hits"] = times * note.hits
        counted["empty"] = times if notes.is_empty(note) else 0
        counted.update({f"{RUNG}{note.rung}": times} | {f"{FILTER}{name}": times for name in note.filters})
    # A listener has another name in each query, so that nobody can be followed from one to another.
    named = [hiding.name(note.text, listener) for listener in (sorted(listeners) if note.text else ())]
    whole = searches.whole(note.language)
    return [note.text, whole, "", "", int(note.is_named), len(named), *named, *_measures(counted)]


def of_event(event: Event) -> Entry:
    """Return the entry for a click or a play."""
    whole = searches.whole(event.language)
    return [event.text, whole, event.name, event.client, 0, 0, *_measures(event.counted)]


def _measures(counted: Mapping[str, int]) -> Iterator[str | int]:
    some = {name: count for name, count in counted.items() if count}
    yield len(some)
    for name, count in some.items():
        yield name
        yield count
