"""API keys and what each may do. A key is derived from the master key, so it need not be stored."""

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deploy.local.searchnode.documents import UID
from deploy.local.searchnode.errors import ApiError
from deploy.local.searchnode.settings import snake
from deploy.local.searchnode.store import Store

ACTIONS = {
    "*", "*.get", "search", "documents.*", "documents.add", "documents.get", "documents.delete", "indexes.*",
    "indexes.create", "indexes.get", "indexes.update", "indexes.delete", "indexes.swap", "tasks.*",
    "tasks.cancel", "tasks.delete", "tasks.get", "settings.*", "settings.get", "settings.update",
    "stats.*", "stats.get", "metrics.*", "metrics.get", "dumps.*", "dumps.create", "snapshots.*",
    "snapshots.create", "version", "keys.create", "keys.get", "keys.update", "keys.delete", "keys.*",
}  # fmt: skip


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Grant:
    """The indexes that the caller's key is for, as patterns."""

    patterns: tuple[str, ...] = ("*",)

    @property
    def everything(self) -> bool:
        """Is it for every index?"""
        return "*" in self.patterns

    def covers(self, index: str) -> bool:
        """Is it for this index?"""
        return any(
            p in ("*", index) or (p.endswith("*") and index.startswith(p[:-1]))
            for p in self.patterns
        )


_DEFAULT_KEYS = (
    ("Default Read-Only Admin API Key", ["*.get", "keys.get"], "Use it to read information across "
     "the whole database. Caution! Do not expose this key on a public frontend"),
    ("Default Admin API Key", ["*"], "Use it for anything that is not a search operation. Caution! "
     "Do not expose it on a public frontend"),
    ("Default Search API Key", ["search"], "Use it to search from the frontend"),
)  # fmt: skip


class Keys:
    """The keys of one node. Without a master key everything is open."""

    def __init__(self, store: Store, master: str | None) -> None:
        self.store, self.master = store, master
        # All keys as they are told, until one changes.
        self._known: list[dict[str, Any]] | None = None
        if master and store.meta("defaultKeys", "missing") == "missing":
            with store.transaction() as db:
                for name, actions, about in _DEFAULT_KEYS:
                    self.create({"name": name, "description": about, "actions": actions,
                                 "indexes": ["*"], "expiresAt": None})  # fmt: skip
                db.execute("UPDATE meta SET value = 'made' WHERE name = 'defaultKeys'")

    def secret(self, uid: str) -> str:
        """The key itself."""
        return hmac.new((self.master or "").encode(), uid.encode(), hashlib.sha256).hexdigest()

    def all(self) -> list[dict[str, Any]]:
        """Every key, newest first, its secret included."""
        if self._known is None:
            rows = self.store.rows("SELECT record FROM keys ORDER BY rowid DESC")
            self._known = [self._shown(json.loads(record)) for (record,) in rows]
        return self._known

    def get(self, name: str) -> dict[str, Any]:
        """A key by its uid or by the key itself."""
        for key in self.all():
            if name in (key["uid"], key["key"]):
                return key
        raise ApiError("api_key_not_found", f"API key `{name}` not found.")

    def create(self, body: Any) -> dict[str, Any]:
        """A new key. Raises ApiError naming the wrong field."""
        if not isinstance(body, dict):
            raise ApiError("bad_request", "Expected an object.")
        for field, value in body.items():
            _check(field, value)
        for field in ("actions", "indexes", "expiresAt"):
            if field not in body:
                raise ApiError(f"missing_api_key_{snake(field)}", f"Missing field `{field}`")
        actions, indexes = body["actions"], body["indexes"]
        uid = body.get("uid") or str(uuid.uuid4())
        record = {
            "name": body.get("name"), "description": body.get("description"), "uid": uid,
            "actions": actions, "indexes": indexes, "expiresAt": _expiry(body["expiresAt"]),
            "createdAt": _now(), "updatedAt": _now(),
        }  # fmt: skip
        with self.store.transaction() as db:
            if db.execute("SELECT 1 FROM keys WHERE uid = ?", (uid,)).fetchone():
                raise ApiError(
                    "api_key_already_exists",
                    f"`uid` field value `{uid}` is already an existing API key.",
                )
            db.execute("INSERT INTO keys VALUES (?, ?)", (uid, json.dumps(record)))
        self._known = None
        return self._shown(record)

    def update(self, name: str, body: Any) -> dict[str, Any]:
        """Change a key's name or description; nothing else can change."""
        key = self.get(name)
        for field in body:
            if field in ("uid", "actions", "indexes", "expiresAt", "createdAt", "updatedAt"):
                raise ApiError(f"immutable_api_key_{snake(field)}", f"Immutable field `{field}`")
            if field not in ("name", "description"):
                raise ApiError("bad_request", f"Unknown field `{field}`.")
            if body[field] is not None and not isinstance(body[field], str):
                raise ApiError(f"invalid_api_key_{field}", f"Invalid value type at `.{field}`.")
        key = {**key, **body, "updatedAt": _now()}
        secret = key.pop("key")
        with self.store.transaction() as db:
            db.execute("UPDATE keys SET record = ? WHERE uid = ?", (json.dumps(key), key["uid"]))
        self._known = None
        return {**key, "key": secret}

    def delete(self, name: str) -> None:
        """Forget a key; it no longer opens anything."""
        uid = self.get(name)["uid"]
        with self.store.transaction() as db:
            db.execute("DELETE FROM keys WHERE uid = ?", (uid,))
        self._known = None

    def authorise(self, header: str | None, action: str, index: str | None) -> Grant:
        """What the bearer of `header` may see; raises ApiError unless it may do `action` to `index`."""
        if not self.master:
            return Grant()
        if header is None:
            raise ApiError(
                "missing_authorization_header",
                "The Authorization header is missing. It must use the bearer authorization method.",
            )
        given = header.removeprefix("Bearer ").strip().encode()
        if hmac.compare_digest(given, self.master.encode()):
            return Grant()
        for key in self.all():
            if hmac.compare_digest(given, key["key"].encode()):
                grant = Grant(tuple(key["indexes"]))
                if _allowed(key, action) and (index is None or grant.covers(index)):
                    return grant
                break
        raise ApiError("invalid_api_key", "The provided API key is invalid.")

    def _shown(self, record: dict[str, Any]) -> dict[str, Any]:
        name, description = record.pop("name"), record.pop("description")
        return {
            "name": name,
            "description": description,
            "key": self.secret(record["uid"]),
            **record,
        }


def _check(field: str, value: Any) -> None:
    """Raises ApiError when a field of a new key is wrong."""
    match field:
        case "name" | "description":
            right = isinstance(value, str | None)
        case "actions":
            right = isinstance(value, list) and all(
                isinstance(action, str) and action in ACTIONS for action in value
            )
        case "indexes":
            right = isinstance(value, list) and all(
                isinstance(i, str) and (i == "*" or UID.fullmatch(i.removesuffix("*")))
                for i in value
            )
        case "uid":
            right = value is None or _is_uuid(value)
        case "expiresAt":
            _expiry(value)
            right = True
        case _:
            raise ApiError("bad_request", f"Unknown field `{field}`.")
    if not right:
        raise ApiError(f"invalid_api_key_{snake(field)}", f"Invalid value at `.{field}`.")


def _is_uuid(value: Any) -> bool:
    try:
        uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        return False
    return True


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise ApiError("invalid_api_key_expires_at", f"`{value}` is not a valid date.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _expiry(value: Any) -> str | None:
    """When the key ends, as it is told. Raises ApiError unless it is in the future."""
    moment = _moment(value)
    if moment is None:
        return None
    if moment <= datetime.now(UTC):
        raise ApiError("invalid_api_key_expires_at", f"`{value}` is in the past.")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _allowed(key: dict[str, Any], action: str) -> bool:
    group, _, verb = action.partition(".")
    if not {"*", action, f"{group}.*", f"*.{verb}"} & set(key["actions"]):
        return False
    end = _moment(key["expiresAt"])
    return end is None or end > datetime.now(UTC)
