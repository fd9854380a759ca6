"""Series, people and tags as listeners see them: only those with a visible program, each with the latest one."""

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import aliased

from catalog.core.base import entity_of
from catalog.core.db import AnySelect
from catalog.programs.models import Program
from catalog.programs.queries import VISIBLE
from catalog.taxonomy.models import Category, FormerSlug, Person, ProgramPerson, ProgramTag, Series, Tag

Subject = type[Series] | type[Person] | type[Tag]
# Kind of subject -> the condition that a program belongs to it.
_BELONGS: dict[Subject, ColumnElement[bool]] = {
    Series: Program.series_id == Series.id,
    Person: Program.id.in_(
        select(ProgramPerson.program_id).where(ProgramPerson.person_id == Person.id).correlate(Person)
    ),
    Tag: Program.id.in_(select(ProgramTag.program_id).where(ProgramTag.tag_id == Tag.id).correlate(Tag)),
}


def subjects(model: Subject, wanted: ColumnElement[bool], *, counted: bool = False) -> AnySelect:
    """Return the columns of each subject, and its latest program's `program_id` and `latest_release`.

    Of a series, `category_id` is NULL while the category is inactive.

    The latest is the one that was released last; programs without a date, and those that are not released yet, come behind.

    Args:
        model: The kind of subject.
        wanted: A condition on its columns.
        counted: Whether a row also has the number of visible `programs`.
    """
    visible = (_BELONGS[model], *VISIBLE)
    latest = (
        select(Program.id, Program.release_date)
        .where(*visible)
        .order_by(
            func.coalesce(Program.release_date <= func.now(), False).desc(),
            Program.release_date.desc().nulls_last(),
            Program.id.desc(),
        )
        .limit(1)
        .correlate(model)
        .lateral("latest")
    )
    columns = [
        *(column for column in model.__table__.columns if column.name != "category_id"),
        latest.c.id.label("program_id"),
        latest.c.release_date.label("latest_release"),
    ]
    if model is Series:
        shelf = select(Category.id).where(Category.id == Series.category_id, Category.is_active)
        columns.append(shelf.correlate(Series).scalar_subquery().label("category_id"))
    if counted:
        count = select(func.count()).select_from(Program).where(*visible).correlate(model)
        columns.append(count.scalar_subquery().label("programs"))
    return select(*columns).select_from(model).join(latest, true()).where(wanted)


def formerly(model: Subject, slug: str) -> AnySelect:
    """Return `subjects` of the one that has a slug, or that had it, or that another one with this slug was merged into.

    Args:
        model: The kind of subject.
        slug: The slug.
    """
    other = aliased(model)
    has = select(other.id).where(other.slug == slug)
    had = select(FormerSlug.row_id).where(FormerSlug.kind == entity_of(model), FormerSlug.slug == slug)
    return subjects(model, model.id == func.coalesce(has.scalar_subquery(), had.scalar_subquery()))
