"""What an editor chooses for an import: how its items become programs."""

import re
from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from catalog.core.errors import FieldError, ValidationFailed
from catalog.programs.rules import validate

MAX_MAPPING, MAX_POSITIONS = 100, 10_000
# The options that are values of a program, by column name.
DEFAULTS = ("language", "media_type", "kind", "category_id", "series_id")
_NAMESPACE = re.compile(r"[A-Za-z0-9._:-]{1,100}")
# What a column of a file may be mapped to; "" ignores the column.
TARGETS = (
    "externalId",
    "title",
    "description",
    "language",
    "mediaType",
    "kind",
    "durationSec",
    "releaseDate",
    "mediaUrl",
    "thumbnailUrl",
    "category",
    "series",
    "season",
    "episode",
    "isFeatured",
    "isExplicit",
    "expireAt",
    "tags",
    "hosts",
    "guests",
    "directors",
    "producers",
    "narrators",
    "cast",
    "slug",
    "",
)


class Options(msgspec.Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """The options of a run or of a remembered source.

    Attributes:
        policy: New programs stay drafts, or are published at once.
        language: For items whose source does not say; likewise media_type, kind, category_id, series_id.
        tags: Tags that every program gets besides its own.
        mapping: Column of a file -> one of `TARGETS`.
        delimiter: Of a CSV file; found by itself if None. Likewise the encoding.
        namespace: Stands before the external ids; made of the address if None.
        day_first: 05/03/2024 is in May (False), in March (True), or not a date (None).
        require_media: Skip items of a feed that have no playable file.
        positions: Only the items at these positions of the source, from 1; None for all.
        detect_media: Ask servers for the first bytes of files of which nothing says whether they are audio or video.
    """

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
    day_first: bool | None = None
    require_media: bool = True
    detect_media: bool = False
    positions: list[int] | None = None


def check(options: Options) -> None:
    """Check the options.

    Raises:
        ValidationFailed: Names every wrong option.
    """
    errors: list[FieldError] = []
    values = {name: value for name in DEFAULTS if (value := getattr(options, name)) is not None}
    if options.tags:
        values["tags"] = options.tags
    try:
        validate(values, creating=False)
    except ValidationFailed as refusal:
        errors += [FieldError(f"options.{e.field}", e.code, e.message) for e in refusal.errors]
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
        len(options.delimiter) != 1 or options.delimiter in '\r\n"' or not options.delimiter.strip("\0")
    ):
        errors.append(FieldError("options.delimiter", "invalid", "One character, not a quote."))
    if options.encoding is not None:
        try:
            "".encode(options.encoding)
        except (LookupError, ValueError):
            errors.append(FieldError("options.encoding", "invalid", "No such encoding."))
    if options.positions is not None and not (
        1 <= len(options.positions) <= MAX_POSITIONS and min(options.positions) >= 1
    ):
        message = f"1 to {MAX_POSITIONS} positions, which begin at 1."
        errors.append(FieldError("options.positions", "invalid", message))
    if options.namespace is not None and not _NAMESPACE.fullmatch(options.namespace):
        errors.append(FieldError("options.namespace", "invalid", "1 to 100 letters, digits, . _ : or -."))
    if errors:
        raise ValidationFailed(errors)


def narrowed(options: Options, positions: Collection[int], read: Collection[int] | None) -> Options:
    """Return options of a run with chosen positions, of which those stay that an earlier run has read.

    Args:
        options: The options of the earlier run.
        positions: The chosen positions.
        read: The positions that it has read, if those are not in its options.

    Raises:
        ValidationFailed: It has read none of them.
    """
    had = options.positions if read is None else read
    common = sorted(set(positions) if had is None else set(positions) & set(had))
    if not common and positions:
        message = "The dry run had none of these items."
        raise ValidationFailed([FieldError("positions", "invalid", message)])
    return msgspec.structs.replace(options, positions=common)


def plain(options: Options) -> dict[str, object]:
    """Return the options as they are stored, without those that have their default."""
    stored: dict[str, object] = msgspec.to_builtins(options)
    return stored


def read(stored: Mapping[str, object]) -> Options:
    """Return stored options.

    Raises:
        msgspec.ValidationError: There is an option that this build does not know.
    """
    return msgspec.convert(stored, Options)


def defaults(options: Options) -> dict[str, object]:
    """Return the values that a program gets where its item does not say, by column name."""
    return {name: value for name in DEFAULTS if (value := getattr(options, name)) is not None}
