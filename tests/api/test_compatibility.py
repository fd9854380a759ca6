"""The comparer of OpenAPI documents: what breaks a client is found, and what does not is let through."""

from copy import deepcopy
from typing import Any

import pytest

from tests.support.compatibility import breaking, compact

Json = dict[str, Any]


def document() -> Json:
    """Return a small document with what the product's documents have."""
    card = {
        "type": "object",
        "required": ["id", "title"],
        "properties": {
            "id": {"type": "integer"},
            "title": {"type": "string"},
            "kind": {"type": "string", "enum": ["film", "episode"]},
            "series": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/Series"}]},
            "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Card"}},
        },
    }
    series = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}},
    }
    body = {
        "type": "object",
        "required": ["ids"],
        "additionalProperties": False,
        "properties": {
            "ids": {"type": "array", "maxItems": 100, "items": {"type": "integer"}},
            "note": {"type": "string"},
        },
    }
    answer = {
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Card"}}},
        "headers": {"ETag": {}},
    }
    sort = {
        "name": "sort",
        "in": "query",
        "required": False,
        "schema": {"type": "string", "enum": ["newest", "oldest"]},
    }
    limit = {
        "name": "limit",
        "in": "query",
        "required": False,
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    }
    return {
        "paths": {
            "/a": {
                "get": {
                    "operationId": "getA",
                    "parameters": [sort, limit],
                    "responses": {"200": answer, "404": {}},
                }
            },
            "/b": {
                "post": {
                    "operationId": "postB",
                    "parameters": [],
                    "requestBody": {"required": False, "content": {"application/json": {"schema": body}}},
                    "responses": {"204": {}},
                }
            },
        },
        "components": {"schemas": {"Card": card, "Series": series}},
    }


GET = ("paths", "/a", "get")
POST = ("paths", "/b", "post")
CARD = ("components", "schemas", "Card")
SERIES = ("components", "schemas", "Series")
BODY = (*POST, "requestBody", "content", "application/json", "schema")
ABSENT = object()


def changed(*path: str | int, value: Any = ABSENT) -> Json:
    """Return the document with another value at a place, or without it."""
    found = document()
    at: Any = found
    for step in path[:-1]:
        at = at[step]
    if value is ABSENT:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return found


BREAKING = [
    (changed("paths", "/a"), "GET /a: was removed"),
    (changed(*POST), "POST /b: was removed"),
    (changed(*GET, "operationId", value="readA"), "GET /a: operationId was getA, and is readA"),
    (changed(*GET, "security", value=[{"bearer": []}]), "GET /a: needs a credential now"),
    (changed(*GET, "parameters", 0), "GET /a: the parameter sort was removed"),
    (changed(*GET, "parameters", 0, "required", value=True), "GET /a: the parameter sort is required now"),
    (changed(*GET, "parameters", 0, "schema", "enum", value=["newest"]), "GET /a ?sort: oldest is refused"),
    (
        changed(*GET, "parameters", 1, "schema", "maximum", value=50),
        "GET /a ?limit: maximum was 100, and is 50",
    ),
    (changed(*GET, "parameters", 1, "schema", "minimum", value=2), "GET /a ?limit: minimum was 1, and is 2"),
    (
        changed(*GET, "parameters", 1, "schema", "type", value="string"),
        "GET /a ?limit: integer became string",
    ),
    (
        changed(*GET, "parameters", 0, "schema", "pattern", value="^n"),
        "GET /a ?sort: the pattern was None, and is ^n",
    ),
    (
        changed(*GET, "parameters", 1, "schema", "default", value=10),
        "GET /a: the parameter limit: default was 20, and is 10",
    ),
    (
        changed(*GET, "parameters", 1, "schema", "default"),
        "GET /a: the parameter limit: default was 20, and is None",
    ),
    (
        changed(*GET, "parameters", 0, "style", value="spaceDelimited"),
        "GET /a: the parameter sort: style was form, and is spaceDelimited",
    ),
    (
        changed(*GET, "parameters", 0, "explode", value=False),
        "GET /a: the parameter sort: explode was True, and is False",
    ),
    (changed(*GET, "responses", "200"), "GET /a: the answer 200 was removed"),
    (
        changed(*GET, "responses", "200", "headers", "ETag"),
        "GET /a: the header ETag of the answer 200 was removed",
    ),
    (
        changed(*GET, "responses", "200", "content", "application/json"),
        "GET /a 200: application/json was removed",
    ),
    (changed(*CARD, "properties", "title"), "GET /a 200.title: was removed"),
    (changed(*CARD, "required", value=["id"]), "GET /a 200.title: may be missing now"),
    (changed(*CARD, "properties", "id", "type", value="string"), "GET /a 200.id: integer became string"),
    (changed(*CARD, "properties", "id", "type", value="number"), "GET /a 200.id: integer became number"),
    (changed(*CARD, "properties", "id", "type", value=["integer", "null"]), "GET /a 200.id: null is new"),
    (changed(*CARD, "properties", "id"), "GET /a 200.id: was removed"),
    (changed(*SERIES, "properties", "id"), "GET /a 200.series: object is new"),
    (
        changed(*CARD, "properties", "parts", "items", value={"type": "string"}),
        "GET /a 200.parts[]: object became string",
    ),
    (changed(*POST, "requestBody"), "POST /b: takes no body any more"),
    (changed(*POST, "requestBody", "required", value=True), "POST /b: the body is required now"),
    (changed(*BODY, "required", value=["ids", "note"]), "POST /b body.note: is required now"),
    (changed(*BODY, "properties", "note"), "POST /b body.note: was removed"),
    (
        changed(*BODY, "properties", "ids", "maxItems", value=10),
        "POST /b body.ids: maxItems was 100, and is 10",
    ),
]


@pytest.mark.parametrize(("new", "said"), BREAKING, ids=[said for _, said in BREAKING])
def test_what_breaks_clients_is_named(new: Json, said: str) -> None:
    assert said in breaking(document(), new)
    # Of a compact document as well.
    assert said in breaking(compact(document(), "/"), compact(new, "/"))


_NEW = {"name": "tz", "in": "query", "required": False, "schema": {"type": "string"}}
HARMLESS = [
    changed(
        "paths", "/c", value={"get": {"operationId": "getC", "parameters": [], "responses": {"200": {}}}}
    ),
    changed(*GET, "parameters", value=[*document()["paths"]["/a"]["get"]["parameters"], _NEW]),
    changed(*GET, "parameters", 0, "schema", "enum", value=["newest", "oldest", "longest"]),
    changed(*GET, "parameters", 1, "schema", "maximum", value=200),
    changed(*GET, "parameters", 1, "schema", "type", value="number"),
    # It is read as before.
    changed(*GET, "parameters", 0, "style", value="form"),
    changed(*GET, "parameters", 0, "explode", value=True),
    changed(*GET, "responses", "404"),
    changed(*GET, "responses", "503", value={}),
    changed(*GET, "summary", value="Another text"),
    changed(*CARD, "properties", "more", value={"type": "string"}),
    changed(*CARD, "required", value=["id", "title", "kind"]),
    changed(*CARD, "properties", "kind", "enum", value=["film", "episode", "short"]),
    changed(*CARD, "properties", "series", value={"$ref": "#/components/schemas/Series"}),
    changed(*BODY, "properties", "more", value={"type": "string"}),
    changed(*BODY, "required", value=[]),
    changed(*BODY, "properties", "note", "type", value=["string", "null"]),
    changed(*BODY, "additionalProperties", value=True),
]


@pytest.mark.parametrize("new", HARMLESS, ids=range(len(HARMLESS)))
def test_what_only_adds_is_let_through(new: Json) -> None:
    assert breaking(document(), new) == []
    assert breaking(compact(document(), "/"), compact(new, "/")) == []


def test_a_new_parameter_or_body_that_is_required_breaks() -> None:
    needed = _NEW | {"required": True}
    new = changed(*GET, "parameters", value=[*document()["paths"]["/a"]["get"]["parameters"], needed])
    assert breaking(document(), new) == ["GET /a: the new parameter tz is required"]
    body = {"required": True, "content": {}}
    new = changed(*GET, "requestBody", value=body)
    assert breaking(document(), new) == ["GET /a: needs a body now"]


def test_a_compact_document_has_what_its_paths_name() -> None:
    whole = deepcopy(document())
    whole["paths"]["/a"]["get"]["description"] = "long"
    whole["components"]["schemas"]["Unused"] = {"type": "string"}
    found = compact(whole, "/a")
    assert list(found["paths"]) == ["/a"]
    assert list(found["components"]["schemas"]) == ["Card", "Series"]
    assert "description" not in found["paths"]["/a"]["get"]
    assert "404" not in found["paths"]["/a"]["get"]["responses"]
