"""The refusals of each route in the OpenAPI document: its own codes and those that follow from what it takes."""

from collections.abc import Sequence
from typing import cast

from litestar.handlers import HTTPRouteHandler

from api.http.errors import CODES
from api.http.parameters import HEADER_ERRORS
from api.http.schemas import Model
from api.openapi.schemas import REF, Json, example

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


def error_codes(operation: Json, handler: HTTPRouteHandler) -> list[str]:
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


def refusals(codes: Sequence[str]) -> Json:
    """Return an answer for each status of the codes, with an example of each code."""
    problem = {"$ref": REF.format(name=Problem.__name__)}
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


def problems(schemas: Json) -> Json:
    """Return an example of each refusal, by its code: hundreds of answers name them."""
    problem = example({"$ref": REF.format(name=Problem.__name__)}, schemas)
    found = {}
    for code, (status, title) in CODES.items():
        page = f"/docs/errors#{code}"
        said = {"type": page, "title": title, "status": status, "code": code, "detail": title, "doc": page}
        found[code] = {"summary": title, "value": problem | said}
    return found
