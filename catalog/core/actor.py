"""Who makes a change, and the HTTP request that the work at hand is for.

Every function that writes takes an actor, for the audit event. The API binds the id of a request, jobs keep it, and every
log line shows it.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from structlog.contextvars import bound_contextvars, get_contextvars

# Its name in log lines, and where a job keeps it.
REQUEST_ID = "request_id"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change.

    Attributes:
        kind: Account, api_key, import or system.
        id: Of the account, key or run; None for the system.
        name: For people.
        request_id: Of the HTTP request that asked for the change, or "".
    """

    kind: str
    id: int | None = None
    name: str = ""
    request_id: str = ""

    @property
    def is_person(self) -> bool:
        """Whether somebody decides, by signing in or by an API key; otherwise the product follows a rule."""
        return self.kind in ("account", "api_key")

    def __str__(self) -> str:
        # Two API keys may have the same name: their numbers tell them apart.
        number = f"#{self.id}" if self.kind == "api_key" and self.name else ""
        return f"{self.kind}:{self.name or self.id or '-'}{number}"


SYSTEM = Actor("system", name="system")


def current_request_id() -> str:
    """Return the id of the HTTP request that this work is for; "" when it is for none."""
    found = get_contextvars().get(REQUEST_ID, "")
    return found if isinstance(found, str) else ""


def on_behalf_of(request_id: str) -> AbstractContextManager[object]:
    """Do the work of the block for an HTTP request; for none when its id is empty."""
    return bound_contextvars(request_id=request_id) if request_id else nullcontext()
