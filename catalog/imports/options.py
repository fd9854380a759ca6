"""How the items of an import become programs: what an editor chose, checked."""

import re
from typing import Any, Literal

import msgspec

from catalog.errors import FieldError, ValidationFailed
from catalog.programs.data import validate

MAX_MAPPING = 100
_NAMESPACE = re.compile(r"[A-Za-z0-9._:-]{1,100}")
# What a column of a file may be mapped to; "" leaves the column out.
TARGETS = (
    "externalId", "title", "description", "language", "mediaType", "kind", "durationSec", "releaseDate",
    "mediaUrl", "thumbnailUrl", "category", "series", "season", "episode", "isFeatured", "isExplicit",
    "expireAt", "tags", "hosts", "guests", "directors", "producers", "narrators", "cast", "slug", "",
)  # fmt: skip


class Options(msgspec.Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """`policy`: new programs start as drafts or are published. The other fields fill in what the
    source does not say; `mapping` renames the columns of a file."""

    policy: Literal["draft", "publish"] = "draft"
    language: str | None = None
    media_type: str | None = None
    kind: str | None = None
    category_id: int | None = None
    series_id: int | None = None
    tags: list[str] = []
    mapping: dict[str, str] = {}
    delimiter: str | None = None
    encoding: str | None = None
    namespace: str | None = None
    # 05/03/2024 is March with true, May with false, and no date without.
    day_first: bool | None = None
    # Items without a playable file are left out of feeds unless this is false.
    require_media: bool = True


def check(options: Options) -> None:
    """Raise ValidationFailed naming what is wrong."""
    errors: list[FieldError] = []
    given = {
        name: value
        for name in ("language", "media_type", "kind", "category_id", "series_id")
        if (value := getattr(options, name)) is not None
    }
    if options.tags:
        given["tags"] = options.tags
    try:
        validate(given, creating=False)
    except ValidationFailed as wrong:
        errors += [FieldError(f"options.{e.field}", e.code, e.message) for e in wrong.errors]
    if len(options.mapping) > MAX_MAPPING:
        errors.append(FieldError("options.mapping", "too_many", f"At most {MAX_MAPPING}."))
    unknown = sorted({target for target in options.mapping.values() if target not in TARGETS})
    if unknown:
        listed = ", ".join(unknown)[:200]
        errors.append(FieldError("options.mapping", "invalid", f"No such field: {listed}."))
    targets = [target for target in options.mapping.values() if target]
    if len(set(targets)) != len(targets):
        errors.append(FieldError("options.mapping", "invalid", "Two columns for one field."))
    if options.delimiter is not None and (
        len(options.delimiter) != 1
        or options.delimiter in '\r\n"'
        or not options.delimiter.strip("\0")
    ):
        errors.append(FieldError("options.delimiter", "invalid", "One character, not a quote."))
    if options.encoding is not None:
        try:
            "".encode(options.encoding)
        except (LookupError, ValueError):
            errors.append(FieldError("options.encoding", "invalid", "No such encoding."))
    if options.namespace is not None and not _NAMESPACE.fullmatch(options.namespace):
        errors.append(
            FieldError("options.namespace", "invalid", "1 to 100 letters, digits, . _ : or -.")
        )
    if errors:
        raise ValidationFailed(errors)


def plain(options: Options) -> dict[str, Any]:
    """As it is stored."""
    found: dict[str, Any] = msgspec.to_builtins(options)
    return found


def read(stored: dict[str, Any]) -> Options:
    """What was stored. Raises msgspec.ValidationError on what this build does not know."""
    return msgspec.convert(stored, Options)


def defaults(options: Options) -> dict[str, Any]:
    """Program fields by column that stand in for what an item does not say."""
    names = ("language", "media_type", "kind", "category_id", "series_id")
    return {n: getattr(options, n) for n in names if getattr(options, n) is not None}
