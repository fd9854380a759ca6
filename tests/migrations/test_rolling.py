"""A change of the schema in three releases, while processes of the release before answer: no request fails."""

import itertools
import threading

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from catalog.core.db import session_factory
from catalog.schema import readiness
from tests.support.accounts import add_account, signed_in
from tests.support.client import Client
from tests.support.product import serve
from tests.support.programs import make
from tests.support.threads import alongside
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

# As migrations/README.md has them: each step takes its locks for a moment, and says how long it may wait for them.
EXPAND = (
    "SET lock_timeout = '2s'",
    "ALTER TABLE programs ADD COLUMN subtitle text",
    "CREATE INDEX CONCURRENTLY programs_subtitle_idx ON programs (subtitle)",
)
BACKFILL = (
    "UPDATE programs SET subtitle = title WHERE id IN (SELECT id FROM programs WHERE subtitle IS NULL LIMIT 15)",
)
TIGHTEN = (
    "ALTER TABLE programs ADD CONSTRAINT programs_subtitle_given CHECK (subtitle IS NOT NULL) NOT VALID",
)
CONTRACT = ("ALTER TABLE programs DROP COLUMN subtitle",)
# Between two requests of a client: what matters is that some are under way at each step.
PAUSE = 0.005


def migrate(database: Database, *statements: str, revision: str) -> None:
    """Execute the steps of a release, each in a transaction of its own, and note its revision."""
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def test_no_request_fails_while_a_schema_expands_is_filled_and_contracts(
    settings: Settings, database: Database
) -> None:
    token = add_account(settings, database, "admin", ["admin"])
    with session_factory(database).begin() as session:
        ids = [make(session, "published", title=f"Title {n}").id for n in range(60)]
    wrong: list[str] = []
    done = {"reads": 0, "writes": 0}
    draft = {"title": "Draft", "language": "en", "mediaType": "audio", "kind": "episode"}

    def reads(base: str, stop: threading.Event) -> None:
        client = Client(base)
        for number in itertools.cycle(ids):
            if stop.wait(PAUSE):
                return
            answer = client.get(f"/discovery/programs/{number}")
            done["reads"] += 1
            if answer.status_code != 200:
                wrong.append(answer.text)

    def writes(base: str, stop: threading.Event) -> None:
        editor = signed_in(Client(base), token)
        while not stop.wait(PAUSE):
            made = editor.post("/catalog/programs", draft)
            done["writes"] += 1
            if made.status_code != 201:
                wrong.append(made.text)
                continue
            number, read = made.json()["data"]["id"], {"If-Match": made.headers["etag"]}
            path = f"/catalog/programs/{number}"
            changed = editor.patch(path, {"title": "Changed"}, **read)
            while changed.status_code == 412:
                # The backfill is a change of the program, too: the editor reads it again.
                read = {"If-Match": editor.get(path).headers["etag"]}
                changed = editor.patch(path, {"title": "Changed"}, **read)
            if changed.status_code != 200:
                wrong.append(changed.text)

    def served(least: int) -> None:
        before = dict(done)
        eventually(lambda: all(done[kind] >= before[kind] + least for kind in done), what="requests go on")

    with (
        serve(settings) as (old, _),
        alongside(lambda stop: reads(old.base, stop)),
        alongside(lambda stop: writes(old.base, stop)),
    ):
        served(5)
        migrate(database, *EXPAND, revision="20991231_01")
        served(5)
        # A process that starts now is of the new release, or of the old one: both begin.
        with serve(settings) as (new, _):
            eventually(lambda: new.get("/health/startup").status_code == 200, what="started")
            assert new.get(f"/discovery/programs/{ids[0]}").status_code == 200
        for _ in range(8):
            migrate(database, *BACKFILL, revision="20991231_02")
        served(5)
        # Processes of the old release write rows without the column: it is dropped, not tightened, beside them.
        migrate(database, *CONTRACT, revision="20991231_03")
        served(5)
    assert wrong == []
    assert readiness.newest() < "20991231_01"


def test_tightening_beside_processes_that_do_not_know_the_column_is_what_fails(
    settings: Settings, database: Database
) -> None:
    token = add_account(settings, database, "admin", ["admin"])
    draft = {"title": "Draft", "language": "en", "mediaType": "audio", "kind": "episode"}
    with serve(settings) as (old, _):
        editor = signed_in(old, token)
        migrate(database, *EXPAND, *TIGHTEN, revision="20991231_01")
        assert editor.post("/catalog/programs", draft).status_code >= 400
