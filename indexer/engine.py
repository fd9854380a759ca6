"""One search engine: the official client for writes and management. Searches: `indexer.search`."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

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
T = TypeVar("T")


class EngineUnavailableError(Exception):
    """The engine cannot be reached, is overloaded or does not answer in time: try again later."""


class EngineRejectedError(Exception):
    """The engine understood and refused. `code` is its own."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True, slots=True)
class Ticket:
    """A task as the engine announced it. Its number alone proves nothing: an engine that was wiped
    counts from the beginning, and a damaged answer may name another's."""

    uid: int
    index: str
    enqueued_at: str

    @classmethod
    def read(cls, answer: Any) -> "Ticket":
        """From the answer to a write."""
        return cls(int(answer["taskUid"]), str(answer["indexUid"]), str(answer["enqueuedAt"]))


def _translate(error: Exception) -> Exception:
    if not isinstance(error, MeilisearchApiError):
        # Among them an answer that cannot be read: it says neither yes nor no.
        return EngineUnavailableError(f"{type(error).__name__}: {error}")
    # Only what the engine says of the request itself is a refusal; full disks, overload, a key that
    # is not good (any more) and answers from others than the engine pass.
    if error.status_code >= 500 or error.status_code == 429 or not blames_request(error.__dict__):
        return EngineUnavailableError(f"{error.status_code} {error.code or 'unknown'}")
    return EngineRejectedError(str(error.code), str(error), error.status_code)


def blames_request(error: dict[str, Any]) -> bool:
    """Does the engine say that the request itself is wrong?"""
    return error.get("type") == "invalid_request" and bool(error.get("code"))


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

    def _call(self, operation: str, ask: Callable[[], T]) -> T:
        """Ask and read the answer; one that does not read as it should is none."""
        started = time.perf_counter()
        outcome = "ok"
        try:
            return ask()
        except (
            MeilisearchApiError,
            MeilisearchCommunicationError,
            MeilisearchTimeoutError,
            requests.RequestException,
            LookupError,
            TypeError,
            ValueError,
        ) as error:
            translated = _translate(error)
            outcome = "rejected" if isinstance(translated, EngineRejectedError) else "unavailable"
            raise translated from error
        finally:
            metrics.ENGINE_SECONDS.labels(operation, outcome).observe(time.perf_counter() - started)

    def healthy(self) -> bool:
        """Does it answer that it is available?"""
        try:
            return self._call("health", lambda: self.client.health()["status"] == "available")
        except (EngineUnavailableError, EngineRejectedError):
            return False

    def created_at(self, uid: str) -> str | None:
        """When the index was made, which tells a wiped engine from the old one; None without it."""
        try:
            return self._call("index", lambda: str(self.client.get_raw_index(uid)["createdAt"]))
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
            made = self._call("create", lambda: self.client.create_index(uid, {"primaryKey": "id"}))
            self.finished(made.task_uid, accept=("index_already_exists",))
        live = self.settings_of(uid)
        other = {n: v for n, v in wanted.items() if not _same(n, live.get(n), v)}
        left = [n for n in index_settings.REBUILDING if n in other] if self.count(uid) else []
        changed = {n: v for n, v in other.items() if n not in left}
        if changed:
            task = self._call("settings", lambda: self.client.index(uid).update_settings(changed))
            self.finished(task.task_uid)
        return left

    def copy_keys(self, other: "Engine") -> bool:
        """Make the other engine's keys here, with their ids; False when ours may not. A key's value
        follows from its id and the master key, so it is the same where the master key is.

        Raises EngineRejectedError when a key has another value here."""
        http = self.client.http
        try:
            wanted = self._call("keys", lambda: list(other.client.http.get("keys?limit=100")["results"]))  # fmt: skip
        except EngineUnavailableError:
            return False
        for key in wanted:
            same = {n: key[n] for n in ("uid", "name", "description", "actions", "indexes", "expiresAt")}  # fmt: skip
            try:
                made = self._call("keys", partial(http.post, "keys", same))
            except EngineRejectedError as error:
                if error.code != "api_key_already_exists":
                    raise
                made = self._call("keys", partial(http.get, f"keys/{key['uid']}"))
            if made["key"] != key["key"]:
                raise EngineRejectedError("invalid_api_key", "its master key is another", 403)
        return True

    def settings_of(self, uid: str) -> dict[str, Any]:
        """The index's settings."""
        return self._call("settings", lambda: dict(self.client.index(uid).get_settings()))

    def swap(self, one: str, other: str) -> int:
        """Exchange two indexes; returns the task to wait for. Doing it twice undoes it."""
        pair: Any = [{"indexes": [one, other]}]
        return self._call("swap", lambda: int(self.client.swap_indexes(pair).task_uid))

    def swapping(self) -> bool:
        """Does a swap wait or go on? Until it has ended what is where says nothing."""
        path = "tasks?types=indexSwap&statuses=enqueued,processing&limit=1"
        return self._call("swap", lambda: bool(self.client.http.get(path)["results"]))

    def drop_index(self, uid: str) -> None:
        """Delete an index; one that is gone is fine."""
        task = self._call("drop", lambda: self.client.index(uid).delete())
        self.finished(task.task_uid, accept=("index_not_found",))

    def index_uids(self) -> list[str]:
        """The names of all indexes."""
        path = "indexes?limit=1000"
        return self._call(
            "indexes", lambda: [row["uid"] for row in self.client.http.get(path)["results"]]
        )

    def send(self, uid: str, documents: Sequence[dict[str, Any] | msgspec.Raw]) -> Ticket:
        """Replace these documents (encoded or not); returns the task to wait for."""
        return self._write("send", f"indexes/{uid}/documents?primaryKey=id", _encode(documents))

    def delete(self, uid: str, ids: Sequence[int]) -> Ticket:
        """Delete these documents; returns the task to wait for."""
        return self._write("delete", f"indexes/{uid}/documents/delete-batch", _encode(ids))

    def _write(self, operation: str, path: str, body: bytes) -> Ticket:
        return self._call(operation, lambda: Ticket.read(self.client.http.post(path, body)))

    def task(self, asked: Ticket | int) -> dict[str, Any] | None:
        """A task's state, or None when the engine knows no such task (any more)."""
        uid = asked.uid if isinstance(asked, Ticket) else asked
        try:
            found = self._call("task", lambda: _task(self.client.http.get(f"tasks/{uid}")))
        except EngineRejectedError as error:
            if error.code == "task_not_found":
                return None
            raise
        if isinstance(asked, Ticket) and asked != Ticket.read(found | {"taskUid": found["uid"]}):
            return None
        return found

    def finished(
        self, asked: Ticket | int, *, timeout: float = 60, accept: Sequence[str] = ()
    ) -> None:
        """Wait until the task succeeded. Raises EngineRejectedError with the task's own error,
        EngineUnavailableError when it takes longer than `timeout` seconds or vanished."""
        deadline = time.monotonic() + timeout
        pause = 0.005
        while time.monotonic() < deadline:
            task = self.task(asked)
            if task is None:
                raise EngineUnavailableError(f"{asked} vanished")
            if task["status"] == "succeeded":
                return
            if task["status"] in ("failed", "canceled"):
                error = failure(task)
                if not isinstance(error, EngineRejectedError) or error.code not in accept:
                    raise error
                return
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)
        raise EngineUnavailableError(f"{asked} not finished after {timeout} s")

    def documents(self, uid: str, *, fields: list[str], offset: int = 0, limit: int = 1000,
                  where: str | None = None) -> tuple[list[dict[str, Any]], int]:  # fmt: skip
        """A page of documents as stored, and how many there are."""
        body = {"fields": fields, "offset": offset, "limit": limit, "filter": where}
        path = f"indexes/{uid}/documents/fetch"

        def read() -> tuple[list[dict[str, Any]], int]:
            page = self.client.http.post(path, body)
            return list(page["results"]), int(page["total"])

        return self._call("fetch", read)

    def count(self, uid: str) -> int:
        """Documents in the index."""
        return self._call(
            "stats", lambda: int(self.client.index(uid).get_stats().number_of_documents)
        )

    def multi_search(self, queries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The answers of several searches, each naming its index."""
        asked = list(queries)
        return self._call("multi_search", lambda: list(self.client.multi_search(asked)["results"]))

    def prune_tasks(self, before: str) -> None:
        """Forget finished tasks that ended before this moment (RFC 3339)."""
        query = {"statuses": "succeeded,failed,canceled", "beforeFinishedAt": before}
        self._call("prune", lambda: self.client.delete_tasks(query))


def _task(answer: Any) -> dict[str, Any]:
    """An answer that reads as a task. Raises LookupError, TypeError or ValueError."""
    found = dict(answer)
    Ticket.read(found | {"taskUid": found["uid"]})
    if found["status"] not in ("enqueued", "processing", "succeeded", "failed", "canceled"):
        raise ValueError(f"no task has the status {found['status']!r}")
    return found


def failure(task: dict[str, Any]) -> EngineUnavailableError | EngineRejectedError:
    """Why a task failed: what was asked for, or a trouble of the engine's that passes."""
    error = task.get("error") or {}
    if not blames_request(error):
        return EngineUnavailableError(str(error.get("code", task["status"])))
    return EngineRejectedError(str(error["code"]), str(error.get("message", "")), 200)


_SETS = {"filterableAttributes", "sortableAttributes", "disableOnWords", "disableOnAttributes"}


def _same(name: str, live: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(live, dict):
        return all(_same(inner, live.get(inner), value) for inner, value in wanted.items())
    if name in _SETS and isinstance(live, list):
        return sorted(map(str, live)) == sorted(wanted)
    return bool(live == wanted)


@contextmanager
def understood() -> Iterator[None]:
    """Reading an answer: one that does not read as it should is none. Raises EngineUnavailableError."""
    try:
        yield
    except (LookupError, TypeError, ValueError) as error:
        raise EngineUnavailableError(f"an answer that makes no sense: {error!r}") from error
