"""One search engine, synchronously: writes, tasks and management, for the sender, jobs and the CLI.

Listeners' searches go through `indexer.engines.search`.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from catalog.core import tracing
from catalog.core.actor import current_request_id
from indexer import metrics
from indexer.engines import index_settings
from indexer.engines.document import Document
from indexer.engines.errors import EngineRejectedError, EngineUnavailableError, failures, translated
from indexer.engines.messages import Accepted, ManyResults, Queries, Query, Results, Task, Ticket
from indexer.settings import IndexerSettings

_encode = msgspec.json.Encoder().encode
T = TypeVar("T")
R = TypeVar("R", bound=msgspec.Struct)
_FIRST_PAUSE, _LONGEST_PAUSE, _PAUSE_GROWTH = 0.005, 0.25, 1.5


class Engine:
    """One engine.

    Every method raises EngineUnavailableError, and EngineRejectedError where it does not say otherwise.
    """

    def __init__(self, settings: IndexerSettings, url: str | None = None) -> None:
        """Connects with the first request.

        Args:
            settings: The keys and the timeouts.
            url: The engine's address; without it, the first address that the settings name.
        """
        import meilisearch  # here: the API and the scheduler import this module, and make no engine

        self.url = url or next(iter(settings.configured_engines.values()))
        key, timeout, asked_by = settings.meili_key or None, int(settings.write_timeout), current_request_id()
        headers = {"X-Request-Id": asked_by} if asked_by else None
        self.client = meilisearch.Client(self.url, key, timeout or 1, custom_headers=headers)
        self._meanwhile: Callable[[], object] = lambda: None
        self._where = {"server.address": urlsplit(self.url).hostname or ""}

    @contextmanager
    def calling(self, beat: Callable[[], object]) -> Iterator[None]:
        """Call `beat` at least every second while `finished` waits for a task, until the block ends."""
        self._meanwhile = beat
        try:
            yield
        finally:
            self._meanwhile = lambda: None

    def _call(self, operation: str, ask: Callable[[], T]) -> T:
        """Ask, and read the answer; an answer that cannot be read counts as none.

        Args:
            operation: What is asked, as metrics name it.
            ask: Asks and reads.

        Raises:
            EngineUnavailableError: There is no answer that can be read.
            EngineRejectedError: The engine refuses.
        """
        started = time.perf_counter()
        outcome = "ok"
        # Looks at a task that goes on are many, and say nothing.
        traced = (
            tracing.NOTHING
            if operation == "task"
            else tracing.span(f"engine {operation}", self._where, kind="client")
        )
        with traced as span:
            try:
                return ask()
            except failures() as error:
                ours = translated(error)
                outcome = "rejected" if isinstance(ours, EngineRejectedError) else "unavailable"
                raise ours from error
            finally:
                taken = time.perf_counter() - started
                metrics.ENGINE_SECONDS.labels(operation, outcome).observe(taken, span.exemplar())

    def healthy(self) -> bool:
        """Return whether it answers that it is available. Raises nothing."""
        try:
            return self._call("health", lambda: self.client.health()["status"] == "available")
        except (EngineUnavailableError, EngineRejectedError):
            return False

    # -- indexes

    def created_at(self, uid: str) -> str | None:
        """Return when the index was made, or None when there is none.

        The moment tells an index from one that was made anew under the same name, on a wiped engine.

        Raises:
            EngineUnavailableError: The engine is away.
            EngineRejectedError: The engine refuses to answer.
        """
        try:
            return self._call("index", lambda: str(self.client.get_raw_index(uid)["createdAt"]))
        except EngineRejectedError as error:
            if error.code == "index_not_found":
                return None
            raise

    def prepare_index(self, uid: str, wanted: Mapping[str, object] = index_settings.SETTINGS) -> list[str]:
        """Make the index with these settings unless it is there with them.

        Returns:
            The names of the settings that were left as they are, because a change of them would make the engine
            index all its documents anew.
        """
        if self.created_at(uid) is None:
            made = self._call("create", lambda: self.client.create_index(uid, {"primaryKey": "id"}))
            self.finished(made.task_uid, accept=("index_already_exists",))
        live = self.settings_of(uid)
        other = {n: v for n, v in wanted.items() if not index_settings.same(n, live.get(n), v)}
        left = [n for n in index_settings.REBUILDING if n in other] if self.count(uid) else []
        changed = {n: v for n, v in other.items() if n not in left}
        if changed:
            task = self._call("settings", lambda: self.client.index(uid).update_settings(changed))
            self.finished(task.task_uid)
        return left

    def settings_of(self, uid: str) -> dict[str, object]:
        """Return the settings of an index."""
        return self._call("settings", lambda: dict(self.client.index(uid).get_settings()))

    def swap(self, uid: str, other: str) -> int:
        """Exchange two indexes; return the uid of the task to wait for. A second swap undoes the first."""
        body = [{"indexes": [uid, other]}]
        return self._call("swap", lambda: int(self.client.http.post("swap-indexes", body)["taskUid"]))

    def swapping(self) -> bool:
        """Return whether a swap waits or goes on. Until it has ended nobody knows which index is where."""
        path = "tasks?types=indexSwap&statuses=enqueued,processing&limit=1"
        return self._call("swap", lambda: bool(self.client.http.get(path)["results"]))

    def drop_index(self, uid: str) -> None:
        """Delete an index; do nothing when there is none."""
        task = self._call("drop", lambda: self.client.index(uid).delete())
        self.finished(task.task_uid, accept=("index_not_found",))

    def index_uids(self) -> list[str]:
        """Return the names of all indexes."""
        path = "indexes?limit=1000"
        return self._call("indexes", lambda: [row["uid"] for row in self.client.http.get(path)["results"]])

    # -- documents

    def send(self, uid: str, documents: Sequence[Document | msgspec.Raw | Mapping[str, object]]) -> Ticket:
        """Replace these documents, whole or encoded already; return the task to wait for."""
        return self._write("send", f"indexes/{uid}/documents?primaryKey=id", _encode(documents))

    def delete(self, uid: str, ids: Sequence[int]) -> Ticket:
        """Delete these documents; return the task to wait for."""
        return self._write("delete", f"indexes/{uid}/documents/delete-batch", _encode(ids))

    def _write(self, operation: str, path: str, body: bytes) -> Ticket:
        def write() -> Ticket:
            return msgspec.convert(self.client.http.post(path, body), Accepted).ticket

        return self._call(operation, write)

    def documents(
        self, uid: str, row: type[R], *, offset: int = 0, limit: int = 1000, where: str | None = None
    ) -> tuple[list[R], int]:
        """Return a page of documents as they are stored, and how many there are in all.

        Args:
            uid: The index.
            row: The type to read each document as; only its fields are asked for.
            offset: Documents to pass over.
            limit: Documents on the page at the most.
            where: The engine's filter; without it, all documents.
        """
        fields = [field.encode_name for field in msgspec.structs.fields(row)]
        body = {"fields": fields, "offset": offset, "limit": limit, "filter": where}
        path = f"indexes/{uid}/documents/fetch"

        def read() -> tuple[list[R], int]:
            page = self.client.http.post(path, body)
            rows = msgspec.convert(page["results"], list[row])  # type: ignore[valid-type]  # a type made at run time
            return rows, int(page["total"])

        return self._call("fetch", read)

    def count(self, uid: str) -> int:
        """Return the number of documents in the index."""
        return self._call("stats", lambda: int(self.client.index(uid).get_stats().number_of_documents))

    def multi_search(self, queries: Sequence[Query], hit: type[T]) -> list[Results[T]]:
        """Return the answers to several searches, each of which names its index; their hits are read as `hit`."""
        body = _encode(Queries(list(queries)))
        answer: type[ManyResults[T]] = ManyResults[hit]  # type: ignore[valid-type]  # a type made at run time

        def read() -> list[Results[T]]:
            return msgspec.convert(self.client.http.post("multi-search", body), answer).results

        return self._call("multi_search", read)

    # -- tasks

    def task(self, asked_for: Ticket | int) -> Task | None:
        """Return the state of a task, or None when the engine has no such task (any more).

        Raises:
            EngineUnavailableError: The engine is away.
            EngineRejectedError: The engine refuses to answer.
        """
        uid = asked_for.uid if isinstance(asked_for, Ticket) else asked_for
        try:
            found = self._call("task", lambda: msgspec.convert(self.client.http.get(f"tasks/{uid}"), Task))
        except EngineRejectedError as error:
            if error.code == "task_not_found":
                return None
            raise
        if isinstance(asked_for, Ticket) and asked_for != found.ticket:
            return None
        return found

    def finished(self, asked_for: Ticket | int, *, timeout: float = 60, accept: Sequence[str] = ()) -> None:
        """Wait until the task succeeded.

        Args:
            asked_for: The task.
            timeout: Seconds to wait.
            accept: Codes of the engine's errors with which the task counts as succeeded.

        Raises:
            EngineRejectedError: The task failed, for the reason that the engine gives.
            EngineUnavailableError: The task takes longer, vanished, or failed for a trouble that passes.
        """
        deadline = time.monotonic() + timeout
        pause = _FIRST_PAUSE
        while time.monotonic() < deadline:
            task = self.task(asked_for)
            if task is None:
                raise EngineUnavailableError(f"{asked_for} vanished")
            if task.status == "succeeded":
                return
            if task.status in ("failed", "canceled"):
                error = task.failure
                if not isinstance(error, EngineRejectedError) or error.code not in accept:
                    raise error
                return
            self._meanwhile()
            time.sleep(pause)
            pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE)
        raise EngineUnavailableError(f"{asked_for} not finished after {timeout} s")

    def prune_tasks(self, before: datetime) -> None:
        """Have the engine forget the tasks that ended before this moment (in UTC)."""
        moment = before.isoformat().replace("+00:00", "Z")
        query = {"statuses": "succeeded,failed,canceled", "beforeFinishedAt": moment}
        self._call("prune", lambda: self.client.delete_tasks(query))

    # -- keys

    def copy_keys(self, other: "Engine") -> bool:
        """Make the keys of another engine here, with their ids.

        The value of a key follows from its id and the master key, so it is the same where the master key is.

        Returns:
            False when our key may not manage keys.

        Raises:
            EngineRejectedError: A key has another value here, because the master key is another.
        """
        try:
            wanted = self._call("keys", lambda: list(other.client.http.get("keys?limit=100")["results"]))
        except EngineUnavailableError:
            return False
        for key in wanted:
            same = {n: key[n] for n in ("uid", "name", "description", "actions", "indexes", "expiresAt")}
            made = self._made_or_found(same)
            if made["key"] != key["key"]:
                raise EngineRejectedError("invalid_api_key", "its master key is another", 403)
        return True

    def _made_or_found(self, key: Mapping[str, object]) -> Mapping[str, object]:
        http = self.client.http
        try:
            return self._call("keys", lambda: dict(http.post("keys", key)))
        except EngineRejectedError as error:
            if error.code != "api_key_already_exists":
                raise
        return self._call("keys", lambda: dict(http.get(f"keys/{key['uid']}")))
