"""The demo catalogue in a test's own stores, and how the golden queries are judged over it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import NullPool, create_engine

from catalog.core.db import session_factory
from catalog.seed import demo
from catalog.seed.golden import GoldenQuery
from catalog.vocabulary.rollup import roll_up
from tests.support.client import Client
from tests.support.databases import prepared
from tests.support.pipeline import Pipeline
from tests.support.scraping import metric
from tests.support.shared import shared_stores
from tests.support.waiting import eventually


def template() -> str:
    """Return the name of a database with the demo catalogue and its words, loaded once in a run."""
    return prepared(os.environ["TEST_POSTGRES"], "template_demo", _fill)


def _fill(url: str) -> None:
    database = create_engine(url, poolclass=NullPool)
    with session_factory(database).begin() as session:
        assert demo.load(session) == len(list(demo.programs()))
    count_words_in(database)


@contextmanager
def stocked() -> Iterator[Pipeline]:
    """Give stores with the demo catalogue until the block ends; the engine has what is published."""
    with shared_stores(template()) as stores:
        stores.sender().drain()
        yield stores


def count_words(pipeline: Pipeline) -> None:
    """Bring the vocabulary up to date, as the clock does."""
    count_words_in(pipeline.database)


def count_words_in(database: Database) -> None:
    """Bring the vocabulary of a database up to date."""
    while True:
        with session_factory(database).begin() as session:
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


def asked(listener: Client, q: str) -> list[dict[str, Any]]:
    """Return the first three hits of a query."""
    answer = listener.get("/discovery/search", q=q, limit=3)
    assert answer.status_code == 200, answer.text
    cards: list[dict[str, Any]] = answer.json()["data"]
    return cards
