"""One search engine: the official client for writes and management. Searches: `indexer.search`."""

import time
from collections.abc import Sequence
from typing import Any

import meilisearch
import msgspec
import requests
from meilisearch.errors import (
    MeilisearchApiError,
    MeilisearchCommunicationError,
    MeilisearchTimeoutError,
)

from indexer import index_settings, metrics
from indexer.settings import IndexerSettings

_encode = msgspec.json.Encoder().encode


class EngineUnavailableError(Exception):
    """The engine cannot be reached, is overloaded or does not answer in time: try again later."""


class EngineRejectedError(Exception):
    """The engine understood and refused. `code` is its own."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


def _translate(error: Exception) -> Exception:
    if isinstance(error, MeilisearchApiError):
        code = error.code or "unknown"
        # Full disks, overload and a key not yet known pass; a refusal of the request itself does not.
        if (
            error.status_code >= 500
            or error.status_code == 429
            or code
            in ("no_space_left_on_device", "invalid_api_key", "missing_authorization_header")
        ):
            return EngineUnavailableError(f"{error.status_code} {code}")
        return EngineRejectedError(code, str(error), error.status_code)
    return EngineUnavailableError(f"{type(error).__name__}: {error}")


class Engine:
    """Writes and management, synchronous, for the sender, jobs and the CLI.

    `url` is the engine's address; without one it is the first that the settings name. Every method
    raises EngineUnavailableError or EngineRejectedError.
    """

    def __init__(self, settings: IndexerSettings, url: str | None = None) -> None:
        self.url = url or next(iter(settings.configured_engines.values()))
        self.client = meilisearch.Client(
            self.url, settings.meili_key or None, timeout=int(settings.write_timeout) or 1
        )

    def _call(self, operation: str, function: Any, *arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        outcome = "ok"
        try:
            return function(*arguments, **named)
        except (
            MeilisearchApiError,
            MeilisearchCommunicationError,
            MeilisearchTimeoutError,
            requests.RequestException,
        ) as error:
            translated = _translate(error)
            outcome = "rejected" if isinstance(translated, EngineRejectedError) else "unavailable"
            raise translated from error
        finally:
            metrics.ENGINE_SECONDS.labels(operation, outcome).observe(time.perf_counter() - started)

    def healthy(self) -> bool:
        """Does it answer that it is available?"""
        try:
            return bool(self._call("health", self.client.health)["status"] == "available")
        except (EngineUnavailableError, EngineRejectedError):
            return False

    def created_at(self, uid: str) -> str | None:
        """When the index was made, which tells a wiped engine from the old one; None without it."""
        try:
            return str(self._call("index", self.client.get_raw_index, uid)["createdAt"])
        except EngineRejectedError as error:
            if error.code == "index_not_found":
                return None
            raise

    def prepare_index(
        self, uid: str, wanted: dict[str, Any] = index_settings.SETTINGS
    ) -> list[str]:
        """Make the index with these settings unless it is there with them.

        Settings that would make the engine index everything anew are left as they are once there
        are documents; their names are returned.
        """
        if self.created_at(uid) is None:
            task = self._call("create", self.client.create_index, uid, {"primaryKey": "id"})
            self.finished(task.task_uid, accept=("index_already_exists",))
        live = self.settings_of(uid)
        other = {n: v for n, v in wanted.items() if not _same(n, live.get(n), v)}
        left = [n for n in index_settings.REBUILDING if n in other] if self.count(uid) else []
        changed = {n: v for n, v in other.items() if n not in left}
        if changed:
            task = self._call("settings", self.client.index(uid).update_settings, changed)
            self.finished(task.task_uid)
        return left

    def copy_keys(self, other: "Engine") -> bool:
        """Make the other engine's keys here, with their ids; False when ours may not. A key's value
        follows from its id and the master key, so it is the same where the master key is.

        Raises EngineRejectedError when a key has another value here."""
        try:
            wanted = self._call("keys", other.client.http.get, "keys?limit=100")["results"]
        except EngineUnavailableError:
            return False
        for key in wanted:
            same = {n: key[n] for n in ("uid", "name", "description", "actions", "indexes", "expiresAt")}  # fmt: skip
            try:
                made = self._call("keys", self.client.http.post, "keys", same)
            except EngineRejectedError as error:
                if error.code != "api_key_already_exists":
                    raise
                made = self._call("keys", self.client.http.get, f"keys/{key['uid']}")
            if made["key"] != key["key"]:
                raise EngineRejectedError("invalid_api_key", "its master key is another", 403)
        return True

    def settings_of(self, uid: str) -> dict[str, Any]:
        """The index's settings."""
        return dict(self._call("settings", self.client.index(uid).get_settings))

    def swap(self, one: str, other: str) -> int:
        """Exchange two indexes; returns the task to wait for. Doing it twice undoes it."""
        task = self._call("swap", self.client.swap_indexes, [{"indexes": [one, other]}])
        return int(task.task_uid)

    def drop_index(self, uid: str) -> None:
        """Delete an index; one that is gone is fine."""
        task = self._call("drop", self.client.index(uid).delete)
        self.finished(task.task_uid, accept=("index_not_found",))

    def index_uids(self) -> list[str]:
        """The names of all indexes."""
        found = self._call("indexes", self.client.get_raw_indexes, {"limit": 1000})
        return [row["uid"] for row in found["results"]]

    def send(self, uid: str, documents: Sequence[dict[str, Any]]) -> int:
        """Replace these documents; returns the task to wait for."""
        raw = _encode(documents)
        task = self._call(
            "send", self.client.index(uid).add_documents_raw, raw, "id", "application/json"
        )
        return int(task.task_uid)

    def delete(self, uid: str, ids: Sequence[int]) -> int:
        """Delete these documents; returns the task to wait for."""
        path = f"indexes/{uid}/documents/delete-batch"
        task = self._call("delete", self.client.http.post, path, list(ids))
        return int(task["taskUid"])

    def task(self, uid: int) -> dict[str, Any] | None:
        """A task's state, or None when the engine no longer knows it."""
        try:
            found = self._call("task", self.client.http.get, f"tasks/{uid}")
        except EngineRejectedError as error:
            if error.code == "task_not_found":
                return None
            raise
        return dict(found)

    def finished(self, uid: int, *, timeout: float = 60, accept: Sequence[str] = ()) -> None:
        """Wait until the task succeeded. Raises EngineRejectedError with the task's own error,
        EngineUnavailableError when it takes longer than `timeout` seconds or vanished."""
        deadline = time.monotonic() + timeout
        pause = 0.005
        while time.monotonic() < deadline:
            task = self.task(uid)
            if task is None:
                raise EngineUnavailableError(f"task {uid} vanished")
            if task["status"] == "succeeded":
                return
            if task["status"] in ("failed", "canceled"):
                error = task.get("error") or {"code": task["status"], "message": ""}
                if error["code"] in accept:
                    return
                raise EngineRejectedError(error["code"], error["message"], 200)
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)
        raise EngineUnavailableError(f"task {uid} not finished after {timeout} s")

    def documents(self, uid: str, *, fields: list[str], offset: int = 0, limit: int = 1000,
                  where: str | None = None) -> tuple[list[dict[str, Any]], int]:  # fmt: skip
        """A page of documents as stored, and how many there are."""
        body = {"fields": fields, "offset": offset, "limit": limit, "filter": where}
        path = f"indexes/{uid}/documents/fetch"
        page = self._call("fetch", self.client.http.post, path, body)
        return page["results"], page["total"]

    def count(self, uid: str) -> int:
        """Documents in the index."""
        return int(self._call("stats", self.client.index(uid).get_stats).number_of_documents)

    def multi_search(self, queries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The answers of several searches, each naming its index."""
        found = self._call("multi_search", self.client.multi_search, list(queries))
        return list(found["results"])

    def prune_tasks(self, before: str) -> None:
        """Forget finished tasks that ended before this moment (RFC 3339)."""
        query = {"statuses": "succeeded,failed,canceled", "beforeFinishedAt": before}
        self._call("prune", self.client.delete_tasks, query)


_SETS = {"filterableAttributes", "sortableAttributes", "disableOnWords", "disableOnAttributes"}


def _same(name: str, live: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(live, dict):
        return all(_same(inner, live.get(inner), value) for inner, value in wanted.items())
    if name in _SETS and isinstance(live, list):
        return sorted(map(str, live)) == sorted(wanted)
    return bool(live == wanted)
