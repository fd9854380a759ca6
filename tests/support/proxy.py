"""A TCP line to a server that does on command what networks do: slow down, break, lie, go silent."""

import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from deploy.local import ports

# delay: every answer is late · cut: an answer ends in its middle · reset: RST instead of an answer ·
# corrupt: answers with bytes flipped · black hole: accepts and never answers · refuse: nobody listens
FAULTS = ("delay", "cut", "reset", "corrupt", "black hole", "refuse")
_RST = struct.pack("ii", 1, 0)


@dataclass(eq=False)
class _Line:
    """One connection, both ends; `silent` once something was swallowed."""

    near: socket.socket
    far: socket.socket
    silent: bool = False

    def close(self, *, reset: bool = False) -> None:
        if reset:
            # SO_LINGER 0: the kernel sends RST and forgets what was not delivered.
            with suppress(OSError):
                self.near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        # Without it a thread that waits in recv would keep the socket open.
        for end, how in (
            (self.near, socket.SHUT_RD if reset else socket.SHUT_RDWR),
            (self.far, socket.SHUT_RDWR),
        ):
            with suppress(OSError):
                end.shutdown(how)
            end.close()


@dataclass
class Proxy:
    """Forwards to `target` (a URL or host:port) from a port of its own; `hurt` and `heal` at any time.

    `touched` counts what each fault did. A fault is met by lines that are open as well as by new ones.
    """

    target: str
    seed: int = 0
    port: int = field(default_factory=ports.ephemeral)
    seconds: float = 0.3
    fault: str | None = None
    touched: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FAULTS, 0))

    def __post_init__(self) -> None:
        host, _, port = self.target.rpartition("@")[2].rpartition("//")[2].partition("/")[0].rpartition(":")
        self._far = (host, int(port))
        self._chance = random.Random(self.seed)
        self._mangle: Callable[[bytes], bytes] = self._flip
        self._lines: set[_Line] = set()
        self._lock = threading.Lock()
        self._open()

    @property
    def url(self) -> str:
        """Where to come in, for HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def through(self, url: str) -> str:
        """The same URL, reached by this line."""
        return url.replace(f"{self._far[0]}:{self._far[1]}", f"127.0.0.1:{self.port}")

    def hurt(
        self, fault: str, *, seconds: float = 0.3, mangle: Callable[[bytes], bytes] | None = None
    ) -> None:
        """Begin a fault. `seconds`: how late; `mangle`: what to make of an answer's bytes."""
        assert fault in FAULTS
        self.seconds, self._mangle = seconds, mangle or self._flip
        self.fault = fault
        if fault in ("refuse", "reset"):
            self._drop(reset=fault == "reset")
        if fault == "refuse":
            self.touched["refuse"] += 1
            self._shut()

    def heal(self) -> None:
        """End the fault. Lines on which something was swallowed break: their ends have to know."""
        was, self.fault = self.fault, None
        self._drop(lambda line: line.silent)
        if was == "refuse":
            self._open()

    @contextmanager
    def hurting(self, fault: str, **how: Any) -> Iterator[None]:
        """The fault for as long as the block runs."""
        self.hurt(fault, **how)
        try:
            yield
        finally:
            self.heal()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop listening and break every line."""
        self._shut()
        self._drop()

    # -- lines

    def _open(self) -> None:
        self._door = socket.create_server(("127.0.0.1", self.port), backlog=256)
        threading.Thread(target=self._accept, args=(self._door,), daemon=True).start()

    def _shut(self) -> None:
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _accept(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = door.accept()
                try:
                    far = socket.create_connection(self._far, timeout=5)
                except OSError:
                    # The server itself is away: what its own port would have said.
                    near.close()
                    continue
                far.settimeout(None)
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                line = _Line(near, far)
                with self._lock:
                    self._lines.add(line)
                for copy in (self._requests, self._answers):
                    threading.Thread(target=self._run, args=(copy, line), daemon=True).start()

    def _run(self, copy: Callable[[_Line], None], line: _Line) -> None:
        with suppress(OSError):
            copy(line)
        line.close()
        with self._lock:
            self._lines.discard(line)

    def _requests(self, line: _Line) -> None:
        while data := line.near.recv(65_536):
            if self.fault == "black hole":
                line.silent = True
                self.touched["black hole"] += 1
            else:
                line.far.sendall(data)

    def _answers(self, line: _Line) -> None:
        while data := line.far.recv(65_536):
            fault = self.fault
            if fault is not None and fault != "corrupt":
                self.touched[fault] += 1
            match fault:
                case "delay":
                    time.sleep(self.seconds)
                case "cut":
                    line.near.sendall(data[: len(data) // 2])
                    return
                case "reset":
                    line.close(reset=True)
                    return
                case "corrupt":
                    mangled = self._mangle(data)
                    self.touched["corrupt"] += mangled != data
                    data = mangled
                case "black hole":
                    line.silent = True
                    continue
            line.near.sendall(data)

    def _drop(self, which: Callable[[_Line], bool] = lambda line: True, *, reset: bool = False) -> None:
        with self._lock:
            chosen = [line for line in self._lines if which(line)]
        for line in chosen:
            line.close(reset=reset)

    def _flip(self, data: bytes) -> bytes:
        """A few bytes become others, in half of what passes."""
        with self._lock:
            if self._chance.random() < 0.5:
                return data
            mangled = bytearray(data)
            for _ in range(self._chance.randint(1, 3)):
                mangled[self._chance.randrange(len(mangled))] ^= self._chance.randint(1, 255)
            return bytes(mangled)
