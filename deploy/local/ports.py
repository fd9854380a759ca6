"""Free ports on loopback."""

import socket


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """True when a server may listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def pick(preferred: int, *, taken: set[int] | None = None, span: int = 200) -> int:
    """`preferred` or the next free port above it that is not in `taken`.

    Raises OSError when none of `span` ports is free.
    """
    for port in range(preferred, preferred + span):
        if port not in (taken or set()) and is_free(port):
            return port
    raise OSError(f"No free port between {preferred} and {preferred + span - 1}.")


def ephemeral() -> int:
    """Some free port, as the kernel hands them out."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
