"""A primary and streaming replicas of it, for tests that hurt them."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from catalog.schema import migrate
from deploy.local import ports
from deploy.local.process import Child
from deploy.local.servers import postgres
from tests.support.databases import TEMPLATE, plain
from tests.support.servers import PREFIX, connects, in_memory


class Replicated:
    """A primary with a migrated template, and replicas named `a`, `b` and so on.

    Attributes:
        admin: Address of the primary's `postgres` database.
        ports: Server -> port.
    """

    def __init__(self, replicas: int = 1) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=in_memory()))
        self.names = ["primary", *"abcdef"[:replicas]]
        self.ports = {name: ports.ephemeral() for name in self.names}
        self.admin = postgres.url(self.ports["primary"], "postgres")
        self._children: dict[str, Child] = {}

    def start(self) -> None:
        """Start the primary, copy it, and start the replicas."""
        postgres.initialise(self.folder / "primary", durable=False)
        self.run("primary")
        with psycopg.connect(plain(self.admin), autocommit=True) as connection:
            # As in production: a commit that has returned is written, so `has_caught_up` waits for it. With "off" it
            # is written up to half a second later, and the replica seems to have everything.
            connection.execute(f"ALTER ROLE {postgres.SUPERUSER} SET synchronous_commit = on")
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        migrate.upgrade(postgres.url(self.ports["primary"], TEMPLATE))
        for name in self.names[1:]:
            self.copy(name)
            self.run(name)

    def copy(self, name: str) -> None:
        """Make the data of a replica from the primary."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        prefix, uid = postgres.as_ordinary_user()
        source = f"host=127.0.0.1 port={self.ports['primary']} user={postgres.SUPERUSER}"
        command = [*prefix, str(postgres.BIN / "pg_basebackup"), "-d", source, "-D", str(self.folder / name)]
        subprocess.run(
            [*command, "-R", "-X", "stream", "--checkpoint=fast", "--no-sync"],
            check=True,
            capture_output=True,
            user=uid,
            group=uid,
            env=postgres.environment(),
        )

    def run(self, name: str) -> None:
        """Start a server on its data, and wait until it answers."""
        address = postgres.url(self.ports[name], "postgres")
        child = self._children[name] = Child(
            name,
            postgres.server_command(self.folder / name, self.ports[name], durable=False),
            lambda: connects(address),
            "",
            base_environment=postgres.environment(),
            user=postgres.user(),
            # At SIGTERM it would wait until every client has left.
            stop_signal=signal.SIGINT,
        )
        child.start(self.folder / "logs")
        assert child.wait_ready(60, lambda: False), (self.folder / "logs" / f"{name}.log").read_text()

    def end(self, name: str) -> None:
        """Stop a server at once; its connections end."""
        self._children.pop(name).stop(timeout=0)

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """Stop every process of a server for the block: it neither answers nor refuses."""
        process = self._children[name].process
        assert process is not None
        postmaster = psutil.Process(process.pid)
        # Each of its processes has a session of its own, so there is no group to stop.
        stopped = [postmaster, *postmaster.children(recursive=True)]
        for part in stopped:
            part.suspend()
        try:
            yield
        finally:
            for part in stopped:
                part.resume()

    def url(self, name: str, database_url: str) -> str:
        """Return the address of the primary's database on another of the servers."""
        return postgres.url(self.ports[name], database_url.rpartition("/")[2])

    def ask(self, name: str, statement: str) -> object:
        """Return the first value of a statement on a server."""
        with psycopg.connect(
            plain(postgres.url(self.ports[name], "postgres")), autocommit=True
        ) as connection:
            row = connection.execute(statement).fetchone()
            return row[0] if row else None

    def pause(self, name: str) -> None:
        """Let a replica receive the log without replaying it."""
        self.ask(name, "SELECT pg_wal_replay_pause()")

    def resume(self, name: str) -> None:
        """Let a replica replay the log again."""
        self.ask(name, "SELECT pg_wal_replay_resume()")

    def has_caught_up(self, name: str) -> bool:
        """Return whether a replica has replayed everything that the primary has written."""
        written = self.ask("primary", "SELECT pg_current_wal_lsn() - '0/0'")
        replayed = self.ask(name, "SELECT pg_last_wal_replay_lsn() - '0/0'")
        return bool(replayed >= written)  # type: ignore[operator]  # both are numbers

    def stop(self) -> None:
        """End all servers and remove what they wrote."""
        for child in reversed(self._children.values()):
            child.stop(timeout=5)
        shutil.rmtree(self.folder, ignore_errors=True)
