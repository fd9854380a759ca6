"""What the API refuses, as a page says it: the problem, and what is wrong with each field."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.http.error_handlers import problem_of
from api.http.errors import Problem
from api.web.rendering.locales import Locale
from api.web.studio.editor.writing.form import NAMES
from catalog.core.errors import CatalogError

# What handlers of the API raise when they refuse.
REFUSALS = (Problem, CatalogError)


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal.

    Attributes:
        status: Of the answer.
        code: The API's code of the problem.
        faults: Field -> the code of what is wrong with it.
    """

    status: int
    code: str
    faults: Mapping[str, str] = field(default_factory=dict)


def refused(error: Problem | CatalogError) -> Refused:
    """Return a refusal of the API."""
    problem = problem_of(error) if isinstance(error, CatalogError) else error
    faults = {found.field: found.code for found in problem.errors if found.field in NAMES}
    return Refused(problem.status, problem.code, faults)


def reason(locale: Locale, code: str, faults: Mapping[str, str]) -> str:
    """Return the name of the text that says why nothing was saved.

    Args:
        locale: The language of the page.
        code: The API's code of the problem.
        faults: What is wrong with each field.
    """
    own = f"editor.refused_{code}"
    if own in locale.texts:
        return own
    return "editor.refused_fields" if faults else "editor.refused"


def why(locale: Locale, code: str, faults: Mapping[str, str]) -> str:
    """Return in words why nothing was saved.

    Args:
        locale: The language of the page.
        code: The API's code of the problem.
        faults: What is wrong with each field.
    """
    return str(locale.text(reason(locale, code, faults)))


def said(locale: Locale, faults: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with each field, in words: those for the field, or else those for every field.

    Args:
        locale: The language of the page.
        faults: Field -> code.
    """
    found = {}
    for name, code in faults.items():
        known = (f"editor_fault.{name}_{code}", f"editor_fault.{code}", "editor_fault.invalid")
        found[name] = str(locale.text(next(text for text in known if text in locale.texts)))
    return found
