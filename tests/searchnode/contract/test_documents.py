"""Reading documents by fields, as a real Meilisearch 1.50 answers it. No recording asks this."""

import os
import uuid

import requests

from indexer.engines.admin import Engine
from indexer.settings import IndexerSettings


def test_a_star_among_fields_is_everything_in_an_address_and_nothing_in_a_body() -> None:
    url, key, uid = os.environ["TEST_ENGINE"], os.environ["TEST_ENGINE_KEY"], uuid.uuid4().hex
    engine = Engine(IndexerSettings(meili_url=url, meili_key=key))
    document = {"id": 1, "a": {"b": 2}}
    engine.finished(engine.send(uid, [document]))
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        address = f"{url}/indexes/{uid}/documents"
        for fields, found in (
            (None, document),
            (["*"], {}),
            (["*", "id"], {"id": 1}),
            ([], {}),
            (["a"], {"a": {"b": 2}}),
        ):
            answer = session.post(f"{address}/fetch", json={"fields": fields}, timeout=30).json()
            assert answer["results"] == [found], fields
        for path in ("?fields=*", "/1?fields=*"):
            answer = session.get(address + path, timeout=30).json()
            assert answer.get("results", [answer]) == [document], path
    engine.drop_index(uid)
