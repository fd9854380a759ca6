"""What can go wrong in the catalogue, each with a stable code that HTTP and the CLI map once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field. `field` is the JSON (camelCase) name."""

    field: str
    code: str
    message: str


class CatalogError(Exception):
    """Base of every refusal; `code` is stable, `detail` is for people."""

    code = "catalog_error"

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class NotFound(CatalogError):
    """No such row, or it is not visible to the caller."""

    code = "not_found"

    def __init__(self, entity: str, key: object) -> None:
        super().__init__(f"No {entity} {key!r}.")
        self.entity = entity


class Conflict(CatalogError):
    """A unique value is taken, or another row still depends on this one."""

    code = "conflict"


class IllegalTransition(CatalogError):
    """The program's state does not allow the step."""

    code = "illegal_transition"

    def __init__(self, action: str, status: str) -> None:
        super().__init__(f"Cannot {action} a program that is {status}.")
        self.action = action
        self.status = status


class StaleRevision(CatalogError):
    """The caller edited an older revision than the one held."""

    code = "stale_revision"

    def __init__(self, expected: int, current: int) -> None:
        super().__init__(f"You edited revision {expected}; the current one is {current}.")
        self.current = current


class ValidationFailed(CatalogError):
    """One or more fields are wrong; nothing was written."""

    code = "validation_failed"

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{e.field}: {e.message}" for e in errors))
        self.errors = errors
