"""The OpenAPI document, built from the declarations of the routes: paths, parameters, bodies, answers, errors.

The framework reads the signatures of the routes. This module adds exact schemas (msgspec knows more about its types
than the framework), an example of every body, parameter and answer, and the errors. Some errors are derived: of a
route that needs a role, of a route with a body. Keys in the `opt` of a route say the rest: `errors` are the codes of
its own errors, `example` is an answer that is not JSON, `body` is a body that is a file, `parameters` describes a
query string that the route reads by itself, `probe` marks a route that has no common errors. `api.app` serves the
document, `thmanyah openapi` prints it.
"""

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from inspect import cleandoc
from typing import Any, cast

import msgspec
from litestar import Litestar, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.response import Response
from litestar.routes import HTTPRoute

from api.http.errors import CODES
from api.http.parameters import HEADER_ERRORS
from api.http.request import ApiRequest
from api.http.schemas import Model
from catalog.core.fields import camel

# A part of the document: its keys depend on the part.
Json = dict[str, Any]
_REF = "#/components/schemas/{name}"
_SECTIONS = re.compile(r"\n\n(?:Args|Attributes|Raises|Returns|Yields):\n.*", re.DOTALL)
_SIGNED_IN_ERRORS = ("unauthenticated", "invalid_token", "token_expired", "forbidden")
_BODY_ERRORS = ("malformed_body", "request_timeout", "body_too_large", "validation_failed")
_COMMON_ERRORS = ("unknown_parameter", "target_too_long", "rate_limited", "database_unavailable")


class FieldProblem(Model):
    """One wrong field."""

    field: str
    code: str
    message: str


class Problem(Model):
    """RFC 9457: every refusal. `code` is stable; /docs/errors explains it."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str
    request_id: str
    doc: str
    errors: list[FieldProblem] = []


def _config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Thmanyah Discovery",
        version=version("thmanyah-discovery"),
        description=(
            "Search and browse a catalogue of podcasts, films and documentaries in Arabic and English, "
            "and edit it. Errors are application/problem+json with a stable code."
        ),
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
                "apiKey": SecurityScheme(type="apiKey", name="X-Api-Key", security_scheme_in="header"),
            }
        ),
        operation_id_creator=_operation_id,
    )


def _operation_id(handler: HTTPRouteHandler, method: object, path: object) -> str:
    """Return the name of an operation in generated clients: that of the route's function."""
    return handler.fn.__name__


def document(routers: Sequence[Router]) -> Json:
    """Return the OpenAPI document of the routes, as JSON values."""
    app = Litestar(route_handlers=routers, request_class=ApiRequest, openapi_config=_config())
    found: Json = app.openapi_schema.to_schema()
    handlers = list(_handlers(app))
    schemas = _exact_schemas([handler for _, _, handler in handlers])
    found["components"] |= {"schemas": schemas, "examples": _problems(schemas)}
    for path, method, handler in handlers:
        _complete(found["paths"][path][method], handler, schemas)
    return found


def encoded(routers: Sequence[Router]) -> bytes:
    """Return the OpenAPI document of the routes, as JSON."""
    return msgspec.json.encode(document(routers))


def _handlers(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Yield (path, method, handler) of every documented operation."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                if handler.resolve_include_in_schema():
                    yield route.path_format, method.lower(), handler


def _exact_schemas(handlers: Sequence[HTTPRouteHandler]) -> Json:
    """Return the schemas, by name, of every struct that a route takes as a body or answers with."""
    types: dict[object, None] = {Problem: None}
    for handler in handlers:
        body = handler.parsed_fn_signature.parameters.get("data")
        if body is not None:
            types |= dict.fromkeys([body.annotation, *(inner.annotation for inner in body.inner_types)])
        answer = handler.parsed_fn_signature.return_type
        if answer.is_subclass_of(Response):
            types |= dict.fromkeys(inner.annotation for inner in answer.inner_types)
        types |= dict.fromkeys(spec.data_container for spec in (handler.responses or {}).values())
    structs = [t for t in types if isinstance(t, type) and issubclass(t, msgspec.Struct)]
    _, schemas = msgspec.json.schema_components(structs, ref_template=_REF, schema_hook=_any_value)
    for schema in schemas.values():
        if "description" in schema:
            schema["description"] = _without_sections(schema["description"])
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
        return {"$ref": _REF.format(name=schema["title"])} | others
    return {key: _with_named_words(inner, named) for key, inner in schema.items()}


def _any_value(of_type: type) -> Json:
    if of_type is object:
        return {"description": "Any JSON value."}
    # msgspec's protocol for a type that a hook does not know.
    raise NotImplementedError(of_type)


def _without_sections(docstring: str) -> str:
    """Return a docstring without its `Args:`, `Raises:` and the like, which describe code."""
    return _SECTIONS.sub("", cleandoc(docstring))


def _complete(operation: Json, handler: HTTPRouteHandler, schemas: Json) -> None:
    """Add to an operation the examples, schemas and errors that the framework does not know."""
    operation["operationId"] = camel(operation["operationId"])
    if handler.opt.get("people_only"):
        operation["security"] = [{"bearer": []}]
    parameters = [_parameter(parameter) for parameter in operation.get("parameters", [])]
    operation["parameters"] = parameters + list(handler.opt.get("parameters", ()))
    if "description" in operation:
        operation["description"] = _without_sections(operation["description"])
    if "body" in handler.opt:
        media_type, shown = handler.opt["body"]
        content = {media_type: {"schema": {"type": "string", "format": "binary"}, "example": shown}}
        operation["requestBody"] = {"required": True, "content": content}
    elif "requestBody" in operation:
        for media in operation["requestBody"]["content"].values():
            if "oneOf" in media["schema"]:
                # A body that may be left out; there is no body `null`.
                media["schema"] = next(s for s in media["schema"]["oneOf"] if s.get("type") != "null")
                operation["requestBody"]["required"] = False
            media["example"] = example(media["schema"], schemas)
    declared = {handler.status_code, *(handler.responses or {})}
    responses = {
        status: _answer(answer, handler, operation["summary"], schemas)
        for status, answer in operation["responses"].items()
        if int(status) in declared
    }
    operation["responses"] = responses | _refusals(_error_codes(operation, handler))


def _parameter(declared: Json) -> Json:
    """Return a parameter without the type null, and with one example."""
    schema = {k: v for k, v in declared["schema"].items() if k not in ("description", "examples")}
    if "oneOf" in schema:
        schema = next(s for s in schema.pop("oneOf") if s["type"] != "null") | schema
    for limit in ("minimum", "maximum"):
        if limit in schema:
            schema[limit] = int(schema[limit])
    found = {"name": declared["name"], "in": declared["in"], "required": declared["required"]}
    if declared.get("description"):
        found["description"] = declared["description"]
    found["schema"] = schema
    if declared.get("examples"):
        found["example"] = next(iter(declared["examples"].values()))["value"]
    elif declared["in"] == "path":
        found["example"] = "1" if schema["type"] == "string" else 1
    return found


def _answer(answer: Json, handler: HTTPRouteHandler, summary: str, schemas: Json) -> Json:
    described = answer["description"] if answer["description"] in _descriptions(handler) else summary
    found: Json = {"description": described}
    for media_type, content in answer.get("content", {}).items():
        if media_type == "application/json":
            shown = {"schema": content["schema"], "example": example(content["schema"], schemas)}
        else:
            shown = {"schema": _event(handler) if "events" in handler.opt else {"type": "string"}}
            if "example" in handler.opt:
                shown["example"] = handler.opt["example"]
        found.setdefault("content", {})[media_type] = shown
    return found


def _event(handler: HTTPRouteHandler) -> Json:
    """Return the schema of each event of a stream: before OpenAPI 3.2, that is the schema of its media type.

    `opt["events"]` has the events' names and the type of what they carry.
    """
    names, data = handler.opt["events"]
    content = {"$ref": _REF.format(name=data.__name__)}
    return {
        "type": "object",
        "required": ["event", "data"],
        "properties": {
            "event": {"type": "string", "enum": list(names)},
            "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": content},
            "retry": {"type": "integer", "description": "Milliseconds before a client connects again."},
        },
    }


def _descriptions(handler: HTTPRouteHandler) -> set[str]:
    return {spec.description for spec in (handler.responses or {}).values()}


def _error_codes(operation: Json, handler: HTTPRouteHandler) -> list[str]:
    """Return the error codes of a route, its own codes first."""
    codes = list(cast("Sequence[str]", handler.opt.get("errors", ())))
    if handler.opt.get("probe"):
        return codes
    places = {parameter["in"] for parameter in operation["parameters"]}
    if places & {"path", "query"}:
        codes.append("invalid_parameter")
    if "path" in places:
        # An id of another form is the address of nothing.
        codes.append("not_found")
    for parameter in operation["parameters"]:
        codes += HEADER_ERRORS.get(parameter["name"], ())
    if "data" in handler.parsed_fn_signature.parameters:
        codes += _BODY_ERRORS
    if operation.get("security"):
        codes += _SIGNED_IN_ERRORS
        if handler.opt.get("people_only"):
            codes.append("person_required")
    return [*codes, *_COMMON_ERRORS]


def _refusals(codes: Sequence[str]) -> Json:
    """Return an answer for each status of the codes, with an example of each code."""
    problem = {"$ref": _REF.format(name=Problem.__name__)}
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(CODES[code][0], []).append(code)
    found = {}
    for status, same_status in sorted(by_status.items()):
        shown = {code: {"$ref": f"#/components/examples/{code}"} for code in same_status}
        found[str(status)] = {
            "description": "; ".join(f"`{code}`: {CODES[code][1]}" for code in same_status),
            "content": {"application/problem+json": {"schema": problem, "examples": shown}},
        }
    return found


def _problems(schemas: Json) -> Json:
    """Return an example of each refusal, by its code: hundreds of answers name them."""
    problem = example({"$ref": _REF.format(name=Problem.__name__)}, schemas)
    found = {}
    for code, (status, title) in CODES.items():
        page = f"/docs/errors#{code}"
        said = {"type": page, "title": title, "status": status, "code": code, "detail": title, "doc": page}
        found[code] = {"summary": title, "value": problem | said}
    return found


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
