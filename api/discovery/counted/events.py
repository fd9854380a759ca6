"""Clicks and plays from the results of searches, as listeners' apps report them. `asked` sends them to Redis.

An event has the words of the search and the place of the result, nothing of the listener. It counts once, by the name that
the app gave it, and only if the search was counted (`script`).
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated, Literal, NamedTuple

import msgspec

from api import metrics
from api.discovery.counted.notes import text_of
from api.discovery.params import MAX_Q
from api.http.schemas import Body, Model
from api.http.tally import is_bot
from catalog.insight.rollup import language_of

MAX_EVENTS, MAX_POSITION = 100, 10_000
# Events that a process keeps until Redis has them; further ones are counted as lost.
MAX_BUFFERED = 5_000
_Type = Annotated[
    Literal["click", "play"],
    msgspec.Meta(description="click: a result was opened. play: it was played.", examples=["click"]),
]


class EventIn(Body):
    """A click or a play. `id` is a new random name, such as a UUID: an event that is sent again counts once."""

    id: Annotated[
        str,
        msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{16,64}$", examples=["0b5e7c1e-54c5-4b53-8a0e-6d9f5a1c2e77"]),
    ]
    type: _Type
    query: Annotated[
        str,
        msgspec.Meta(min_length=1, max_length=MAX_Q, description="As it was searched.", examples=["قهوة"]),
    ]
    position: Annotated[
        int,
        msgspec.Meta(
            ge=1, le=MAX_POSITION, description="The result's place on all pages, from 1.", examples=[3]
        ),
    ]


class EventsIn(Body):
    """Events of one listener, at most 100."""

    events: Annotated[list[EventIn], msgspec.Meta(min_length=1, max_length=MAX_EVENTS)]


class EventsTaken(Model):
    """How many events were taken."""

    received: int


class EventsAnswer(Model):
    """The events are taken, and will be counted within seconds."""

    data: EventsTaken


class Event(NamedTuple):
    """An event that is to be counted: its name, the words of its search, and what it adds."""

    token: str
    text: str
    language: str
    counted: dict[str, int]


class Events:
    """Events that this process has not yet sent to Redis."""

    def __init__(self, one_in: int = 1) -> None:
        """Begin without any.

        Args:
            one_in: One of so many events is counted, as so many.
        """
        self._one_in = one_in
        self._waiting: list[Event] = []

    def add(self, events: Sequence[EventIn], user_agent: str) -> None:
        """Take events.

        Args:
            events: As they were reported.
            user_agent: What the client calls itself; those of bots are left out.
        """
        if is_bot(user_agent):
            metrics.SEARCH_EVENTS.labels("bot").inc(len(events))
            return
        for event in events:
            hashed = blake2b(event.id.encode(), digest_size=12)
            text = text_of(event.query)
            # An event that is sent again is left out again.
            if int.from_bytes(hashed.digest()[:4]) % self._one_in:
                metrics.SEARCH_EVENTS.labels("sampled").inc()
            elif not text:
                metrics.SEARCH_EVENTS.labels("unknown").inc()
            elif len(self._waiting) >= MAX_BUFFERED:
                metrics.SEARCH_EVENTS.labels("lost").inc()
            else:
                counted = {"plays": 1} if event.type == "play" else {"clicks": 1, "positions": event.position}
                times = {name: count * self._one_in for name, count in counted.items()}
                self._waiting.append(Event(hashed.hexdigest(), text, language_of(text.split()), times))

    def take(self) -> list[Event]:
        """Return the events, and begin anew."""
        found, self._waiting = self._waiting, []
        return found
