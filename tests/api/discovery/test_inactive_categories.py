"""A category that editors turn off is gone for listeners: from cards, lookups, filters, facets and lists. Editors keep it."""

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine as Database

from api.settings import Settings
from tests.support.client import Client
from tests.support.discovery import SPECS, stock, total
from tests.support.product import sending, serve
from tests.support.shared import apart
from tests.support.stores import lone
from tests.support.waiting import eventually


@pytest.fixture
def catalogue(
    settings: Settings, database: Database, cache_redis: "Redis", listener: Client
) -> Iterator[dict[str, int]]:
    """A searchable catalogue with one category, which the sender keeps up to date."""
    found = stock(database)
    with sending(settings, cache_redis):
        eventually(lambda: total(listener) == len(SPECS), what="searchable")
        yield found


def seen(client: Client, catalogue: dict[str, int]) -> dict[str, Any]:
    """Return what a listener sees of the category, by place."""
    number, program = catalogue["category"], catalogue["Morning coffee"]
    cards = client.get("/discovery/search", q="coffee").json()["data"]
    return {
        "lookup": client.get(f"/discovery/programs/{program}").json()["data"]["category"] is not None,
        "batch": client.post("/discovery/programs/batch", {"ids": [program]}).json()["data"][0]["category"]
        is not None,
        "cards": any(card["category"] for card in cards),
        "browse": len(client.get("/discovery/browse", categoryId=number).json()["data"]) > 0,
        "random": client.get("/discovery/random", category="society").status_code == 200,
        "facet": len(client.get("/discovery/facets/categoryId").json()["data"]) > 0,
        "categories": len(client.get("/discovery/categories").json()["data"]) > 0,
        "page": client.get("/en/categories/society").status_code == 200,
    }


@pytest.mark.slow
def test_an_inactive_category_is_the_editors_alone(
    listener: Client, staff: dict[str, Client], catalogue: dict[str, int], settings: Settings
) -> None:
    address = f"/catalog/categories/{catalogue['category']}"
    shown = dict.fromkeys(seen(listener, catalogue), True)
    assert seen(listener, catalogue) == shown
    assert staff["reviewer"].patch(address, {"isActive": False}).status_code == 200
    hidden = dict.fromkeys(shown, False)
    eventually(lambda: seen(listener, catalogue) == hidden, what="hidden from listeners")
    with serve(lone(apart(settings))) as (alone, _):
        assert seen(alone, catalogue) == hidden
    program = staff["editor"].get(f"/catalog/programs/{catalogue['Morning coffee']}").json()
    assert program["data"]["category"]["nameEn"] == "Society"
    assert staff["reviewer"].patch(address, {"isActive": True}).status_code == 200
    eventually(lambda: seen(listener, catalogue) == shown, what="shown again")
