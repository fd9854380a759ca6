"""Which tasks a query string selects. The routes of tasks call it; `storage/tasks.py` finds the tasks."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from deploy.searchnode.clock import written
from deploy.searchnode.errors import ApiError, snake_case
from deploy.searchnode.index.index import is_valid_uid
from deploy.searchnode.storage.tasks import Selection

_STATUSES = ("enqueued", "processing", "succeeded", "failed", "canceled")
# All that Meilisearch has; some are never made here.
_TYPES = (
    "documentAdditionOrUpdate",
    "documentEdition",
    "documentDeletion",
    "settingsUpdate",
    "indexCreation",
    "indexDeletion",
    "indexUpdate",
    "indexSwap",
    "indexCompaction",
    "taskCancelation",
    "taskDeletion",
    "dumpCreation",
    "snapshotCreation",
    "export",
    "upgradeDatabase",
    "networkTopologyChange",
)
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
    if not is_valid_uid(text):
        raise ValueError(text)
    return text


# Parameter -> (column or field of the record, what reads a value, code of a wrong value).
_LISTS: dict[str, tuple[str, Callable[[str], str | int], str]] = {
    "uids": ("uid", _number, "invalid_task_uids"),
    "batchUids": ("uid", _number, "invalid_batch_uids"),
    "statuses": ("status", _one_of(_STATUSES), "invalid_task_statuses"),
    "types": ("kind", _one_of(_TYPES), "invalid_task_types"),
    "indexUids": ("index_uid", _uid, "invalid_index_uid"),
    "canceledBy": ("json_extract(record, '$.canceledBy')", _number, "invalid_task_canceled_by"),
}
# Parameter -> (comparison, field of the record).
_TIMES = {
    f"{side}{event}At": (comparison, f"{event.lower()}At")
    for side, comparison in (("after", ">"), ("before", "<"))
    for event in ("Enqueued", "Started", "Finished")
}


def selection(query: Mapping[str, str]) -> Selection:
    """Return the tasks that all parameters of a query string select.

    Raises:
        ApiError: A parameter is unknown or its value is wrong.
    """
    selected = Selection()
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
            selected = selected.and_(f"{column} IN ({','.join('?' * len(values))})", *values)
        elif name in _TIMES and text != "*":
            comparison, field = _TIMES[name]
            selected = selected.and_(f"json_extract(record, '$.{field}') {comparison} ?", _moment(name, text))
        elif name not in _LISTS and name not in _TIMES:
            raise ApiError("bad_request", f"Unknown parameter `{name}`.")
    return selected


def _moment(name: str, text: str) -> str:
    """Return a date or a moment as records have it. After a date means after the end of that day."""
    wrong = ApiError(
        f"invalid_task_{snake_case(name)}",
        f"Invalid value in parameter `{name}`: `{text}` is an invalid date-time.",
    )
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise wrong from None
    if moment.tzinfo is None and not _DATE.fullmatch(text):
        raise wrong
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC) + timedelta(days=name.startswith("after"))
    return written(moment)
