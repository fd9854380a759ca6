"""Changes of series and categories by people: live at once, or waiting for a reviewer beside the live row.

Who may publish changes a row at once. Everybody else does so only with a series that no live program belongs to; a
change of any other series, and of every category, becomes its pending revision.
"""

from collections.abc import Mapping

from sqlalchemy import column, exists, select, table
from sqlalchemy.orm import Session

from catalog.core.actor import Actor
from catalog.core.db import locked, require_revision
from catalog.core.fields import camel
from catalog.review import pending
from catalog.review.rights import Rights
from catalog.review.states import LIVE
from catalog.review.subjects import Subject, Values
from catalog.taxonomy import categories, series
from catalog.taxonomy.models import Category, Series

# Programs lie above the taxonomy: only the names of their columns are known here.
_PROGRAMS = table("programs", column("series_id"), column("status"), column("deleted_at"))


def _read_series(session: Session, series_id: int) -> dict[str, object]:
    row = session.get_one(Series, series_id)
    return {camel(name): getattr(row, name) for name in series.FIELDS}


def _write_series(session: Session, series_id: int, values: Values, actor: Actor, action: str) -> object:
    return series.edit(session, series_id, values, actor, action=action)


def _read_category(session: Session, category_id: int) -> dict[str, object]:
    row = session.get_one(Category, category_id)
    return {camel(name): getattr(row, name) for name in categories.FIELDS}


def _write_category(session: Session, category_id: int, values: Values, actor: Actor, action: str) -> object:
    return categories.edit(session, category_id, values, actor, action=action)


def _columns(fields: tuple[str, ...], values: Values) -> dict[str, object]:
    return {name: values[camel(name)] for name in fields if camel(name) in values}


SERIES = Subject(
    entity="series",
    lock=lambda session, series_id: locked(session, Series, series_id).rev,
    read=_read_series,
    write=_write_series,
    values=lambda values: _columns(series.FIELDS, values),
)
CATEGORIES = Subject(
    entity="category",
    lock=lambda session, category_id: locked(session, Category, category_id).rev,
    read=_read_category,
    write=_write_category,
    values=lambda values: _columns(categories.FIELDS, values),
)


def change_series(
    session: Session,
    series_id: int,
    values: Mapping[str, object],
    actor: Actor,
    rights: Rights,
    expected_rev: int | None = None,
) -> None:
    """Change fields of a series, at once or in its pending revision.

    Args:
        session: The transaction.
        series_id: The series.
        values: The fields to change, by column name, not yet validated.
        actor: Who changes it.
        rights: What the actor may change alone.
        expected_rev: The live revision that the caller has seen; None skips the check.

    Raises:
        NotFound: No such series.
        StaleRevision: The series has another revision.
        ValidationFailed: A value is wrong, or the category does not exist.
        Conflict: Another series has the slug.
    """
    require_revision(locked(session, Series, series_id).rev, expected_rev)
    if rights.may_publish or not _is_live(session, series_id):
        series.edit(session, series_id, values, actor)
    else:
        pending.propose(session, SERIES, series_id, values, actor)


def _is_live(session: Session, series_id: int) -> bool:
    """Whether listeners see the series, or will without another decision."""
    of_series = (
        _PROGRAMS.c.series_id == series_id,
        _PROGRAMS.c.status.in_(LIVE),
        _PROGRAMS.c.deleted_at.is_(None),
    )
    return bool(session.scalar(select(exists().where(*of_series).select_from(_PROGRAMS))))
