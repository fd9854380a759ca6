"""Which tasks a query string selects, as SQL."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.local.searchnode.documents import UID
from deploy.local.searchnode.errors import ApiError

STATUSES = ("enqueued", "processing", "succeeded", "failed", "canceled")
# All that the real engine has; some are never made here.
KINDS = (
    "documentAdditionOrUpdate", "documentEdition", "documentDeletion", "settingsUpdate", "indexCreation",
    "indexDeletion", "indexUpdate", "indexSwap", "indexCompaction", "taskCancelation", "taskDeletion",
    "dumpCreation", "snapshotCreation", "export", "upgradeDatabase", "networkTopologyChange",
)  # fmt: skip
_LARGEST = 2**32 - 1
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _one_of(allowed: tuple[str, ...]) -> Callable[[str], str]:
    names = {name.lower(): name for name in allowed}
    return lambda text: names[text.lower()]


def _number(text: str) -> int:
    if not re.fullmatch(r"\+?[0-9]+", text) or int(text) > _LARGEST:
        raise ValueError(text)
    return int(text)


def _uid(text: str) -> str:
    if not UID.fullmatch(text):
        raise ValueError(text)
    return text


# Parameter -> (column or field of the record, what reads a value, code of a wrong one).
_LISTS: dict[str, tuple[str, Callable[[str], Any], str]] = {
    "uids": ("uid", _number, "invalid_task_uids"),
    "batchUids": ("uid", _number, "invalid_batch_uids"),
    "statuses": ("status", _one_of(STATUSES), "invalid_task_statuses"),
    "types": ("kind", _one_of(KINDS), "invalid_task_types"),
    "indexUids": ("index_uid", _uid, "invalid_index_uid"),
    "canceledBy": ("json_extract(record, '$.canceledBy')", _number, "invalid_task_canceled_by"),
}
_TIMES = {
    f"{side}{event}At": (side, f"{event.lower()}At", f"invalid_task_{side}_{event.lower()}_at")
    for side in ("after", "before") for event in ("Enqueued", "Started", "Finished")
}  # fmt: skip


def condition(query: Mapping[str, str]) -> tuple[list[str], list[Any]]:
    """Clauses and their arguments. Raises ApiError for a wrong value."""
    clauses, arguments = list[str](), list[Any]()
    for name, text in query.items():
        if name in _LISTS:
            column, read, code = _LISTS[name]
            try:
                parts = [part for part in text.split(",") if part]
                values = [read(part) for part in parts if part != "*"]
            except (ValueError, KeyError) as error:
                raise ApiError(code, f"Invalid value in parameter `{name}`: `{text}`.") from error
            if "*" in parts or not parts:
                continue
            clauses.append(f"{column} IN ({','.join('?' * len(values))})")
            arguments += values
        elif name in _TIMES and text != "*":
            side, field, code = _TIMES[name]
            clauses.append(f"json_extract(record, '$.{field}') {'>' if side == 'after' else '<'} ?")
            arguments.append(_moment(name, text, code, whole_day=side == "after"))
        elif name not in _LISTS and name not in _TIMES:
            raise ApiError("bad_request", f"Unknown parameter `{name}`.")
    return clauses, arguments


def _moment(name: str, text: str, code: str, *, whole_day: bool) -> str:
    """A date or a moment as records have it; after a date means after that day."""
    wrong = ApiError(
        code, f"Invalid value in parameter `{name}`: `{text}` is an invalid date-time."
    )
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise wrong from None
    if moment.tzinfo is None and not _DATE.fullmatch(text):
        raise wrong
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC) + timedelta(days=whole_day)
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
