"""Which pages of other sites may read answers in a browser. `edge` asks it for every request.

Only what listeners' apps use is shared, and never with credentials: an answer is the same whoever asks. Source: the
Fetch standard, https://fetch.spec.whatwg.org/#http-cors-protocol.
"""

Header = tuple[str, str]

# Paths that pages of other sites may read.
_SHARED = ("/discovery/", "/openapi.json")
# Headers of an answer that a page may read, beside those that every page may.
_EXPOSED = (
    "access-control-expose-headers",
    "Deprecation, ETag, Link, RateLimit, RateLimit-Policy, Retry-After, Sunset, X-Request-Id",
)
_ALLOWED: tuple[Header, ...] = (
    ("access-control-allow-methods", "GET, HEAD, POST"),
    ("access-control-allow-headers", "Content-Type, If-None-Match, X-Request-Id"),
    # Browsers keep it for two hours at most.
    ("access-control-max-age", "7200"),
)
_VARY: Header = ("vary", "Origin")


class Cors:
    """Says for a path and an origin which headers let a browser read the answer."""

    def __init__(self, origins: str) -> None:
        """Take the origins that may read.

        Args:
            origins: Origins separated by commas, `*` for every one; nothing shares nothing.
        """
        names = {name.strip() for name in origins.split(",")} - {""}
        self._named = frozenset(names - {"*"})
        # Without `Vary`: the header is the same for everybody, so that shared caches keep one answer.
        self._everybody = (("access-control-allow-origin", "*"), _EXPOSED) if "*" in names else ()

    def headers(self, path: str, origin: str) -> tuple[Header, ...]:
        """Return the headers of an answer.

        Args:
            path: What was asked for.
            origin: The `Origin` header of the request; empty without one.
        """
        if not path.startswith(_SHARED):
            return ()
        if self._everybody or not self._named:
            return self._everybody
        if origin in self._named:
            return (("access-control-allow-origin", origin), _EXPOSED, _VARY)
        return (_VARY,)

    def preflight(self, path: str, origin: str) -> tuple[Header, ...]:
        """Return the further headers of the answer to a browser that asks whether its page may send a request."""
        return _ALLOWED if len(self.headers(path, origin)) > 1 else ()
