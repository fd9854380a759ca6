"""Reads on streaming replicas: they leave one that is behind or gone, and never go back in time."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from sqlalchemy import Engine as Database

from api.answers.edge import Edge
from api.settings import Settings
from catalog.core.db import session_factory
from catalog.taxonomy import series
from tests.support.accounts import add_account, signed_in
from tests.support.client import Client
from tests.support.product import serve
from tests.support.programs import EDITOR, make
from tests.support.replication import Replicated
from tests.support.scraping import metric
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow
BODY = {"title": "قهوة", "language": "ar", "mediaType": "audio", "kind": "episode"}


@pytest.fixture(scope="module")
def replicated() -> Iterator[Replicated]:
    """A primary with two replicas."""
    found = Replicated(2)
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture
def servers(replicated: Replicated) -> Mapping[str, str]:
    """The run's servers, but this file's primary."""
    return {**os.environ, "TEST_POSTGRES": replicated.admin}


def following(settings: Settings, replicated: Replicated, *names: str, max_lag: float) -> Settings:
    """Return settings with these replicas, all of which have the test's database."""
    for name in names:
        replicated.resume(name)
        eventually(lambda name=name: replicated.has_caught_up(name), what="the replica has the database")
    urls = ",".join(replicated.url(name, settings.catalog.database_url) for name in names)
    return replace(
        settings,
        catalog=settings.catalog.model_copy(
            update={"database_replica_url": urls, "replica_max_lag": max_lag}
        ),
    )


def usable(client: Client) -> float:
    return metric(client, "database_replica_usable")


def detail(client: Client) -> tuple[bool, str]:
    found = {d["name"]: d for d in client.get("/health/ready").json()["dependencies"]}["replica"]
    return found["up"], found["detail"]


def reads(client: Client, name: str) -> float:
    return metric(client, f'database_reads_total{{server="{name}"}}')


def test_reads_leave_a_replica_that_is_behind_and_come_back(
    settings: Settings, database: Database, replicated: Replicated
) -> None:
    with session_factory(database).begin() as session:
        ids = [make(session, "published").id for _ in range(4)]
    name = f"127.0.0.1:{replicated.ports['a']}"
    with serve(following(settings, replicated, "a", max_lag=1.5)) as (client, _):
        eventually(lambda: usable(client) == 1, what="the replica is seen")
        assert detail(client)[0]
        eventually(lambda: replicated.has_caught_up("a"), what="the replica has the programs")
        before = reads(client, name), reads(client, "primary")
        assert client.get(f"/discovery/programs/{ids[0]}").status_code == 200
        assert reads(client, name) > before[0]
        replicated.pause("a")
        with session_factory(database).begin() as session:
            make(session)
        eventually(lambda: usable(client) == 0, what="the replica is left")
        up, said = detail(client)
        assert not up
        assert name in said
        assert "s behind" in said
        assert client.get("/health/ready").json()["status"] != "unavailable"
        assert metric(client, f'database_replica_lag_seconds{{server="{name}"}}') > 1.5
        before = reads(client, name), reads(client, "primary")
        assert client.get(f"/discovery/programs/{ids[1]}").status_code == 200
        assert reads(client, name) == before[0]
        assert reads(client, "primary") > before[1]
        replicated.resume("a")
        eventually(lambda: usable(client) == 1, what="the replica is back")


def test_a_replica_that_dies_or_hangs_costs_no_read(
    settings: Settings, database: Database, replicated: Replicated
) -> None:
    with session_factory(database).begin() as session:
        ids = [make(session, "published").id for _ in range(60)]
    unread = iter(ids)

    def read(times: int) -> None:
        assert [client.get(f"/discovery/programs/{next(unread)}").status_code for _ in range(times)] == [
            200
        ] * times

    with serve(following(settings, replicated, "a", "b", max_lag=3600)) as (client, _):
        eventually(lambda: usable(client) == 2, what="the replicas are seen")
        eventually(lambda: all(map(replicated.has_caught_up, "ab")), what="the replicas have the programs")
        read(10)
        before = metric(client, "database_read_failovers_total")
        replicated.end("a")
        read(10)
        eventually(lambda: usable(client) == 1, what="the dead replica is left")
        read(5)
        with replicated.frozen("b"):
            read(5)
            assert usable(client) == 0
            read(5)
        assert metric(client, "database_read_failovers_total") > before
        replicated.run("a")
        eventually(lambda: usable(client) == 2, what="both are back")
        before = reads(client, "primary")
        read(10)
        assert reads(client, "primary") == before


def test_nobody_sees_an_older_catalogue_than_before(
    settings: Settings, database: Database, replicated: Replicated
) -> None:
    with session_factory(database).begin() as session:
        show = series.create(session, {"title": "Coffee talks", "language": "en"}, EDITOR).id
        known = make(session, "published", title="First", series_id=show).id
    far = following(settings, replicated, "a", max_lag=3600)
    token = add_account(settings, database, "admin", ["admin"])
    eventually(lambda: replicated.has_caught_up("a"), what="the replica has the programs")
    with serve(far) as (client, _), serve(far) as (other, other_edge):
        for each in (client, other):
            eventually(lambda each=each: usable(each) == 1, what="the replica is seen")
        editor = signed_in(client, token)
        assert other.get(f"/discovery/programs/{known}").json()["data"]["title"] == "First"
        replicated.pause("a")
        # What an editor writes, the editor reads.
        row = editor.get(f"/catalog/programs/{known}").json()["data"]
        changed = editor.patch(
            f"/catalog/programs/{known}", {"title": "Second"}, **{"If-Match": f'"{row["rev"]}"'}
        )
        assert changed.status_code == 200, changed.text
        assert editor.get(f"/catalog/programs/{known}").json()["data"]["title"] == "Second"
        new = editor.post("/catalog/programs", BODY | {"seriesId": show}).json()["data"]
        assert editor.post(f"/catalog/programs/{new['id']}/publish").status_code == 200
        # And so does every listener, whichever process answers; even one that heard of no change.
        _deafen(other_edge)
        for each in (client, other):
            titles = [
                each.get(f"/discovery/programs/{n}").json()["data"]["title"] for n in (known, new["id"])
            ]
            assert titles == ["Second", BODY["title"]]
        assert client.get(f"/discovery/programs/{new['slug']}").status_code == 200
        batch = client.post("/discovery/programs/batch", {"ids": [known, new["id"]]}).json()
        assert [row["title"] for row in batch["data"]] == ["Second", BODY["title"]]
        page = client.get(f"/discovery/series/{show}").json()
        assert "First" not in [row["title"] for row in page["programs"]]
        assert (
            client.get(f"/discovery/series/{show}", limit=7).headers["cache-control"]
            == "public, max-age=1, s-maxage=1"
        )
        assert usable(client) == 1
        replicated.resume("a")


def _deafen(edge: Edge) -> None:
    """Let a process forget what it heard, as one that has just started."""
    cache = edge.app.state.shared.cache
    cache.clear()
    cache.invalidations.minimum_revisions.clear()
