"""The commands that docs/operations.md and docs/reliability.md have on lines of their own, run on a cluster.

Names of machines and folders that the pages make up become those of the cluster; nothing else is changed.
"""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from deploy.local.process import Child
from deploy.local.servers import engine, postgres
from deploy.local.stack import answers, thmanyah
from deploy.proving.cluster import Cluster
from deploy.proving.layout import Place
from deploy.proving.servers import postgres as servers
from tests.support.paths import ROOT

PAGES = ("docs/operations.md", "docs/reliability.md")
# How a measurement was made, and no step of a runbook: tests/faults/test_chaos.py runs two seeds.
_MEASURED = re.compile(r"for seed in .+ make chaos ")
_ASSIGNMENT = re.compile(r"[A-Z_]+=")
# A small catalogue is read from beginning to end, which the command marks and says with its status.
_MARKING = ("db", "explain")


def typed() -> list[str]:
    """Return the lines that a person types, in the order of the pages."""
    lines = [
        line
        for page in PAGES
        for line in re.findall(r"^ {4,}(\S.*)$", (ROOT / page).read_text(), re.MULTILINE)
    ]
    return [line for line in lines if not _ASSIGNMENT.match(line) and not _MEASURED.match(line)]


class Operator:
    """Types commands on a cluster.

    Attributes:
        cluster: Where.
        folder: In the place of /backup.
        further: The engine that is added.
    """

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder, self._rebuild = cluster, folder, ""
        # PostgreSQL's tools may run as another user.
        folder.chmod(0o755)
        place = Place(f"{cluster.layout.network}.59", 7700)
        variables = dict(
            engine.environment(engine.SEARCHNODE, folder / "c", place.port, cluster.parts.master_key)
        )
        self.further = Child(
            "engine-c",
            thmanyah("searchnode"),
            lambda: answers(f"{place.url}/health"),
            place.url,
            variables | {"MEILI_HTTP_ADDR": place.address},
        )
        (folder / "backup").mkdir()

    def start_further_engine(self) -> None:
        """Start the engine that is added, with the keys of the others.

        Raises:
            AssertionError: It does not start.
        """
        self.further.start(self.folder)
        assert self.further.wait_ready(60, lambda: False)
        engine.ensure_keys(self.further.where, self.cluster.parts.master_key)

    def type(self, line: str) -> str:
        """Run a line of a page; return what it printed.

        Raises:
            AssertionError: It failed.
        """
        words = [self._meant(word) for word in shlex.split(line)]
        layout, parts = self.cluster.layout, self.cluster.parts
        environment = os.environ | parts.environment | {"THMANYAH_PASSWORD": "correct horse battery staple 9"}
        environment |= {"PGUSER": postgres.SUPERUSER, "PGHOST": layout["primary"].host, "PGPORT": "5432"}
        match words[0]:
            case "thmanyah":
                words[:1] = thmanyah(words[1])[:-1]
                if "--rollback" in words:
                    words[words.index("--rollback") + 1] = self._rebuild
            case "valkey-cli":
                found = shutil.which("valkey-cli") or shutil.which("redis-cli")
                if found is None:
                    return "not installed"
                words[:1] = [found, "--user", "operator", "--pass", parts.redis.operator, "--no-auth-warning"]
            case "psql":
                if words[-1] == "RELOAD":
                    # The database and the host have the same name.
                    words[words.index("-h") + 1] = layout["pgbouncer"].host
                    environment |= {"PGUSER": servers.ROLE, "PGPASSWORD": parts.password}
                words[0] = str(postgres.BIN / words[0])
            case "pg_basebackup" | "pg_dump" | "pg_restore":
                words[0] = str(postgres.BIN / words[0])
        done = subprocess.run(
            words, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
        )
        said = done.stdout + done.stderr
        allowed = (0, 1) if tuple(shlex.split(line)[1:3]) == _MARKING else (0,)
        assert done.returncode in allowed, (line, done.returncode, said)
        assert "Traceback" not in said, (line, said)
        if found_id := re.match(r"reindex job (\d+)", said):
            self._rebuild = found_id[1]
        return said

    def _meant(self, word: str) -> str:
        """Return a word with the names of this cluster."""
        layout = self.cluster.layout
        if word == "--dbname=thmanyah":
            # An empty database, as the page says.
            with servers.admin(layout["primary"]) as connection:
                connection.execute("CREATE DATABASE restored")
            return "--dbname=restored"
        hosts = {
            "db-2": layout["replica"].host,
            "cache": layout["cache-1"].host,
            "cache-1:6379": layout["cache-1"].address,
            "http://engine-c:7700": self.further.where,
        }
        scratch = f"{postgres.SUPERUSER}@{layout['primary'].address}"
        meant = hosts.get(word, word).replace("postgres@scratch", scratch)
        return meant.replace("/backup", str(self.folder / "backup"))
