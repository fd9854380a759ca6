"""What a new API key may say. `keys.py` checks the body of a request with it."""

import uuid
from datetime import UTC, datetime

import msgspec

from deploy.searchnode.errors import ApiError, snake_case
from deploy.searchnode.index.index import is_valid_uid
from deploy.searchnode.values import Json

# Group -> the actions of the group that a key may allow; `group.*` allows them all.
_ACTIONS = {
    "documents": ("add", "get", "delete"),
    "indexes": ("create", "get", "update", "delete", "swap"),
    "tasks": ("cancel", "delete", "get"),
    "settings": ("get", "update"),
    "stats": ("get",),
    "metrics": ("get",),
    "dumps": ("create",),
    "snapshots": ("create",),
    "keys": ("create", "get", "update", "delete"),
}
ACTIONS = {"*", "*.get", "search", "version"} | {
    f"{group}.{verb}" for group, verbs in _ACTIONS.items() for verb in (*verbs, "*")
}


class NewKey(msgspec.Struct, rename="camel"):
    """The fields of a new key after `check`."""

    actions: list[str]
    indexes: list[str]
    name: str | None = None
    description: str | None = None
    uid: str | None = None


def check(field: str, value: Json) -> None:
    """Check a field of a new key.

    Raises:
        ApiError: The field is unknown or has a wrong value.
    """
    match field:
        case "name" | "description":
            right = isinstance(value, str | None)
        case "actions":
            right = isinstance(value, list) and all(
                isinstance(action, str) and action in ACTIONS for action in value
            )
        case "indexes":
            right = isinstance(value, list) and all(
                isinstance(i, str) and (i == "*" or is_valid_uid(i.removesuffix("*"))) for i in value
            )
        case "uid":
            right = value is None or _is_uuid(value)
        case "expiresAt":
            expiry(value)
            right = True
        case _:
            raise ApiError("bad_request", f"Unknown field `{field}`.")
    if not right:
        raise ApiError(f"invalid_api_key_{snake_case(field)}", f"Invalid value at `.{field}`.")


def _is_uuid(value: Json) -> bool:
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False


def moment_of(value: Json) -> datetime | None:
    """Return the time that a text names, in UTC when it names no time zone; None for None.

    Raises:
        ApiError: The text names no time.
    """
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ApiError("invalid_api_key_expires_at", f"`{value}` is not a valid date.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def expiry(value: Json) -> str | None:
    """Return when a key ends, as the API shows it.

    Raises:
        ApiError: The time is not in the future.
    """
    moment = moment_of(value)
    if moment is None:
        return None
    if moment <= datetime.now(UTC):
        raise ApiError("invalid_api_key_expires_at", f"`{value}` is in the past.")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
