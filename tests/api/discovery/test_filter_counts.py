"""Facets and totals beside counting by hand, for random filters over a random catalogue."""

import random
from collections.abc import Iterator

import pytest

from api.discovery.params import FACETS
from api.settings import Settings
from tests.support.client import Client
from tests.support.counting import WORD, Catalogue, sent
from tests.support.pipeline import Pipeline
from tests.support.product import serve

PROGRAMS, ASKED = 90, 200


@pytest.fixture
def served(settings: Settings, pipeline: Pipeline) -> Iterator[tuple[Client, Catalogue]]:
    """A listener to a random catalogue, the same in every run."""
    catalogue = Catalogue(pipeline, random.Random(20240310), PROGRAMS)
    with serve(settings) as (client, _):
        yield client, catalogue


@pytest.mark.slow
def test_every_facet_is_counted_without_its_own_filter(served: tuple[Client, Catalogue]) -> None:
    client, catalogue = served
    for n in range(ASKED):
        asked = catalogue.filters()
        path = "/discovery/browse"
        if n % 2:
            path, asked["q"] = "/discovery/search", WORD
        answer = client.get(path, **sent(asked), facets=",".join(FACETS), limit=1).json()
        assert answer["meta"]["total"] == len(catalogue.counted(asked)), (path, asked)
        assert answer["meta"]["totalIsExact"]
        for facet in FACETS:
            found = {row["value"]: row["count"] for row in answer["facets"][facet]}
            assert found == catalogue.counts(asked, facet), (path, facet, asked)
