"""Types of the parameters that routes declare in their signatures, and a strict check of the sent parameters.

The framework converts the values and describes the parameters in the OpenAPI document. Before that,
`check_parameters` refuses what the framework accepts: unknown names, repeated names, numbers in a spelling that JSON
does not have. Routes of listeners, which must be fast, read their query strings with `api.http.query.QueryString`
instead.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, cast
from urllib.parse import parse_qsl, urlencode

from litestar.datastructures import MultiDict
from litestar.handlers.base import BaseRouteHandler
from litestar.openapi.spec import Example
from litestar.params import HeaderParameter, PathParameter, QueryParameter
from litestar.types import BeforeRequestHookHandler
from litestar.typing import FieldDefinition

from api.http.errors import InvalidParameter
from api.http.query import DEFAULT_LIMIT, MAX_CURSOR, MAX_ID, MAX_LIMIT, MAX_VALUE, QueryString
from api.http.request import ApiRequest

Id = Annotated[int, PathParameter(ge=1, le=MAX_ID)]
Limit = Annotated[
    int,
    QueryParameter(
        ge=1, le=MAX_LIMIT, description="Size of a page.", examples=[Example(value=DEFAULT_LIMIT)]
    ),
]
Cursor = Annotated[
    str | None,
    QueryParameter(name="cursor", max_length=MAX_CURSOR, description="`meta.nextCursor` of the page before."),
]
AfterId = Annotated[
    int,
    QueryParameter(
        name="after", ge=0, le=MAX_ID, description="Ids after this one.", examples=[Example(value=0)]
    ),
]
BeforeId = Annotated[
    int | None, QueryParameter(name="before", ge=1, le=MAX_ID, description="Only what is older than this id.")
]
NamePrefix = Annotated[
    str | None,
    QueryParameter(
        name="q", max_length=MAX_VALUE, description="How the name begins.", examples=[Example(value="قه")]
    ),
]
DryRun = Annotated[
    bool,
    QueryParameter(
        name="dryRun",
        description="Say what would change, and change nothing.",
        examples=[Example(value=True)],
    ),
]
IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        description="Refuse with 412 unless this is the current ETag.",
        examples=[Example(value='"3"')],
    ),
]
OnceKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="The same key and body get the same answer, created once.",
        examples=[Example(value="5f0c1f5e")],
    ),
]
# Header that a route reads -> the error codes that it can cause.
HEADER_ERRORS = {
    "If-Match": ("bad_request", "stale_revision"),
    "Idempotency-Key": ("bad_request", "idempotency_key_reused"),
}


@dataclass(frozen=True, slots=True)
class _Declared:
    """A query parameter of a route, as its signature declares it."""

    name: str
    type: type
    required: bool
    low: int
    high: int
    max_length: int
    words: Collection[str]

    def canonical(self, query: QueryString) -> str | None:
        """Return the checked value as text for the framework; None when the parameter is absent.

        Raises:
            InvalidParameter: The value is wrong, or a required parameter is absent.
        """
        value: int | str | bool | None
        if self.type is int:
            value = query.integer(self.name, self.low, self.high)
        elif self.type is bool:
            value = query.flag(self.name)
        elif self.words:
            value = query.one_of(self.name, self.words)
        else:
            value = query.text(self.name, self.max_length)
        if value is None:
            if self.required:
                raise InvalidParameter(self.name, "Must be given.")
            return None
        return str(value).lower() if isinstance(value, bool) else str(value)


def check_parameters(request: ApiRequest) -> None:
    """Check path and query parameters against the route's signature, before the framework reads them.

    Afterwards the query string in the scope has each known parameter at most once, and none that is empty.

    Raises:
        InvalidParameter: A parameter is repeated, missing or has a wrong value.
        Problem: A parameter is unknown.
    """
    path, declared = _declared(request.route_handler)
    for name, value in request.path_params.items():
        if name in path and not 1 <= value <= MAX_ID:
            raise InvalidParameter(path[name], "Must be a positive whole number.")
    if (not declared and not request.scope["query_string"]) or "parameters" in request.route_handler.opt:
        # Of the second kind are routes that read their query strings by hand.
        return
    sent = request.scope["query_string"].decode("utf-8", "surrogateescape")
    query = QueryString(MultiDict(parse_qsl(sent, keep_blank_values=True)), declared)
    values = {name: parameter.canonical(query) for name, parameter in declared.items()}
    present = {name: value for name, value in values.items() if value is not None}
    request.scope["query_string"] = urlencode(present).encode()


async def _declared_only(request: ApiRequest) -> None:
    check_parameters(request)


# `before_request` of routes that need no role and do not read their query strings by hand.
DECLARED_ONLY = cast("BeforeRequestHookHandler", _declared_only)


@lru_cache(maxsize=512)  # more than there are routes
def _declared(handler: BaseRouteHandler) -> tuple[Mapping[str, str], Mapping[str, _Declared]]:
    """Return the ids in the path (name -> name in errors), and the query parameters by name."""
    path: dict[str, str] = {}
    query: dict[str, _Declared] = {}
    for field in handler.parsed_fn_signature.parameters.values():
        if isinstance(field.kwarg_definition, PathParameter) and field.annotation is int:
            first, *rest = field.name.split("_")
            path[field.name] = first + "".join(map(str.title, rest))
        elif isinstance(field.kwarg_definition, QueryParameter):
            parameter = _query_parameter(field, field.kwarg_definition)
            query[parameter.name] = parameter
    return path, query


def _query_parameter(field: FieldDefinition, declared: QueryParameter) -> _Declared:
    types = [inner.annotation for inner in field.inner_types if not inner.is_none_type] or [field.annotation]
    return _Declared(
        name=declared.name or field.name,
        type=types[0],
        required=not (field.has_default or field.is_optional),
        low=int(declared.ge) if declared.ge is not None else -MAX_ID,
        high=int(declared.le) if declared.le is not None else MAX_ID,
        max_length=declared.max_length or MAX_VALUE,
        words=tuple(declared.enum or ()),
    )
