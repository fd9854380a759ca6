"""Creating a program and changing its fields at once, whatever its state. Functions flush; the caller commits.

People change programs by `catalog.programs.pending`, which asks who may change what alone.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy.orm import Session

from catalog.core.actor import Actor
from catalog.core.errors import FieldError
from catalog.core.fields import require_valid
from catalog.programs import lifecycle, slugs, snapshot
from catalog.programs.models import Program, Snapshot
from catalog.programs.rules import COLUMNS, NewProgramValues, ProgramValues, validate
from catalog.taxonomy import links
from catalog.taxonomy.models import Category, Series


class Source(NamedTuple):
    """Where a program comes from, and a hash of what an import read about it."""

    source_type: str
    external_id: str
    content_hash: str | None


def create(
    session: Session, values: Mapping[str, object], actor: Actor, *, source: Source | None = None
) -> Program:
    """Create a draft.

    Args:
        session: The transaction.
        values: As `rules.ProgramValues`, not yet validated. Without a `slug` the address is made of the title.
        actor: Who creates it.
        source: Where the program comes from, unless an editor writes it.

    Raises:
        ValidationFailed: A value is wrong or missing, or a category or series does not exist.
        Conflict: Another program has the address or the external id.
    """
    valid = validate(values, creating=True)
    _require_references(session, valid)
    program = Program(
        **_columns(valid),
        slug=slugs.free(session, valid.get("slug") or valid["title"], exact=bool(valid.get("slug"))),
        status="draft",
        rev=1,
    )
    if source is not None:
        program.source_type, program.external_id, program.content_hash = source
    session.add(program)
    lifecycle.flush_program(session)
    slugs.remember(session, program)
    _set_links(session, program.id, valid, new=True)
    return lifecycle.record(session, program, "create", actor, {"title": [None, program.title]})


def edit(
    session: Session,
    program_id: int,
    values: Mapping[str, object],
    actor: Actor,
    *,
    expected_rev: int | None = None,
    action: str = "edit",
) -> Program:
    """Change fields of a program. Nothing is recorded when no field differs.

    Args:
        session: The transaction.
        program_id: The program.
        values: The fields to change, as `rules.ProgramValues`, not yet validated.
        actor: Who changes it.
        expected_rev: The revision that the caller has seen; None skips the check.
        action: What the revision and the audit event call the change.

    Raises:
        NotFound: No such program, or it is deleted.
        StaleRevision: The program has another revision.
        ValidationFailed: A value is wrong, or a category or series does not exist.
        Conflict: Another program has the address.
    """
    program = lifecycle.get(session, program_id, expected_rev=expected_rev)
    return edit_locked(session, program, snapshot.of(session, program), values, actor, action=action)


def edit_locked(
    session: Session,
    program: Program,
    before: Snapshot,
    values: Mapping[str, object],
    actor: Actor,
    *,
    action: str,
    content_hash: str | None = None,
    external_id: str | None = None,
) -> Program:
    """Change fields of a program that the caller has locked and read.

    Args:
        session: The transaction.
        program: The program, locked and not deleted.
        before: What it says.
        values: The fields to change, as `rules.ProgramValues`, not yet validated.
        actor: Who changes it.
        action: What the revision and the audit event call the change.
        content_hash: For an import, the hash of what the source says now.
        external_id: For an import, the id that the source gives the program's item now; None: the same as before.

    Raises:
        ValidationFailed: A value is wrong, or a category or series does not exist.
        Conflict: Another program has the address.
    """
    valid = validate(values, creating=False)
    _require_references(session, valid)
    for name, value in _columns(valid).items():
        setattr(program, name, value)
    if content_hash is not None:
        program.content_hash = content_hash
    renamed = {}
    if external_id is not None and external_id != program.external_id:
        renamed["externalId"] = [program.external_id, external_id]
        program.external_id = external_id
    if "slug" in valid and valid["slug"] != program.slug:
        program.slug = slugs.free(session, valid["slug"], program_id=program.id, exact=True)
    _set_links(session, program.id, valid)
    lifecycle.flush_program(session)
    after = snapshot.changed(session, program, before, valid)
    diff = snapshot.difference(before, after) | renamed
    if not diff:
        return program
    if program.slug != before["slug"]:
        slugs.remember(session, program)
    program.rev = after["rev"] = before["rev"] + 1
    return lifecycle.record(session, program, action, actor, diff, after=after)


def _columns(values: ProgramValues | NewProgramValues) -> dict[str, object]:
    return {name: value for name, value in values.items() if name in COLUMNS}


def _set_links(
    session: Session, program_id: int, values: ProgramValues | NewProgramValues, *, new: bool = False
) -> None:
    if "tags" in values:
        links.set_tags(session, program_id, values["tags"], new=new)
    if "people" in values:
        links.set_people(session, program_id, values["people"], new=new)


def _require_references(session: Session, values: ProgramValues | NewProgramValues) -> None:
    """Check that the category and the series exist; they cannot be deleted before the transaction ends."""
    errors = []
    lock = {"key_share": True}
    category_id, series_id = values.get("category_id"), values.get("series_id")
    if category_id is not None and session.get(Category, category_id, with_for_update=lock) is None:
        errors.append(FieldError("categoryId", "not_found", "No such category."))
    if series_id is not None and session.get(Series, series_id, with_for_update=lock) is None:
        errors.append(FieldError("seriesId", "not_found", "No such series."))
    require_valid(errors)
