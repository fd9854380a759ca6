"""The OpenAPI document is complete, its examples are true, and the pages need no internet."""

import re
from typing import Any

import jsonschema
import pytest

from api.app import create_app
from api.errors import CODES
from api.openapi import OPERATIONS
from api.settings import Settings
from tests.support.product import Client

Document = dict[str, Any]


@pytest.fixture
def document(settings: Settings) -> Document:
    found: Document = create_app(settings).state.openapi()
    return found


def operations(document: Document) -> dict[tuple[str, str], Document]:
    return {(m, p): o for p, item in document["paths"].items() for m, o in item.items()}


def test_the_table_and_the_routes_are_the_same_operations(document: Document) -> None:
    assert set(operations(document)) == set(OPERATIONS)


def test_every_example_is_valid_for_its_schema(document: Document) -> None:
    checked = 0
    for (method, path), operation in operations(document).items():
        contents = [
            c for r in operation["responses"].values() for c in r.get("content", {}).items()
        ]
        contents += list(operation.get("requestBody", {}).get("content", {}).items())
        for media, content in contents:
            if media == "text/plain":
                continue
            assert "example" in content, (method, path, media)
            schema = content["schema"] | {"components": document["components"]}
            validator = jsonschema.Draft202012Validator(schema)
            assert list(validator.iter_errors(content["example"])) == [], (method, path, media)
            checked += 1
        for parameter in operation["parameters"]:
            if "example" in parameter:
                jsonschema.Draft202012Validator(parameter["schema"]).validate(parameter["example"])
                checked += 1
    assert checked > 200


def test_every_operation_says_what_it_is_and_how_it_refuses(document: Document) -> None:
    for (method, path), operation in operations(document).items():
        where = (method, path)
        assert operation["summary"], where
        assert operation["tags"], where
        for name in re.findall(r"{(\w+)", path):
            assert name in [p["name"] for p in operation["parameters"]], where
        secured = path.startswith(("/catalog", "/ops")) or (
            path.startswith("/accounts")
            and path.rpartition("/")[2] not in ("login", "refresh", "logout")
        )
        assert bool(operation.get("security")) == secured, where
        assert ("401" in operation["responses"]) == (
            secured or path in ("/accounts/login", "/accounts/refresh")
        ), where
        if secured:
            assert "403" in operation["responses"], where


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
    assert listener.get("/").headers["location"] == "/docs"
