"""The demo catalogue in a test's own stores, and how the golden queries are judged over it."""

from typing import Any

from catalog.core.db import session_factory
from catalog.seed import demo
from catalog.seed.golden import GoldenQuery
from catalog.vocabulary.rollup import roll_up
from tests.support.client import Client
from tests.support.pipeline import Pipeline
from tests.support.scraping import metric
from tests.support.waiting import eventually


def load(pipeline: Pipeline) -> None:
    """Load the demo catalogue, count its words, and send what is published to the engine."""
    with session_factory(pipeline.database).begin() as session:
        demo.load(session)
    count_words(pipeline)
    pipeline.sender().drain()


def count_words(pipeline: Pipeline) -> None:
    """Bring the vocabulary up to date, as the clock does."""
    while True:
        with session_factory(pipeline.database).begin() as session:
            if not roll_up(session):
                return


def wait_for_words(listener: Client, least: int = 1) -> None:
    """Wait until the API knows so many words of the catalogue."""
    eventually(lambda: metric(listener, "search_vocabulary_words ") >= least, what="the vocabulary")


def is_right(wanted: GoldenQuery, card: dict[str, Any]) -> bool:
    """Return whether a card of an answer is what the query means."""
    if wanted.series is not None:
        return card["series"] is not None and card["series"]["slug"] == wanted.series
    if wanted.people is not None:
        return not set(wanted.people).isdisjoint(card["people"])
    return bool(card["slug"] == wanted.slug)


def found(listener: Client, wanted: GoldenQuery, within: int = 1) -> bool:
    """Ask for a golden query; return whether one of the first hits is right.

    Args:
        listener: A client of the API.
        wanted: The query and its right answer.
        within: How many hits are looked at.
    """
    answer = listener.get("/discovery/search", q=wanted.q, limit=within)
    assert answer.status_code == 200, answer.text
    return any(is_right(wanted, card) for card in answer.json()["data"])
