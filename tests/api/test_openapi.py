"""The OpenAPI document is complete, its examples are true, and the pages need no internet."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from litestar.routes import HTTPRoute

from api.app import create_app, routers
from api.http.errors import CODES
from api.openapi import document as document_of
from api.settings import ApiSettings, Settings
from catalog.core.settings import CatalogSettings
from indexer.settings import IndexerSettings
from tests.support.client import Client

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Document:
    return document_of(routers(Settings(CatalogSettings(), IndexerSettings(), ApiSettings())))


def operations(document: Document) -> dict[tuple[str, str], Document]:
    return {(m, p): o for p, item in document["paths"].items() for m, o in item.items()}


@pytest.mark.slow
def test_every_route_is_documented(settings: Settings, document: Document) -> None:
    app = create_app(settings)
    routes = {
        (method.lower(), route.path_format)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        if handler.resolve_include_in_schema()
    }
    assert set(operations(document)) == routes


def test_every_query_parameter_is_documented_and_no_other(
    listener: Client, staff: dict[str, Client], document: Document
) -> None:
    """A parameter that a route does not know is refused with the names of those it knows."""
    checked = 0
    for (method, path), operation in operations(document).items():
        names = {p["name"] for p in operation["parameters"] if p["in"] == "query"}
        if not names:
            continue
        client = staff["admin"] if operation.get("security") else listener
        answer = client.ask(method.upper(), re.sub(r"{\w+}", "1", path), params={"nonsense": "1"}, json={})
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (400, "unknown_parameter"), (method, path)
        known = problem["detail"].partition("known are: ")[2].rstrip(".").split(", ")
        assert set(known) == names, (method, path)
        checked += 1
    assert checked > 20


def test_every_route_with_an_id_says_that_there_may_be_nothing(document: Document) -> None:
    lacking = [
        key
        for key, operation in operations(document).items()
        if "{" in key[1] and "404" not in operation["responses"]
    ]
    assert lacking == []


def test_a_stream_is_described_event_by_event(document: Document) -> None:
    answer = document["paths"]["/catalog/imports/{run_id}/events"]["get"]["responses"]["200"]
    event = answer["content"]["text/event-stream"]["schema"]
    assert event["properties"]["event"]["enum"] == ["progress", "end"]
    carried = event["properties"]["data"]["contentSchema"]["$ref"].rpartition("/")[2]
    assert "status" in document["components"]["schemas"][carried]["properties"]


def test_a_refusal_is_documented_with_the_code_that_the_route_gives(document: Document) -> None:
    queues = document["paths"]["/ops/queues"]["get"]["responses"]["503"]
    assert "`queue_unavailable`" in queues["description"]
    assert "search_unavailable" not in queues["description"]
    search = document["paths"]["/discovery/search"]["get"]["responses"]["503"]
    assert "search_unavailable" in search["content"]["application/problem+json"]["examples"]


def test_descriptions_say_nothing_of_the_code(document: Document) -> None:
    described = [o.get("description", "") for o in operations(document).values()]
    described += [s.get("description", "") for s in document["components"]["schemas"].values()]
    for text in described:
        assert not re.search(r"^\s*(Args|Attributes|Raises|Returns):", text, re.MULTILINE), text


def examples(content: Document, document: Document) -> list[Any]:
    """The example of a body or an answer, or those that it names among the document's."""
    if "example" in content:
        return [content["example"]]
    names = [named["$ref"].removeprefix("#/components/examples/") for named in content["examples"].values()]
    return [document["components"]["examples"][name]["value"] for name in names]


def test_the_example_of_a_refusal_is_of_its_status(document: Document) -> None:
    for operation in operations(document).values():
        for status, answer in operation["responses"].items():
            for content in answer.get("content", {}).values():
                for example in examples(content, document) if "examples" in content else []:
                    assert example["status"] == int(status)


def test_every_example_is_valid_for_its_schema(document: Document) -> None:
    checked = 0
    for (method, path), operation in operations(document).items():
        contents = [c for r in operation["responses"].values() for c in r.get("content", {}).items()]
        contents += list(operation.get("requestBody", {}).get("content", {}).items())
        for media, content in contents:
            if media == "text/plain":
                continue
            schema = content["schema"] | {"components": document["components"]}
            validator = jsonschema.Draft202012Validator(schema)
            shown = examples(content, document)
            assert shown, (method, path, media)
            for example in shown:
                assert list(validator.iter_errors(example)) == [], (method, path, media)
            checked += 1
        for parameter in operation["parameters"]:
            if "example" in parameter:
                jsonschema.Draft202012Validator(parameter["schema"]).validate(parameter["example"])
                checked += 1
    assert checked > 200


OPEN_ACCOUNT_PATHS = {f"/accounts/{name}" for name in ("login", "refresh", "logout", "password-reset")}


def test_every_operation_says_what_it_is_and_how_it_refuses(document: Document) -> None:
    for (method, path), operation in operations(document).items():
        where = (method, path)
        assert operation["summary"], where
        assert operation["tags"], where
        for name in re.findall(r"{(\w+)", path):
            assert name in [p["name"] for p in operation["parameters"]], where
        secured = path.startswith(("/catalog", "/ops")) or (
            path.startswith("/accounts") and path not in OPEN_ACCOUNT_PATHS
        )
        assert bool(operation.get("security")) == secured, where
        assert ("401" in operation["responses"]) == (
            secured or path in OPEN_ACCOUNT_PATHS - {"/accounts/logout"}
        ), where
        if secured:
            assert "403" in operation["responses"], where


def test_words_that_may_be_missing_are_null_beside_their_list() -> None:
    # A list of words has one schema, in which null is no word.
    found = {
        path: re.findall(r"Annotated\[[^\]]*None, one_of\(", path.read_text())
        for path in (Path(__file__).parents[2] / "api").rglob("*.py")
    }
    assert {path for path, within in found.items() if within} == set()


def test_operation_ids_are_unique(document: Document) -> None:
    ids = [o["operationId"] for o in operations(document).values()]
    assert len(ids) == len(set(ids))


def test_the_docs_load_nothing_from_elsewhere(listener: Client) -> None:
    page = listener.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    local = [source for source in sources if not source.startswith("data:")]
    assert len(local) == 2
    for source in local:
        assert source.startswith("/docs/")
        asset = listener.get(source)
        assert asset.status_code == 200
        assert len(asset.content) > 10_000
    assert listener.get("/openapi.json").json()["openapi"].startswith("3.1")
    errors = listener.get("/docs/errors").text
    assert all(f'id="{code}"' in errors for code in CODES)
    assert listener.get("/docs/other").status_code == 404
