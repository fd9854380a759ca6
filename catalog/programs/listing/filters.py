"""What editors' lists are narrowed to, as SQL conditions. Every filter has an index for the case that few rows meet it."""

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from sqlalchemy import ARRAY, Select, Text, cast, select, union
from sqlalchemy.orm import InstrumentedAttribute

from catalog.indexing.models import IndexDirty, IndexTarget
from catalog.indexing.states import MAIN
from catalog.programs.fallback.conditions import Condition, during, is_deleted, tagged, with_person
from catalog.programs.listing.models import ChangedProgram
from catalog.programs.listing.orders import NEVER, PUBLISHED, RELEASED
from catalog.programs.models import Program, ProgramRevision
from catalog.programs.queries import has_text
from catalog.review import comments
from catalog.review.models import PendingRevision
from catalog.review.states import PROGRAM

# Programs that an index which is searched has not confirmed in their present state.
UNCONFIRMED = (
    select(IndexDirty.program_id)
    .join(IndexTarget, IndexTarget.id == IndexDirty.target_id)
    .where(IndexTarget.state.in_(MAIN))
)
# Programs with changes that wait for a reviewer.
WITH_PENDING = select(PendingRevision.entity_id).where(PendingRevision.entity == "program")


class Period(NamedTuple):
    """From a moment until another one, both included, in Unix seconds; None has no end there."""

    after: int | None = None
    before: int | None = None


_ALWAYS = Period()


@dataclass(frozen=True, slots=True)
class EditorFilter:
    """What a list is narrowed to; nothing in a field does not narrow. Of several values a program has one.

    Attributes:
        title: A part of the title.
        created_by: Wrote the first revision; as revisions name their actors.
        edited_by: Wrote a revision that is no step from one state to another, or a part of the pending revision.
        changed: Was published and was changed while it is not, or with a pending revision.
        pending: With a pending revision.
        commented: With a thread of comments that is open.
        searchable: Published, and found by listeners as it is.
        trashed: Deleted programs instead of all others.
    """

    status: tuple[str, ...] = ()
    category_id: tuple[int, ...] = ()
    series_id: tuple[int, ...] = ()
    language: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    media_type: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    title: str | None = None
    featured: bool | None = None
    created: Period = _ALWAYS
    updated: Period = _ALWAYS
    released: Period = _ALWAYS
    published: Period = _ALWAYS
    planned: Period = _ALWAYS
    expiring: Period = _ALWAYS
    created_by: str | None = None
    edited_by: str | None = None
    changed: bool | None = None
    pending: bool | None = None
    commented: bool | None = None
    searchable: bool | None = None
    trashed: bool = False

    def key(self) -> tuple[object, ...]:
        """Return the filter as a part of a cursor's binding."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def gives_values(self, sort: str) -> bool:
        """Return whether what has no value in an order is left out: the order's period is narrowed."""
        periods = {"scheduledPublishAt": self.planned, "expireAt": self.expiring}
        return periods.get(sort.removeprefix("-"), _ALWAYS) != _ALWAYS

    def in_every_state(self) -> "EditorFilter":
        """Return the filter without its states."""
        return replace(self, status=())


def conditions(chosen: EditorFilter) -> list[Condition]:
    """Return what programs have to meet."""
    wanted: list[Condition] = [is_deleted(Program, chosen.trashed)]
    columns: dict[InstrumentedAttribute[str] | InstrumentedAttribute[int | None], tuple[str | int, ...]] = {
        Program.status: chosen.status,
        Program.category_id: chosen.category_id,
        Program.series_id: chosen.series_id,
        Program.language: chosen.language,
        Program.kind: chosen.kind,
        Program.media_type: chosen.media_type,
    }
    wanted += [column.in_(values) for column, values in columns.items() if values]
    if chosen.tag:
        wanted.append(tagged(chosen.tag))
    if chosen.person:
        wanted.append(with_person(chosen.person))
    if chosen.title:
        wanted.append(has_text(Program.title, chosen.title))
    if chosen.featured is not None:
        wanted.append(Program.is_featured.is_(chosen.featured))
    for key, period in (
        (Program.created_at, chosen.created),
        (Program.updated_at, chosen.updated),
        (RELEASED, chosen.released),
        (PUBLISHED, chosen.published),
        (Program.scheduled_publish_at, chosen.planned),
        (Program.expire_at, chosen.expiring),
    ):
        wanted += during(key, period.after, period.before)
        if period.before is not None:
            # What has no value is not before a moment.
            wanted.append(key > NEVER)
    if chosen.created_by is not None:
        wanted.append(Program.id.in_(_by(chosen.created_by).where(ProgramRevision.rev == 1)))
    if chosen.edited_by is not None:
        wanted.append(Program.id.in_(union(edited(chosen.edited_by), proposed(chosen.edited_by))))
    for ids, is_wanted in (
        (union(select(ChangedProgram.program_id), WITH_PENDING), chosen.changed),
        (WITH_PENDING, chosen.pending),
        (comments.WITH_OPEN, chosen.commented),
    ):
        if is_wanted is not None:
            wanted.append(Program.id.in_(ids) if is_wanted else Program.id.not_in(ids))
    if chosen.searchable is not None:
        wanted.append(Program.status == "published")
        wanted.append(Program.id.not_in(UNCONFIRMED) if chosen.searchable else Program.id.in_(UNCONFIRMED))
    return wanted


def edited(actor: str) -> Select[int]:
    """Return the programs of which somebody wrote a revision that is no step from one state to another."""
    return _by(actor).where(ProgramRevision.action.not_in(PROGRAM.keys()))


def proposed(actor: str) -> Select[int]:
    """Return the programs of which somebody wrote a part of the pending revision."""
    return WITH_PENDING.where(PendingRevision.authors.bool_op("@>")(cast([actor], ARRAY(Text))))


def _by(actor: str) -> Select[int]:
    return select(ProgramRevision.program_id).where(ProgramRevision.actor == actor)
