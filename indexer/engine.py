"""The search engine: the official client for writes and management, one pooled client for reads."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
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
_decode = msgspec.json.Decoder().decode
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
    if error.status_code >= 500 or error.status_code == 429 or not _blames_request(error.__dict__):
        return EngineUnavailableError(f"{error.status_code} {error.code or 'unknown'}")
    return EngineRejectedError(str(error.code), str(error), error.status_code)


def _blames_request(error: dict[str, Any]) -> bool:
    return error.get("type") == "invalid_request" and bool(error.get("code"))


class Engine:
    """Writes and management, synchronous, for the sender, jobs and the CLI.

    Every method raises EngineUnavailableError or EngineRejectedError.
    """

    def __init__(self, settings: IndexerSettings) -> None:
        self.settings = settings
        self.client = meilisearch.Client(
            settings.meili_url, settings.meili_key or None, timeout=int(settings.write_timeout) or 1
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

    def settings_of(self, uid: str) -> dict[str, Any]:
        """The index's settings."""
        return self._call("settings", lambda: dict(self.client.index(uid).get_settings()))

    def swap(self, one: str, other: str) -> int:
        """Exchange two indexes; returns the task to wait for. Doing it twice undoes it."""
        pair: Any = [{"indexes": [one, other]}]
        return self._call("swap", lambda: int(self.client.swap_indexes(pair).task_uid))

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

    def send(self, uid: str, documents: Sequence[dict[str, Any]]) -> Ticket:
        """Replace these documents; returns the task to wait for."""
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
    if not _blames_request(error):
        return EngineUnavailableError(str(error.get("code", task["status"])))
    return EngineRejectedError(str(error["code"]), str(error.get("message", "")), 200)


_SETS = {"filterableAttributes", "sortableAttributes", "disableOnWords", "disableOnAttributes"}


def _same(name: str, live: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(live, dict):
        return all(_same(inner, live.get(inner), value) for inner, value in wanted.items())
    if name in _SETS and isinstance(live, list):
        return sorted(map(str, live)) == sorted(wanted)
    return bool(live == wanted)


class SearchClient:
    """Reads on the event loop: one pool, bounded concurrency, a breaker, one retry.

    Raises EngineUnavailableError or EngineRejectedError.
    """

    def __init__(self, settings: IndexerSettings) -> None:
        self.settings = settings
        self.index = settings.meili_index
        self._slots = asyncio.Semaphore(settings.max_concurrency)
        self._session: aiohttp.ClientSession | None = None
        self._failures = 0
        self._open_until = 0.0
        self._trying = False

    async def start(self) -> None:
        """Open the pool; connects on the first search."""
        key = self.settings.meili_search_key or self.settings.meili_key
        self._session = aiohttp.ClientSession(
            base_url=self.settings.meili_url.rstrip("/") + "/",
            connector=aiohttp.TCPConnector(
                limit=self.settings.max_concurrency, keepalive_timeout=60
            ),
            timeout=aiohttp.ClientTimeout(
                total=self.settings.read_timeout, connect=self.settings.connect_timeout
            ),
            # On a local network packing an answer costs more than sending it.
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity"}
            | ({"Authorization": f"Bearer {key}"} if key else {}),
            skip_auto_headers=("User-Agent", "Accept"),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()

    @property
    def open(self) -> bool:
        """Is the breaker open: are searches refused without asking?"""
        return self._open_until > time.monotonic() or self._trying

    async def search(self, body: dict[str, Any]) -> dict[str, Any]:
        """The decoded answer of a search in the product's index."""
        raw = await self._post("search", f"indexes/{self.index}/search", _encode(body))
        with understood():
            return dict(_decode(raw))

    async def multi_search(self, queries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The answers of several searches in one request."""
        asked = {"queries": [{"indexUid": self.index, **query} for query in queries]}
        raw = await self._post("multi_search", "multi-search", _encode(asked))
        with understood():
            return list(_decode(raw)["results"])

    async def healthy(self) -> bool:
        """Does the engine answer now? Ignores the breaker."""
        if self._session is None:
            return False
        try:
            async with self._session.get("health") as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _post(self, operation: str, path: str, body: bytes) -> bytes:
        if self.open:
            metrics.ENGINE_SECONDS.labels(operation, "refused").observe(0)
            raise EngineUnavailableError("the engine failed just now and is given time to recover")
        # After the pause one search goes first; the others wait for its outcome.
        probing = self._failures >= self.settings.breaker_failures
        self._trying = probing
        started = time.perf_counter()
        outcome = "ok"
        try:
            async with self._slots:
                raw = await self._send(path, body)
        except EngineRejectedError:
            outcome = "rejected"
            self._succeeded()
            raise
        except EngineUnavailableError:
            outcome = "unavailable"
            self._failed()
            raise
        else:
            self._succeeded()
            return raw
        finally:
            if probing:
                self._trying = False
            metrics.ENGINE_SECONDS.labels(operation, outcome).observe(time.perf_counter() - started)

    async def _send(self, path: str, body: bytes) -> bytes:
        if self._session is None:
            raise EngineUnavailableError("the client is not started")
        for attempt in (1, 2):
            try:
                async with self._session.post(path, data=body) as response:
                    raw = await response.read()
                    if response.status == 200:
                        return raw
                    raise _refusal(response.status, raw)
            except (aiohttp.ServerDisconnectedError, ConnectionResetError) as error:
                # A pooled connection the engine had closed: a fresh one deserves one try.
                if attempt == 2:
                    raise EngineUnavailableError(str(error)) from error
            except (aiohttp.ClientError, TimeoutError) as error:
                raise EngineUnavailableError(f"{type(error).__name__}: {error}") from error
        raise AssertionError

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= self.settings.breaker_failures:
            self._open_until = time.monotonic() + self.settings.breaker_seconds
            metrics.BREAKER.labels("search").set(1)

    def _succeeded(self) -> None:
        if self._failures:
            metrics.BREAKER.labels("search").set(0)
        self._failures = 0


@contextmanager
def understood() -> Iterator[None]:
    """Reading an answer: one that does not read as it should is none. Raises EngineUnavailableError."""
    try:
        yield
    except (LookupError, TypeError, ValueError) as error:
        raise EngineUnavailableError(f"an answer that makes no sense: {error!r}") from error


# A missing index, or one that has no settings yet, is being made by the sender: wait for it. What
# we ask for is filterable and sortable as soon as the settings are there.
_NOT_READY = {
    "index_not_found", "invalid_search_filter", "invalid_search_sort", "invalid_search_facets",
    "invalid_search_attributes_to_search_on",
}  # fmt: skip


def _refusal(status: int, raw: bytes) -> Exception:
    try:
        body = dict(_decode(raw))
    except (TypeError, ValueError):
        body = {}
    code = str(body.get("code", "unknown"))
    if status >= 500 or status == 429 or code in _NOT_READY or not _blames_request(body):
        return EngineUnavailableError(f"{status} {code}")
    return EngineRejectedError(code, str(body.get("message", "")), status)
