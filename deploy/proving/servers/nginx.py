"""The edge: nginx from the files of deploy/edge, with this machine's addresses in them."""

import re
import signal
from collections.abc import Sequence
from pathlib import Path

from deploy.local.process import Child
from deploy.local.servers import postgres
from deploy.local.stack import answers
from deploy.proving import debian

FILES = Path(__file__).parents[2] / "edge"
_SERVER = re.compile(r"^( +server) \S+(.*;)$", re.MULTILINE)


def configure(folder: Path, address: str, instances: Sequence[str], balancers: Sequence[str] = ()) -> None:
    """Write the configuration and make the folders that it needs.

    Args:
        folder: Becomes the prefix of nginx.
        address: Where it listens, as host:port.
        instances: The instances of the API, as host:port.
        balancers: Addresses of balancers before the edge.
    """
    for name in ("conf", "logs", "cache"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for file in FILES.glob("*.conf"):
        (folder / "conf" / file.name).write_text(file.read_text())
    conf = folder / "conf"
    upstream = (FILES / "upstream.conf").read_text()
    servers = list(_SERVER.finditer(upstream))
    lines = "\n".join(f"{servers[0][1]} {instance}{servers[0][2]}" for instance in instances)
    upstream = upstream[: servers[0].start()] + lines + upstream[servers[-1].end() :]
    (conf / "upstream.conf").write_text(upstream)
    listening = (FILES / "listen.conf").read_text().replace("listen 8080", f"listen {address}")
    (conf / "listen.conf").write_text(listening)
    if balancers:
        commented = (FILES / "balancers.conf").read_text()
        lines = "\n".join(f"set_real_ip_from {network};" for network in balancers)
        (conf / "balancers.conf").write_text(
            re.sub(r"# (real_ip\w+ .+;)", r"\1", commented.replace("# set_real_ip_from 10.0.0.0/8;", lines))
        )


def command(folder: Path, *options: str) -> list[str]:
    """Return the command line of nginx over the configuration in `folder`."""
    # As root it would answer as www-data, which may not read the folder.
    prefix, _ = postgres.as_ordinary_user()
    program = str(debian.find("nginx"))
    return [*prefix, program, "-p", str(folder), "-c", str(folder / "conf" / "nginx.conf"), *options]


def child(folder: Path, address: str) -> Child:
    """Return nginx as a child to start; it answers when an instance of the API does."""
    return Child(
        "nginx",
        command(folder, "-g", "daemon off;"),
        lambda: answers(f"http://{address}/health/live"),
        f"http://{address}",
        stop_signal=signal.SIGTERM,
    )
