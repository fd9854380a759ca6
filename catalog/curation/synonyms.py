"""Synonyms: their words, and the only writes of their table. The API lets reviewers alone write them.

An index has programs of all languages and knows one list of synonyms. So a synonym of a language has words in its script
alone, which queries in this script have; a synonym of no language joins words of both.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from catalog.core import fields
from catalog.core.actor import Actor
from catalog.core.db import locked, require_revision
from catalog.core.errors import FieldError
from catalog.core.limits import require_room
from catalog.curation.expansions import words_of
from catalog.curation.models import SYNONYM_KINDS, SYNONYM_LANGUAGES, Synonym
from catalog.curation.recording import record
from catalog.words.joined import is_arabic

MAX_SYNONYMS, MAX_TERMS, MAX_TERM = 500, 10, 60
# Engines look at no more words of a query together.
MAX_WORDS = 3
_TERM = fields.text(MAX_TERM, required=True)


def _terms(name: str, value: object) -> list[FieldError]:
    """Check a list of words or phrases, each in one spelling."""
    if not isinstance(value, list | tuple):
        return [FieldError(name, "wrong_type", "Must be a list of texts.")]
    if len(value) > MAX_TERMS:
        return [FieldError(name, "too_long", f"At most {MAX_TERMS}.")]
    errors = [error for n, term in enumerate(value) for error in _TERM(f"{name}[{n}]", term)]
    if errors:
        return errors
    folded = [words_of(str(term)) for term in value]
    for n, words in enumerate(folded):
        if not words:
            errors.append(FieldError(f"{name}[{n}]", "invalid", "Needs a letter or a digit."))
        elif len(words) > MAX_WORDS:
            errors.append(FieldError(f"{name}[{n}]", "too_long", f"At most {MAX_WORDS} words."))
        elif words in folded[:n]:
            errors.append(FieldError(f"{name}[{n}]", "duplicate", "Is the same as another one."))
    return errors


def _language(name: str, value: object) -> list[FieldError]:
    return [] if value is None else fields.one_of(SYNONYM_LANGUAGES)(name, value)


_CHECKS: dict[str, fields.Check] = {
    "kind": fields.one_of(SYNONYM_KINDS),
    "language": _language,
    "terms": _terms,
    "finds": _terms,
}


def create(session: Session, values: Mapping[str, object], actor: Actor) -> Synonym:
    """Create a synonym.

    Args:
        session: The transaction.
        values: `kind` and `terms`, for one way `finds`, optionally `language`.
        actor: Who creates it.

    Raises:
        ValidationFailed: A value is wrong or missing.
        Conflict: There are too many synonyms.
    """
    fields.require_valid(fields.errors_of(values, _CHECKS, ("kind", "terms")))
    require_room(session, Synonym, MAX_SYNONYMS, "synonyms")
    row = Synonym(**{"finds": [], "language": None, **values})
    _require_whole(row)
    session.add(row)
    session.flush()
    session.refresh(row)
    names = ("kind", "language", "terms", "finds")
    record(session, row, "create", {name: [None, getattr(row, name)] for name in names}, actor)
    return row


def edit(
    session: Session,
    synonym_id: int,
    values: Mapping[str, object],
    actor: Actor,
    *,
    expected_rev: int | None = None,
) -> Synonym:
    """Change a synonym; without a difference nothing is written.

    Args:
        session: The transaction.
        synonym_id: The synonym.
        values: The fields to change, by column name.
        actor: Who changes it.
        expected_rev: The revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such synonym.
        StaleRevision: The synonym has another revision.
        ValidationFailed: A value is wrong.
    """
    row = locked(session, Synonym, synonym_id)
    require_revision(row.rev, expected_rev)
    fields.require_valid(fields.errors_of(values, _CHECKS))
    diff = fields.assign(row, values)
    _require_whole(row)
    if diff:
        session.flush()
        session.refresh(row)
        record(session, row, "edit", diff, actor)
    return row


def delete(session: Session, synonym_id: int, actor: Actor, *, expected_rev: int | None = None) -> None:
    """Delete a synonym.

    Args:
        session: The transaction.
        synonym_id: The synonym.
        actor: Who deletes it.
        expected_rev: The revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such synonym.
        StaleRevision: The synonym has another revision.
    """
    row = locked(session, Synonym, synonym_id)
    require_revision(row.rev, expected_rev)
    session.delete(row)
    record(session, row, "delete", {"terms": [row.terms, None], "finds": [row.finds, None]}, actor)


def _require_whole(row: Synonym) -> None:
    """Check that the parts of a synonym fit each other.

    Raises:
        ValidationFailed: There are too few or too many words, or one is in another script than the language's.
    """
    errors = []
    least = 2 if row.kind == "two_way" else 1
    if len(row.terms) < least:
        errors.append(FieldError("terms", "required", f"At least {least}."))
    if row.kind == "two_way" and row.finds:
        errors.append(FieldError("finds", "invalid", "Only a synonym of one way has these."))
    if row.kind == "one_way" and not row.finds:
        errors.append(FieldError("finds", "required", "Must not be empty."))
    for name, texts in (("terms", row.terms), ("finds", row.finds)):
        errors += _of_other_script(name, texts, row.language)
    fields.require_valid(errors)


def _of_other_script(name: str, texts: Sequence[str], language: str | None) -> list[FieldError]:
    wanted = language == "ar"
    return [
        FieldError(f"{name}[{n}]", "invalid", f"Is not in the script of the language {language}.")
        for n, text in enumerate(texts)
        if language is not None
        and any(is_arabic(word) != wanted for word in words_of(text) if not word.isdigit())
    ]
