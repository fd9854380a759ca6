"""Clicks and plays from the results of searches, as listeners' apps report them. `asked` sends them to Redis.

An event has the words of the search and the place of the result. It counts once for a client and half hour, as views do,
and only if the search was counted; a client and a query have no more than a bound of them (`script`).
"""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import msgspec

from api.discovery.counted.hiding import Hiding
from api.discovery.counted.notes import text_of
from api.discovery.counted.script import MOST_OF_A_CLIENT
from api.discovery.counted.views import WINDOW
from api.discovery.params import MAX_Q
from api.http.observed import metrics
from api.http.observed.tally import is_bot
from api.http.schemas import Body, Model
from catalog.insight.rollup import language_of

MAX_EVENTS, MAX_POSITION = 100, 10_000
# Events that a process keeps until Redis has them; further ones are counted as lost.
MAX_BUFFERED = 5_000
_Type = Annotated[
    Literal["click", "play"],
    msgspec.Meta(description="click: a result was opened. play: it was played.", examples=["click"]),
]


class EventIn(Body):
    """A click or a play. One that is sent again in the same half hour counts once."""

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
    """An event that is to be counted.

    Attributes:
        name: That of the same event of the same client in the same half hour.
        client: Who reported it, under a name that lasts for an hour or two.
        text: The words of its search.
        language: That of the words.
        counted: What it adds.
    """

    name: str
    client: str
    text: str
    language: str
    counted: dict[str, int]


class Events:
    """Events that this process has not yet sent to Redis."""

    def __init__(self, hiding: Hiding, one_in: int = 1) -> None:
        """Begin without any.

        Args:
            hiding: Names events and clients.
            one_in: One of so many events is counted, as so many.
        """
        self._hiding, self._one_in = hiding, one_in
        self._waiting: dict[str, Event] = {}
        # Client -> how many of its events wait.
        self._clients: Counter[str] = Counter()

    def add(self, events: Sequence[EventIn], user_agent: str, client: str) -> None:
        """Take events.

        Args:
            events: As they were reported.
            user_agent: What the client calls itself; those of bots are left out.
            client: Who reported them, as limits name a client.
        """
        if is_bot(user_agent):
            metrics.SEARCH_EVENTS.labels("bot").inc(len(events))
            return
        window = int(time.time() // WINDOW)
        hidden = self._hiding.name(client, window // 2)
        for event in events:
            outcome = self._add(event, window, client, hidden)
            if outcome:
                metrics.SEARCH_EVENTS.labels(outcome).inc()

    def _add(self, event: EventIn, window: int, client: str, hidden: str) -> str:
        """Take an event; return what became of it, or nothing for one that Redis is to judge."""
        text = text_of(event.query)
        if not text:
            return "unknown"
        name = self._hiding.name(client, text, event.type, event.position, window)
        # An event that is sent again is left out again, and nobody who has not the key knows which ones are.
        if int(name[:8], 16) % self._one_in:
            return "sampled"
        if name in self._waiting:
            return "repeated"
        if self._clients[hidden] >= MOST_OF_A_CLIENT:
            return "refused"
        if len(self._waiting) >= MAX_BUFFERED:
            return "lost"
        counted = {"plays": 1} if event.type == "play" else {"clicks": 1, "positions": event.position}
        times = {measure: count * self._one_in for measure, count in counted.items()}
        self._waiting[name] = Event(name, hidden, text, language_of(text.split()), times)
        self._clients[hidden] += 1
        return ""

    def take(self) -> list[Event]:
        """Return the events, and begin anew."""
        found = list(self._waiting.values())
        self._waiting, self._clients = {}, Counter()
        return found
