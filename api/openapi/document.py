"""Builds the document from the declarations of the routes: paths, parameters, bodies, answers, errors."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version

import msgspec
from litestar import Litestar, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import HTTPRoute

from api.http.request import ApiRequest
from api.openapi.refusals import Problem, error_codes, problems, refusals
from api.openapi.schemas import REF, Json, exact_schemas, example, without_sections
from catalog.core.fields import camel


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
    schemas = exact_schemas([handler for _, _, handler in handlers], [Problem])
    found["components"] |= {"schemas": schemas, "examples": problems(schemas)}
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


def _complete(operation: Json, handler: HTTPRouteHandler, schemas: Json) -> None:
    """Add to an operation the examples, schemas and errors that the framework does not know."""
    operation["operationId"] = camel(operation["operationId"])
    if handler.opt.get("people_only"):
        operation["security"] = [{"bearer": []}]
    parameters = [_parameter(parameter) for parameter in operation.get("parameters", [])]
    operation["parameters"] = parameters + list(handler.opt.get("parameters", ()))
    if "description" in operation:
        operation["description"] = without_sections(operation["description"])
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
    operation["responses"] = responses | refusals(error_codes(operation, handler))


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
    content = {"$ref": REF.format(name=data.__name__)}
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
