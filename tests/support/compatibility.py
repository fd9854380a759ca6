"""What a client of the API of one OpenAPI document would stumble over in another one.

Requests that were right have to stay right, and answers have to keep what clients read. So a schema of requests may only
become wider, and one of answers only narrower; an answer may get more fields and more values of an enumeration, which clients have to
bear (docs/versioning.md). Both documents are ones that this product makes: references are local, and schemas have no
`allOf`, `not` or `if`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

Json = dict[str, Any]
Direction = Literal["request", "answer"]
# A bound that a request has to meet, and whether a larger number lets more through.
_BOUNDS = {
    "maximum": True,
    "maxLength": True,
    "maxItems": True,
    "minimum": False,
    "minLength": False,
    "minItems": False,
}
_KEPT = {
    "$ref", "type", "enum", "const", "format", "pattern", "properties", "required", "additionalProperties", "items",
    "anyOf", "oneOf", *_BOUNDS,
}  # fmt: skip
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


def breaking(old: Json, new: Json) -> list[str]:
    """Return what breaks clients of `old` that meet `new`; each entry names the place. Nothing when nothing does."""
    return sorted(set(_Comparison(old, new).operations()))


def compact(document: Json, prefix: str) -> Json:
    """Return a document with the paths that begin with `prefix`, and of them what the comparison reads.

    Args:
        document: A whole document.
        prefix: What the paths begin with.
    """
    paths = {path: item for path, item in document["paths"].items() if path.startswith(prefix)}
    schemas: Json = {}
    kept_paths = {
        path: {method: _operation(item[method]) for method in _METHODS if method in item}
        for path, item in sorted(paths.items())
    }
    waiting = list(_references(kept_paths))
    while waiting:
        name = waiting.pop().rpartition("/")[2]
        if name not in schemas:
            schemas[name] = _schema(document["components"]["schemas"][name])
            waiting += _references(schemas[name])
    return {"paths": kept_paths, "components": {"schemas": dict(sorted(schemas.items()))}}


def _operation(operation: Json) -> Json:
    body = operation.get("requestBody")
    answers = {
        status: {
            "content": _content(answer),
            "headers": {name: {} for name in sorted(answer.get("headers", {}))},
        }
        for status, answer in sorted(operation["responses"].items())
        if status[0] in "23"
    }
    parameters = [
        {
            "name": each["name"],
            "in": each["in"],
            "required": each.get("required", False),
            "schema": _schema(each["schema"]) | _of(each["schema"], "default"),
            **_of(each, "style", "explode"),
        }
        for each in operation.get("parameters", [])
    ]
    found: Json = {"operationId": operation["operationId"], "parameters": parameters, "responses": answers}
    if body:
        found["requestBody"] = {"required": body.get("required", False), "content": _content(body)}
    return found | ({"security": [{}]} if operation.get("security") else {})


def _of(holder: Json, *names: str) -> Json:
    return {name: holder[name] for name in names if name in holder}


def _reading(parameter: Json) -> Json:
    """Return how a parameter is written in an address, and what it is when it is left out."""
    style = parameter.get("style", "form" if parameter["in"] in ("query", "cookie") else "simple")
    explode = parameter.get("explode", style == "form")
    return {"style": style, "explode": explode, "default": parameter["schema"].get("default")}


def _content(holder: Json) -> Json:
    return {
        kind: {"schema": _schema(each.get("schema", {}))} for kind, each in holder.get("content", {}).items()
    }


def _schema(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    found = {name: value for name, value in schema.items() if name in _KEPT}
    for name in ("items", "additionalProperties"):
        if name in found:
            found[name] = _schema(found[name])
    for name in ("anyOf", "oneOf"):
        if name in found:
            found[name] = [_schema(each) for each in found[name]]
    if "properties" in found:
        found["properties"] = {name: _schema(each) for name, each in found["properties"].items()}
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


class _Comparison:
    """The comparison of two documents."""

    def __init__(self, old: Json, new: Json) -> None:
        self._old, self._new = old, new
        # Pairs of named schemas that are being compared, or were: schemas may name themselves.
        self._seen: set[tuple[str, str, Direction]] = set()

    def operations(self) -> Iterator[str]:
        for path, item in self._old["paths"].items():
            for method in _METHODS:
                if method not in item:
                    continue
                place = f"{method.upper()} {path}"
                found = self._new["paths"].get(path, {}).get(method)
                if found is None:
                    yield f"{place}: was removed"
                else:
                    yield from self._operation(place, item[method], found)

    def _operation(self, place: str, old: Json, new: Json) -> Iterator[str]:
        if old["operationId"] != new["operationId"]:
            yield f"{place}: operationId was {old['operationId']}, and is {new['operationId']}"
        if new.get("security") and not old.get("security"):
            yield f"{place}: needs a credential now"
        yield from self._parameters(place, old, new)
        yield from self._body(place, old.get("requestBody"), new.get("requestBody"))
        for status, answer in old["responses"].items():
            if status[0] not in "23":
                continue
            found = new["responses"].get(status)
            if found is None:
                yield f"{place}: the answer {status} was removed"
                continue
            for header in answer.get("headers", {}):
                if header not in found.get("headers", {}):
                    yield f"{place}: the header {header} of the answer {status} was removed"
            yield from self._contents(f"{place} {status}", answer, found, "answer")

    def _parameters(self, place: str, old: Json, new: Json) -> Iterator[str]:
        before, now = (
            {(each["in"], each["name"]): each for each in document.get("parameters", [])}
            for document in (old, new)
        )
        for key, parameter in before.items():
            where = f"{place}: the parameter {key[1]}"
            found = now.get(key)
            if found is None:
                yield f"{where} was removed"
                continue
            if found.get("required") and not parameter.get("required"):
                yield f"{where} is required now"
            read_now = _reading(found)
            for name, was in _reading(parameter).items():
                if read_now[name] != was:
                    yield f"{where}: {name} was {was}, and is {read_now[name]}"
            yield from self._schemas(f"{place} ?{key[1]}", parameter["schema"], found["schema"], "request")
        for key, parameter in now.items():
            if key not in before and parameter.get("required"):
                yield f"{place}: the new parameter {key[1]} is required"

    def _body(self, place: str, old: Json | None, new: Json | None) -> Iterator[str]:
        if old is None:
            if new is not None and new.get("required"):
                yield f"{place}: needs a body now"
            return
        if new is None:
            yield f"{place}: takes no body any more"
            return
        if new.get("required") and not old.get("required"):
            yield f"{place}: the body is required now"
        yield from self._contents(f"{place} body", old, new, "request")

    def _contents(self, place: str, old: Json, new: Json, direction: Direction) -> Iterator[str]:
        for kind, each in old.get("content", {}).items():
            found = new.get("content", {}).get(kind)
            if found is None:
                yield f"{place}: {kind} was removed"
            else:
                yield from self._schemas(place, each.get("schema", {}), found.get("schema", {}), direction)

    def _schemas(self, place: str, old: Json, new: Json, direction: Direction) -> Iterator[str]:
        if "$ref" in old and "$ref" in new:
            pair = (old["$ref"], new["$ref"], direction)
            if pair in self._seen:
                return
            self._seen.add(pair)
        old, new = self._resolved(self._old, old), self._resolved(self._new, new)
        before, now = self._alternatives(self._old, old), self._alternatives(self._new, new)
        if len(before) == len(now) == 1:
            yield from self._plain(place, before[0], now[0], direction)
            return
        # Each that a client may send has to be taken, each that it may get has to be known.
        given, taken = (before, now) if direction == "request" else (now, before)
        for each in given:
            if not any(self._fits(each, other, direction) for other in taken):
                yield f"{place}: {_kind(each)} is {'refused' if direction == 'request' else 'new'}"

    def _fits(self, given: Json, taken: Json, direction: Direction) -> bool:
        old, new = (given, taken) if direction == "request" else (taken, given)
        seen = self._seen
        self._seen = set(seen)
        try:
            return not list(self._plain("", old, new, direction))
        finally:
            self._seen = seen

    def _resolved(self, document: Json, schema: Json) -> Json:
        while "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def _alternatives(self, document: Json, schema: Json) -> list[Json]:
        """Return a schema's alternatives: of `anyOf`, `oneOf` and a list of types; itself without any."""
        for name in ("anyOf", "oneOf"):
            if name in schema:
                return [
                    one
                    for each in schema[name]
                    for one in self._alternatives(document, self._resolved(document, each))
                ]
        if isinstance(schema.get("type"), list):
            return [schema | {"type": each} for each in schema["type"]]
        return [schema]

    def _plain(self, place: str, old: Json, new: Json, direction: Direction) -> Iterator[str]:
        """Compare two schemas without alternatives."""
        given, taken = (old, new) if direction == "request" else (new, old)
        if not _is_taken(given.get("type"), taken.get("type")):
            yield f"{place}: {_kind(old)} became {_kind(new)}"
            return
        if old.get("format") != new.get("format"):
            yield f"{place}: the format was {old.get('format')}, and is {new.get('format')}"
        if direction == "request":
            yield from _limits(place, old, new)
        yield from self._objects(place, old, new, direction)
        if "items" in old:
            yield from self._schemas(f"{place}[]", old["items"], new.get("items", {}), direction)

    def _objects(self, place: str, old: Json, new: Json, direction: Direction) -> Iterator[str]:
        before, now = old.get("properties", {}), new.get("properties", {})
        needed, needed_now = set(old.get("required", ())), set(new.get("required", ()))
        for name, each in before.items():
            if name not in now:
                yield f"{place}.{name}: was removed"
            else:
                yield from self._schemas(f"{place}.{name}", each, now[name], direction)
        if direction == "request":
            for name in sorted(needed_now - needed):
                yield f"{place}.{name}: is required now"
        else:
            for name in sorted((needed - needed_now) & now.keys()):
                yield f"{place}.{name}: may be missing now"
        others, others_now = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if (
            direction == "request"
            and others is not False
            and others_now is False
            and old.get("type") == "object"
        ):
            yield f"{place}: other fields are refused"
        if isinstance(others, dict):
            yield from self._schemas(
                f"{place}.*", others, others_now if isinstance(others_now, dict) else {}, direction
            )


def _is_taken(given: object, taken: object) -> bool:
    return taken is None or given == taken or (given == "integer" and taken == "number")


def _kind(schema: Json) -> str:
    return str(schema.get("type") or ("a choice" if "enum" in schema else "anything"))


def _limits(place: str, old: Json, new: Json) -> Iterator[str]:
    """Compare what a request has to meet."""
    before, now = _values(old), _values(new)
    if now is not None:
        lost = [value for value in before or () if value not in now]
        if before is None:
            yield f"{place}: only some values are taken now"
        elif lost:
            yield f"{place}: {', '.join(map(str, lost))} is refused"
    if new.get("pattern") not in (None, old.get("pattern")):
        yield f"{place}: the pattern was {old.get('pattern')}, and is {new['pattern']}"
    for bound, larger_is_wider in _BOUNDS.items():
        least, limit = old.get(bound), new.get(bound)
        if limit is None or limit == least:
            continue
        if least is None or (limit < least) == larger_is_wider:
            yield f"{place}: {bound} was {least}, and is {limit}"


def _values(schema: Json) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")
