"""Schemas of the OpenAPI document: exact ones of structs, named lists of words, and an example of each."""

import re
from collections.abc import Sequence
from inspect import cleandoc
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response

# A part of the document: its keys depend on the part.
Json = dict[str, Any]
REF = "#/components/schemas/{name}"
_SECTIONS = re.compile(r"\n\n(?:Args|Attributes|Raises|Returns|Yields):\n.*", re.DOTALL)


def exact_schemas(handlers: Sequence[HTTPRouteHandler], others: Sequence[type]) -> Json:
    """Return the schemas, by name, of every struct that a route takes as a body or answers with.

    Args:
        handlers: The routes.
        others: Structs that no route names.
    """
    types: dict[object, None] = dict.fromkeys(others)
    for handler in handlers:
        body = handler.parsed_fn_signature.parameters.get("data")
        if body is not None:
            types |= dict.fromkeys([body.annotation, *(inner.annotation for inner in body.inner_types)])
        answer = handler.parsed_fn_signature.return_type
        if answer.is_subclass_of(Response):
            types |= dict.fromkeys(inner.annotation for inner in answer.inner_types)
        types |= dict.fromkeys(spec.data_container for spec in (handler.responses or {}).values())
    structs = [t for t in types if isinstance(t, type) and issubclass(t, msgspec.Struct)]
    _, schemas = msgspec.json.schema_components(structs, ref_template=REF, schema_hook=_any_value)
    for schema in schemas.values():
        if "description" in schema:
            schema["description"] = without_sections(schema["description"])
    named: Json = {}
    schemas = {name: _with_named_words(schema, named) for name, schema in schemas.items()}
    return schemas | named


def _with_named_words(schema: Any, named: Json) -> Any:
    """Return a schema that refers to each list of words that has a title; the lists are added to `named`.

    Generated clients then have one type for the kind of a program, wherever it stands.
    """
    if isinstance(schema, list):
        return [_with_named_words(inner, named) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    if "enum" in schema and "title" in schema:
        words = {"type": "string", "title": schema["title"], "enum": schema["enum"]}
        named[schema["title"]] = words
        others = {k: v for k, v in schema.items() if k not in (*words, "examples")}
        return {"$ref": REF.format(name=schema["title"])} | others
    return {key: _with_named_words(inner, named) for key, inner in schema.items()}


def _any_value(of_type: type) -> Json:
    if of_type is object:
        return {"description": "Any JSON value."}
    # msgspec's protocol for a type that a hook does not know.
    raise NotImplementedError(of_type)


def without_sections(docstring: str) -> str:
    """Return a docstring without its `Args:`, `Raises:` and the like, which describe code."""
    return _SECTIONS.sub("", cleandoc(docstring))


def example(schema: Json, schemas: Json) -> Any:
    """Return an example of a schema: the declared example or default, else a value of the right type.

    Args:
        schema: A JSON schema.
        schemas: The schemas that `$ref` may name.
    """
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("default") is not None:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example(next(s for s in schema["anyOf"] if s.get("type") != "null"), schemas)
    match schema.get("type"):
        case "object":
            return {name: example(inner, schemas) for name, inner in schema.get("properties", {}).items()}
        case "array":
            return [example(schema["items"], schemas)] if schema.get("items") else []
        case "string":
            return "2026-01-31T18:00:00Z" if schema.get("format") == "date-time" else "text"
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return False
    return None
