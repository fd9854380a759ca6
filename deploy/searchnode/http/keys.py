"""API keys: what each key may do. Every route that needs a key asks `Keys.authorise`.

A key's secret is derived from the master key and the key's uid, so the store need not have it.
"""

import hashlib
import hmac
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from deploy.searchnode.clock import now
from deploy.searchnode.errors import ApiError, snake_case
from deploy.searchnode.http.new_key import NewKey, check, expiry, moment_of
from deploy.searchnode.storage.keys import KeyRecord
from deploy.searchnode.storage.store import Store
from deploy.searchnode.values import Json, JsonObject

# (name, actions, description) of the keys that every node with a master key has, as in Meilisearch.
_DEFAULT_KEYS = (
    (
        "Default Read-Only Admin API Key",
        ["*.get", "keys.get"],
        "Use it to read information across "
        "the whole database. Caution! Do not expose this key on a public frontend",
    ),
    (
        "Default Admin API Key",
        ["*"],
        "Use it for anything that is not a search operation. Caution! Do not expose it on a public frontend",
    ),
    ("Default Search API Key", ["search"], "Use it to search from the frontend"),
)
_IMMUTABLE = ("uid", "actions", "indexes", "expiresAt", "createdAt", "updatedAt")


class Key(KeyRecord):
    """A key as the API shows it, with its secret."""

    key: str


@dataclass(frozen=True)
class Grant:
    """The indexes that a caller may see, as uids or patterns that end with `*`."""

    patterns: tuple[str, ...] = ("*",)

    @property
    def everything(self) -> bool:
        """Whether the caller may see every index."""
        return "*" in self.patterns

    def covers(self, index: str) -> bool:
        """Return whether the caller may see this index."""
        return any(p in ("*", index) or (p.endswith("*") and index.startswith(p[:-1])) for p in self.patterns)


class Keys:
    """The keys of one node. Without a master key everybody may do everything."""

    def __init__(self, store: Store, master: str | None) -> None:
        """Use the keys of a store; the first start with a master key creates the default keys."""
        self.store, self.master = store, master
        # All keys as the API shows them, until a key changes.
        self._known: list[Key] | None = None
        if master and store.meta("defaultKeys", "missing") == "missing":
            with store.transaction():
                for name, actions, description in _DEFAULT_KEYS:
                    self.create(
                        {
                            "name": name,
                            "description": description,
                            "actions": [*actions],
                            "indexes": ["*"],
                            "expiresAt": None,
                        }
                    )
                store.set_meta("defaultKeys", "made")

    def secret(self, uid: str) -> str:
        """Return the secret of a key: what callers send."""
        return hmac.new((self.master or "").encode(), uid.encode(), hashlib.sha256).hexdigest()

    def all(self) -> list[Key]:
        """Return every key with its secret, the newest first."""
        if self._known is None:
            self._known = [self._with_secret(record) for record in self.store.keys.all()]
        return self._known

    def get(self, name: str) -> Key:
        """Return a key by its uid or its secret.

        Raises:
            ApiError: There is no such key.
        """
        for key in self.all():
            if name in (key["uid"], key["key"]):
                return key
        raise ApiError("api_key_not_found", f"API key `{name}` not found.")

    def create(self, body: Json) -> Key:
        """Create a key from the body of a request.

        Raises:
            ApiError: With the code of the first wrong field; the uid is taken.
        """
        if not isinstance(body, dict):
            raise ApiError("bad_request", "Expected an object.")
        for field, value in body.items():
            check(field, value)
        for field in ("actions", "indexes", "expiresAt"):
            if field not in body:
                raise ApiError(f"missing_api_key_{snake_case(field)}", f"Missing field `{field}`")
        new = msgspec.convert(body, NewKey)
        record: KeyRecord = {
            "name": new.name,
            "description": new.description,
            "uid": new.uid or str(uuid.uuid4()),
            "actions": new.actions,
            "indexes": new.indexes,
            "expiresAt": expiry(body["expiresAt"]),
            "createdAt": now(),
            "updatedAt": now(),
        }
        if not self.store.keys.add(record):
            raise ApiError(
                "api_key_already_exists",
                f"`uid` field value `{record['uid']}` is already an existing API key.",
            )
        self._known = None
        return self._with_secret(record)

    def update(self, name: str, body: JsonObject) -> Key:
        """Change the name or the description of a key; nothing else can change.

        Raises:
            ApiError: There is no such key, or a field is wrong or cannot change.
        """
        key = self.get(name)
        for field, value in body.items():
            if field in _IMMUTABLE:
                raise ApiError(f"immutable_api_key_{snake_case(field)}", f"Immutable field `{field}`")
            if field not in ("name", "description"):
                raise ApiError("bad_request", f"Unknown field `{field}`.")
            if value is not None and not isinstance(value, str):
                raise ApiError(f"invalid_api_key_{field}", f"Invalid value type at `.{field}`.")
        record = msgspec.convert({**key, **body, "updatedAt": now()}, KeyRecord)
        self.store.keys.update(record)
        self._known = None
        return self._with_secret(record)

    def delete(self, name: str) -> None:
        """Delete a key by its uid or its secret; raises ApiError when there is none."""
        self.store.keys.delete(self.get(name)["uid"])
        self._known = None

    def authorise(self, header: str | None, action: str, index: str | None) -> Grant:
        """Check what a caller may do.

        Args:
            header: The request's `Authorization`; None when it has none.
            action: What the caller wants to do, as `new_key.ACTIONS` names it.
            index: The uid of the index it is about; None when it is about none or several.

        Returns:
            The indexes that the caller may see.

        Raises:
            ApiError: There is no key, or it does not allow this.
        """
        if not self.master:
            return Grant()
        if header is None:
            raise ApiError(
                "missing_authorization_header",
                "The Authorization header is missing. It must use the bearer authorization method.",
            )
        secret = header.removeprefix("Bearer ").strip().encode()
        if hmac.compare_digest(secret, self.master.encode()):
            return Grant()
        for key in self.all():
            if hmac.compare_digest(secret, key["key"].encode()):
                grant = Grant(tuple(key["indexes"]))
                if _allows(key, action) and (index is None or grant.covers(index)):
                    return grant
                break
        raise ApiError("invalid_api_key", "The provided API key is invalid.")

    def _with_secret(self, record: KeyRecord) -> Key:
        return {
            "name": record["name"],
            "description": record["description"],
            "key": self.secret(record["uid"]),
            "uid": record["uid"],
            "actions": record["actions"],
            "indexes": record["indexes"],
            "expiresAt": record["expiresAt"],
            "createdAt": record["createdAt"],
            "updatedAt": record["updatedAt"],
        }


def _allows(key: Key, action: str) -> bool:
    """Return whether a key that has not ended allows an action."""
    group, _, verb = action.partition(".")
    if not {"*", action, f"{group}.*", f"*.{verb}"} & set(key["actions"]):
        return False
    end = moment_of(key["expiresAt"])
    return end is None or end > datetime.now(UTC)
