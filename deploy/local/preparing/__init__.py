"""Prepares the local stack in a process of its own, which ends when everything runs.

What prepares needs the libraries of the whole product: a supervisor that imported them would hold them for as long as it
waits. Besides, the process imports them while the servers start. `steps` says what is done, `__main__` is the process.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import IO, Any, cast

from deploy.local.errors import LocalStackError
from indexer.process.stopping import end_with_parent

_END_SECONDS = 5


@dataclass(frozen=True)
class Facts:
    """What the steps must know of the stack.

    Attributes:
        database: The name of the database on the local PostgreSQL.
        database_url: The catalogue's database.
        postgres_port: Where the local PostgreSQL listens; None when the user named a server.
        engine_url: The local engine; None when the user named one.
        master_key: The local engine's.
        admin: The address of the first account.
        admin_password: Its password.
    """

    database: str
    database_url: str
    postgres_port: int | None
    engine_url: str | None
    master_key: str
    admin: str
    admin_password: str


class Preparer:
    """The process, as its parent speaks to it: a line of JSON for each step, and lines of JSON as the answer."""

    def __init__(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.preparing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509 (no other thread has a lock that it needs)
        )
        self._asked = cast("IO[str]", self._process.stdin)
        self._answers = cast("IO[str]", self._process.stdout)

    def ask(
        self, step: str, facts: Facts | None = None, say: Callable[[str], None] = lambda text: None
    ) -> Any:
        """Take a step and return what it returns.

        Args:
            step: A name in `steps.STEPS`.
            facts: What it must know.
            say: Gets a line about each slow part.

        Raises:
            LocalStackError: It failed, or the process was ended.
        """
        try:
            self._asked.write(json.dumps({"step": step, "facts": facts and asdict(facts)}) + "\n")
            self._asked.flush()
        except BrokenPipeError:
            raise LocalStackError("The preparation was ended.") from None
        for line in self._answers:
            answer = json.loads(line)
            if "failed" in answer:
                raise LocalStackError(answer["failed"])
            if "done" in answer:
                return answer["done"]
            say(answer["say"])
        raise LocalStackError("The preparation was ended.")

    def abandon(self) -> None:
        """End the process at once, in the middle of a step; who waits for the step learns that the process was ended."""
        self._process.kill()

    def close(self) -> None:
        """End the process; further calls do nothing."""
        for line in (self._asked, self._answers):
            with contextlib.suppress(BrokenPipeError):
                line.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
