"""Connections to the master that Sentinels name."""

from typing import Any

from redis import Connection, SSLConnection
from redis.exceptions import ReadOnlyError
from redis.sentinel import MasterNotFoundError, Sentinel

# The answer of a Sentinel must not take as long as a blocking read of the queue.
_SENTINEL_SECONDS = 1.0


def for_sentinels(options: dict[str, Any], *, secure: bool) -> dict[str, Any]:
    """Take the Sentinels' own credentials out of the options; return what connections to Sentinels need.

    TLS is the same for both: whose certificates are trusted, and the client's own.

    Args:
        options: Those of the connections to the master.
        secure: Whether Sentinels speak TLS, as the master does.
    """
    return {
        "username": options.pop("sentinel_username", None),
        "password": options.pop("sentinel_password", None),
        "ssl": secure,
        **{name: value for name, value in options.items() if name.startswith("ssl_")},
        "socket_timeout": _SENTINEL_SECONDS,
        "socket_connect_timeout": _SENTINEL_SECONDS,
    }


class _ToMaster:
    """Asks the Sentinels for the master whenever it connects.

    redis-py's own connection for Sentinels belongs to one pool; RQ makes pools of its own from a connection's class and
    arguments.
    """

    def __init__(self, *, sentinels: tuple[tuple[str, int], ...], service: str, **options: Any) -> None:
        self._service = service
        credentials = for_sentinels(options, secure=isinstance(self, SSLConnection))
        self._watchers: Any = Sentinel(sentinels, sentinel_kwargs=credentials)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        super().__init__(**options)

    def _connect(self) -> object:
        self.host, self.port = self._watchers.discover_master(self._service)
        return super()._connect()  # type: ignore[misc]  # the connection's

    def read_response(self, *arguments: Any, **options: Any) -> Any:
        """Return an answer of the server.

        Raises:
            MasterNotFoundError: The server is no master any more; the next connection goes to the new one.
        """
        try:
            return super().read_response(*arguments, **options)  # type: ignore[misc]  # the connection's
        except ReadOnlyError:
            self.disconnect()  # type: ignore[attr-defined]  # the connection's
            raise MasterNotFoundError("the server is no master any more") from None


class MasterConnection(_ToMaster, Connection):
    """A connection to the master, in plain text."""


class SecureMasterConnection(_ToMaster, SSLConnection):
    """A connection to the master over TLS."""
