"""The ports that the product's processes listen on: one process has a port alone, another is refused.

Used by the API and the sender's /metrics, which listen, and by `thmanyah up`, which binds the port when it
chooses it and hands the socket to the process that will listen.

A port is asked for without SO_REUSEPORT: with it, the kernel shares the port among all processes that ask so.
"""

import contextlib
import errno
import os
import socket
import sys
from pathlib import Path

# Set by a supervisor that has bound the port for its child: the number of an inherited socket.
INHERITED = "THMANYAH_SOCKET"
_LISTENING = "0A"
_MAX_COMMAND = 120


class CannotListenError(Exception):
    """The port cannot be had. The text is one line for the person who started the process."""


def bind(host: str, port: int) -> socket.socket:
    """Take a port without answering there yet: from now on no other socket can be bound to it.

    Raises:
        CannotListenError: The port is taken, or the address is not one of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        taken = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListenError(f"cannot listen on {host}: {error.strerror}") from error
    try:
        # Connections of an earlier process that are still closing (TIME_WAIT) are no reason to refuse.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
        # Until somebody listens, two sockets that both have this option may be bound to one port.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    except OSError as error:
        taken.close()
        raise CannotListenError(refusal(host, port, error)) from error
    return taken


def claim(host: str, port: int) -> socket.socket:
    """Return the socket that a supervisor bound to this port for this process, or bind one.

    Raises:
        CannotListenError: The port is taken, or the address is not one of this machine.
    """
    number = os.environ.pop(INHERITED, "")
    if not number:
        return bind(host, port)
    found = socket.socket(fileno=int(number))
    found.set_inheritable(False)
    return found


def share_with_workers(bound: socket.socket) -> None:
    """Let this process's workers bind the port too, while `bound` goes on refusing everybody who asks for it alone.

    Linux looks at the options of both sockets, each time that one is bound: workers ask with SO_REUSEPORT.
    """
    if sys.platform == "linux":
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    else:
        # Elsewhere the options count at the first bind: the server takes the port over.
        bound.close()


def refusal(host: str, port: int, error: OSError) -> str:
    """Return one line for the person who started the process: why it cannot listen, and who has the port.

    Args:
        host: The address.
        port: The port.
        error: What binding or listening raised.
    """
    if error.errno != errno.EADDRINUSE:
        return f"cannot listen on {host} port {port}: {error.strerror}"
    return f"port {port} is taken by {taken_by(port) or 'another process'}"


def taken_by(port: int) -> str:
    """Return "pid 123 (its command)" for the process that listens on `port`; "" when it cannot be known.

    Read from /proc, so known on Linux only, and only for processes that the caller may look into.
    """
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not wanted:
        return ""
    for pid in sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()):
        with contextlib.suppress(OSError):
            if any(os.readlink(f"/proc/{pid}/fd/{name}") in wanted for name in os.listdir(f"/proc/{pid}/fd")):
                return _described(pid)
    return ""


def _described(pid: int) -> str:
    command = _command(pid)
    # A worker process is ended by ending the process it was forked from.
    while (parent := _parent(pid)) > 1 and _command(parent) == command:
        pid = parent
    return f"pid {pid} ({command[:_MAX_COMMAND]})"


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()


def _parent(pid: int) -> int:
    # pid (name) state ppid …; the name may hold spaces and brackets.
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError), open(table) as lines:
            for fields in (line.split() for line in list(lines)[1:]):
                # sl local_address rem_address st … inode; the address is HEX:HEX.
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(fields[9])
    return found
