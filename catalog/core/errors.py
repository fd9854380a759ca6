"""The errors of the catalogue. Each has a stable code, which `api/http/errors.py` maps to an HTTP status once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `field` is its JSON (camelCase) name."""

    field: str
    code: str
    message: str


class CatalogError(Exception):
    """Base of every refusal. `code` is stable, `detail` is for people, `field` is a JSON name or None."""

    code = "catalog_error"

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class NotFound(CatalogError):
    """There is no such row, or the caller may not see it."""

    code = "not_found"

    def __init__(self, entity: str, key: object) -> None:
        super().__init__(f"No {entity} {key!r}.")
        self.entity = entity


class Conflict(CatalogError):
    """A unique value is taken, or another row still refers to this row."""

    code = "conflict"


class IllegalTransition(CatalogError):
    """The state of the program, or of its pending revision, does not allow the action."""

    code = "illegal_transition"

    def __init__(self, action: str, status: str, what: str = "program") -> None:
        super().__init__(f"Cannot {action} a {what} that is {status}.")
        self.action = action
        self.status = status


class IllegalStep(CatalogError):
    """The state of a rebuild or of a target does not allow the action."""

    code = "illegal_transition"


class StaleRevision(CatalogError):
    """The caller edited an older revision than the current revision."""

    code = "stale_revision"

    def __init__(self, expected: int, current: int) -> None:
        super().__init__(f"You named revision {expected}; the current one is {current}.", field="If-Match")
        self.current = current


class RevisionRequired(CatalogError):
    """Somebody else wrote the text, so the caller has to name the revision that becomes public."""

    code = "revision_required"

    def __init__(self, current: int) -> None:
        super().__init__(
            "Name the revision that you have read: somebody else wrote a part of it.", field="If-Match"
        )
        self.current = current


class PendingConflict(CatalogError):
    """Fields of the live version have changed since their pending changes were written."""

    code = "pending_conflict"

    def __init__(self, errors: list[FieldError]) -> None:
        names = ", ".join(error.field for error in errors)
        super().__init__(f"Changed in the live version in the meantime: {names}.")
        self.errors = errors


class ValidationFailed(CatalogError):
    """One or more fields are wrong; nothing was written."""

    code = "validation_failed"

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{e.field}: {e.message}" for e in errors))
        self.errors = errors


class LeaseLost(Exception):
    """Another process has leased the work since: the caller must stop and write nothing more.

    Not a CatalogError: it never reaches a client.
    """
