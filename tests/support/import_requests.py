"""Imports over HTTP: uploaded, carried out in this process, looked at."""

import json
from typing import Any

from sqlalchemy import Engine as Database

from indexer.importing.running.runner import Runner
from indexer.importing.settings import ImportSettings
from tests.support.client import Client

CSV = "externalId,title,language,mediaType,category\n" + "".join(
    f"{n},Episode {n},en,audio,{'' if n % 10 else 'Missing'}\n" for n in range(1, 41)
)


def upload(person: Client, body: str | bytes, /, **params: Any) -> dict[str, Any]:
    query = {"sourceType": "csv"} | params
    answer = person.ask(
        "POST",
        "/catalog/imports/upload",
        data=body if isinstance(body, bytes) else body.encode(),
        params=query,
    )
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()["data"]
    assert answer.headers["location"] == f"/catalog/imports/{found['id']}"
    return found


def carry_out(database: Database, run_id: int, **settings: Any) -> None:
    Runner(database, ImportSettings(**settings)).run(run_id)


def look(person: Client, run_id: int) -> dict[str, Any]:
    found: dict[str, Any] = person.get(f"/catalog/imports/{run_id}").json()["data"]
    return found


def events(person: Client, run_id: int, seconds: int = 5) -> list[tuple[str, dict[str, Any]]]:
    answer = person.get(f"/catalog/imports/{run_id}/events", seconds=seconds)
    assert answer.headers["content-type"].startswith("text/event-stream")
    found, name = [], ""
    for line in answer.text.splitlines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((name, json.loads(line.removeprefix("data: "))))
    return found
