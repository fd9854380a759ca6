"""How often answers are given, counted in the memory of the process: for those that have a note, such as searches.

The edge counts the answers from its memory, `api.answers.state` all others. Who writes notes takes the numbers every
second (`api.discovery.counted.asked`). Counting costs an answer a look into a dictionary.
"""

import re
from functools import lru_cache
from typing import NamedTuple

# Different notes that wait to be taken; answers with further ones are counted as lost. Listeners of a note that are kept.
MAX_NOTES, MAX_LISTENERS = 2_000, 50
# What crawlers, monitors and link previews call themselves.
_BOT = re.compile(
    r"bot\b|crawl|spider|slurp|facebookexternalhit|preview|monitor|pingdom|uptime|headless", re.IGNORECASE
)
# Names of clients whose kind is remembered: looking through a name takes longer than all else here. What a client may send as
# its name is far longer than the part that is looked at.
_NAMES, _LOOKED_AT = 1024, 512


def is_bot(user_agent: str) -> bool:
    """Return whether a client calls itself a bot, in the beginning of its name."""
    return _BOT.search(user_agent, 0, _LOOKED_AT) is not None


@lru_cache(maxsize=_NAMES)
def _is_bot(user_agent: bytes) -> bool:
    return is_bot(user_agent.decode("latin-1"))


class Taken(NamedTuple):
    """What was counted.

    Attributes:
        given: Note -> how often an answer with it was given.
        listeners: Note -> some of those who got one, as limits name a client.
        bots: Answers that bots got.
        lost: Answers that were not counted.
    """

    given: dict[str, int]
    listeners: dict[str, set[str]]
    bots: int
    lost: int


class Tally:
    """Numbers of answers since they were taken last."""

    def __init__(self) -> None:
        """Begin with none."""
        self._given: dict[str, int] = {}
        self._listeners: dict[str, set[str]] = {}
        self._bots = self._lost = 0

    def add(self, note: str, user_agent: bytes, listener: str = "") -> None:
        """Count an answer, unless a bot asked for it.

        Args:
            note: That of the answer.
            user_agent: What the client calls itself.
            listener: Who asked, as limits name a client; empty where that is not looked at.
        """
        # Cutting each name would cost more than all of the rest.
        if _is_bot(user_agent if len(user_agent) <= _LOOKED_AT else user_agent[:_LOOKED_AT]):
            self._bots += 1
            return
        known = self._given.get(note)
        if known is not None:
            self._given[note] = known + 1
        elif len(self._given) < MAX_NOTES:
            self._given[note] = 1
        else:
            self._lost += 1
            return
        if listener:
            listeners = self._listeners.setdefault(note, set())
            if len(listeners) < MAX_LISTENERS:
                listeners.add(listener)

    def take(self) -> Taken:
        """Return what was counted, and begin anew."""
        found = Taken(self._given, self._listeners, self._bots, self._lost)
        self._given, self._listeners, self._bots, self._lost = {}, {}, 0, 0
        return found
