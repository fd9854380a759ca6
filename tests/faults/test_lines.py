"""The lines between the parts: late, cut, reset, mangled, silent, dead. Editors go on; then the audit."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from indexer.engines import document
from indexer.engines.admin import Engine
from tests.support.databases import scalar
from tests.support.editors import editors, sending, settled
from tests.support.pipeline import Pipeline, bulk, change, publish
from tests.support.proxy import FAULTS, Proxy
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

# How often a fault has to be met before the line is mended.
TOUCHES = 4


@pytest.mark.parametrize("fault", FAULTS)
def test_the_line_to_the_engine(fault: str, pipeline: Pipeline) -> None:
    ids = bulk(pipeline, 60)
    pipeline.sender().drain()
    indexer = pipeline.settings.indexer
    with Proxy(indexer.meili_url) as engine:
        through = indexer.model_copy(update={"meili_url": engine.url})
        with sending(replace(pipeline.settings, indexer=through)):
            with editors(pipeline, ids), engine.hurting(fault):
                times = 1 if fault == "refuse" else TOUCHES
                eventually(lambda: engine.touched[fault] >= times, within=60, what=fault)
                publish(pipeline, 1)
            settled(pipeline)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "corrupt"])
def test_the_line_to_the_record(fault: str, pipeline: Pipeline) -> None:
    """The sender's line to PostgreSQL, its advisory lock included; what editors use is whole."""
    ids = bulk(pipeline, 60)
    pipeline.sender().drain()
    catalog = pipeline.settings.catalog
    with Proxy(catalog.database_url) as record:
        through = catalog.model_copy(update={"database_url": record.through(catalog.database_url)})
        with sending(replace(pipeline.settings, catalog=through)):
            eventually(lambda: pipeline.waiting() == 0)
            with editors(pipeline, ids), record.hurting(fault):
                eventually(lambda: record.touched[fault] >= 1, within=60, what=fault)
                publish(pipeline, 1)
            settled(pipeline)


def answer(status: str, body: str) -> Callable[[bytes], bytes]:
    """Every answer becomes this one, whatever the engine had done and said."""
    whole = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    return lambda data: whole.encode()


def error(code: str, kind: str) -> str:
    return json.dumps({"message": "no", "code": code, "type": kind, "link": "x"})


@pytest.mark.parametrize(
    "said",
    [
        answer("500 Internal Server Error", "<html>oops</html>"),
        answer("503 Service Unavailable", ""),
        answer("429 Too Many Requests", error("too_many_search_requests", "system")),
        answer("422 Unprocessable Entity", error("no_space_left_on_device", "system")),
        answer("408 Request Timeout", "late"),
        answer("403 Forbidden", error("invalid_api_key", "auth")),
        answer("404 Not Found", "<html>a proxy's</html>"),
        answer("200 OK", "[]"),
        answer("202 Accepted", '{"taskUid": 0}'),
        answer("200 OK", '{"uid": 0, "status": "succeeded"}'),
    ],
    ids=[
        "500",
        "503",
        "429",
        "full disk",
        "408",
        "bad key",
        "a stranger",
        "a list",
        "half a ticket",
        "half a task",
    ],
)
def test_what_the_engine_says_in_its_distress_parks_and_settles_nothing(
    said: Callable[[bytes], bytes], pipeline: Pipeline
) -> None:
    ids = bulk(pipeline, 5)
    indexer = pipeline.settings.indexer
    with (
        Proxy(indexer.meili_url) as engine,
        sending(replace(pipeline.settings, indexer=indexer.model_copy(update={"meili_url": engine.url}))),
    ):
        eventually(lambda: pipeline.waiting() == 0)
        with engine.hurting("corrupt", mangle=said):
            change(pipeline, "UPDATE programs SET title = 'New' WHERE id = :id", id=ids[0])
            eventually(lambda: engine.touched["corrupt"] >= 2, within=60)
            assert scalar(pipeline.database, "SELECT count(*) FROM index_dirty WHERE parked") == 0
            assert pipeline.waiting() == 1
        settled(pipeline)


def once(pattern: bytes, made: Callable[["re.Match[bytes]"], bytes]) -> Callable[[bytes], bytes]:
    """The first answer that matches is changed, no other."""
    done: list[bytes] = []

    def mangle(data: bytes) -> bytes:
        found = re.search(pattern, data)
        if found is None or done:
            return data
        done.append(data)
        return data[: found.start()] + made(found) + data[found.end() :]

    return mangle


def test_the_number_of_another_task_is_no_acknowledgement(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine refuses what was sent; a damaged answer names a task that succeeded."""
    real = document.build

    def build(row: Any) -> document.Document:
        return msgspec.structs.replace(real(row), id="not an id!") if row["title"] == "Bad" else real(row)

    monkeypatch.setattr(document, "build", build)
    ids = publish(pipeline, 3)
    indexer = pipeline.settings.indexer
    with Proxy(indexer.meili_url) as engine:
        pipeline.engine = Engine(indexer, engine.url)
        sender = pipeline.sender()
        sender.drain()
        done = pipeline.engine.send(indexer.meili_index, [])
        pipeline.engine.finished(done)
        other = once(rb'"taskUid":(\d+)', lambda m: b'"taskUid":' + str(done.uid).encode().rjust(len(m[1])))
        change(pipeline, "UPDATE programs SET title = 'Bad' WHERE id = :id", id=ids[1])
        with engine.hurting("corrupt", mangle=other):
            sender.drain()
            assert engine.touched["corrupt"] == 1
        waits = "SELECT error FROM index_dirty WHERE parked AND program_id = :id"
        with pipeline.database.connect() as connection:
            assert "invalid_document_id" in connection.scalars(text(waits), {"id": ids[1]}).one()
        change(pipeline, "UPDATE programs SET title = 'Good' WHERE id = :id", id=ids[1])
        sender.drain()
        pipeline.audit()


def test_one_damaged_refusal_parks_nothing(pipeline: Pipeline) -> None:
    """A task that succeeded reads as one that failed because of the document."""
    indexer = pipeline.settings.indexer
    with Proxy(indexer.meili_url) as engine:
        pipeline.engine = Engine(indexer, engine.url)
        sender = pipeline.sender()
        sender.drain()
        publish(pipeline, 1)
        with engine.hurting("corrupt", mangle=once(rb"(?s)\A.*\"status\":\"succeeded\".*\Z", _as_failed)):
            sender.drain()
            assert engine.touched["corrupt"] == 1
        pipeline.audit()


def _as_failed(found: "re.Match[bytes]") -> bytes:
    task = json.loads(found[0].partition(b"\r\n\r\n")[2])
    blamed = json.loads(error("invalid_document_id", "invalid_request"))
    body = json.dumps(task | {"status": "failed", "error": blamed})
    return answer("200 OK", body)(b"")
