"""Who did it: carried into every write so that audit events name somebody."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind` is account, api_key, import or system; `id` is empty for the system."""

    kind: str
    id: int | None = None
    name: str = ""
    request_id: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name or self.id or '-'}"


SYSTEM = Actor("system", name="system")
