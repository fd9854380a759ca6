"""Programs that exist: compares them with what their source says now, and writes the difference.

The programs of a batch are locked and read once, in ascending order of their ids, as the flush of views and the clock
do. They are changed in this order too, because the triggers write the marks of the index as the programs change.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.core import changes as noted_changes
from catalog.core.actor import Actor
from catalog.core.db import database_now
from catalog.core.errors import CatalogError
from catalog.imports.items import NewItem
from catalog.imports.models import ImportedProgram
from catalog.imports.queries import KnownProgram
from catalog.imports.writing import comparing, conflicts, outcomes
from catalog.imports.writing.plans import Plan
from catalog.imports.writing.rows import as_json
from catalog.programs import editing, lifecycle, snapshot
from catalog.programs.models import Program, Snapshot
from catalog.programs.pending import PROGRAMS
from catalog.review import pending, states

_STORE_HASHES = text(
    "UPDATE imported_programs SET raw_hash = sent.hash "
    "FROM unnest(CAST(:ids AS bigint[]), CAST(:hashes AS text[])) AS sent(id, hash) WHERE program_id = sent.id"
)


class Update(NamedTuple):
    """A row as it would be, and the program that an earlier import wrote for it."""

    plan: Plan
    known: KnownProgram

    @property
    def is_renamed(self) -> bool:
        """Whether the source has given the item another id."""
        return self.known.external_id != self.plan.external_id


class Updater:
    """Writes the updates of one run.

    Args:
        actor: Who the programs are written by.
        run_id: The run.
        may_publish: A change of what listeners see is live at once. Otherwise it waits for a reviewer, as an
            editor's does.
        dry_run: Compare only, write nothing.
    """

    def __init__(self, actor: Actor, run_id: int, *, may_publish: bool, dry_run: bool) -> None:
        self._actor, self._run_id, self._may_publish, self._dry_run = actor, run_id, may_publish, dry_run

    def write(self, session: Session, updates: Sequence[Update]) -> list[NewItem]:
        """Write the updates and return what became of each, in any order."""
        items, differing = [], []
        self._store_hashes(session, updates)
        for update in updates:
            settled = self._without_comparison(update)
            if settled is None:
                differing.append(update)
            else:
                items.append(settled)
        differing.sort(key=lambda update: update.known.id)
        ids = [update.known.id for update in differing]
        programs = self._programs(session, ids)
        snapshots = snapshot.of_many(session, programs.values())
        for update in differing:
            program = programs.get(update.known.id)
            if program is None or program.deleted_at is not None:
                items.append(_deleted(update))
            else:
                items.append(self._compare(session, update, program, snapshots[program.id]))
        return items

    def _programs(self, session: Session, ids: Collection[int]) -> dict[int, Program]:
        if not ids:
            return {}
        if not self._dry_run:
            return lifecycle.lock_all(session, ids)
        return {p.id: p for p in session.scalars(select(Program).where(Program.id == func.any(list(ids))))}

    def _store_hashes(self, session: Session, updates: Sequence[Update]) -> None:
        """Store how items are sent now that say the same as before, so that the next run does not read them."""
        hashes = {
            known.id: plan.row.raw_hash
            for plan, known in updates
            if known.content_hash == plan.content_hash and plan.row.raw_hash not in (None, known.raw_hash)
        }
        if hashes and not self._dry_run:
            session.execute(_STORE_HASHES, {"ids": list(hashes), "hashes": list(hashes.values())})

    def _without_comparison(self, update: Update) -> NewItem | None:
        """The item of a row whose program stays as it is, whatever it says; None for any other row."""
        plan, known = update
        if known.into_id is not None:
            detail = f"It was merged into program {known.into_id}."
            return outcomes.item(plan.row, "skipped", known.into_id, code="merged", detail=detail)
        if known.deleted_at is not None:
            return _deleted(update)
        if known.content_hash != plan.content_hash or update.is_renamed:
            return None
        return outcomes.item(plan.row, "unchanged", known.id)

    def _compare(self, session: Session, update: Update, program: Program, live: Snapshot) -> NewItem:
        (plan, known), row = update, update.plan.row
        current: dict[str, object] = {**live}
        waits = not self._may_publish and program.status in states.LIVE
        if waits and (waiting := pending.find(session, PROGRAMS.entity, known.id)) is not None:
            current |= waiting.changes
        last = known.last_values or {}
        found = comparing.changes(plan.values, last, current, program.locked_fields, row.unspoken)
        diff = comparing.difference(found.values, current)
        extra = known.extra or {}
        if extra != row.extra:
            diff["extra"] = [extra, row.extra]
        if update.is_renamed:
            diff["externalId"] = [known.external_id, plan.external_id]
        if self._dry_run:
            reported = conflicts.reported(session, known.id, found.conflicts)
        else:
            checkpoint = noted_changes.checkpoint(session)
            try:
                with session.begin_nested():
                    reported = self._change(session, update, program, live, found, waits=waits)
            except CatalogError as error:
                noted_changes.restore(session, checkpoint)
                return outcomes.refused(row, error)
        outcome = "updated" if diff else "conflict" if reported else "unchanged"
        code, detail = "", ""
        if waits and found.values:
            code, detail = "pending", "Listeners see the program: the change waits for a reviewer."
        if reported:
            code, detail = "edited_here", f"Kept as edited here: {', '.join(reported)}."
        item = outcomes.item(row, outcome, known.id, code=code, detail=detail)
        item.diff = diff
        item.conflicts = {field: found.conflicts[field] for field in reported}
        return item

    def _change(
        self,
        session: Session,
        update: Update,
        program: Program,
        live: Snapshot,
        found: comparing.Changes,
        *,
        waits: bool,
    ) -> list[str]:
        """Write what differs, or let it wait; return the fields of which a conflict is to be reported."""
        plan, known = update
        planned, released = program.scheduled_publish_at, program.release_date
        if waits and found.values:
            pending.propose(session, PROGRAMS, known.id, found.values, self._actor)
        if found.values or update.is_renamed:
            editing.edit_locked(
                session,
                program,
                live,
                {} if waits else found.values,
                self._actor,
                action="import",
                content_hash=plan.content_hash,
                external_id=plan.external_id,
            )
        if not waits and planned is not None and planned == released and "release_date" in found.values:
            self._reschedule(session, program)
        said = comparing.said(plan.values, known.last_values or {}, plan.row.unspoken)
        remember(session, known.id, plan, said)
        if (known.extra or {}) != plan.row.extra:
            lifecycle.note_changed(session, program)
        return conflicts.note(session, known.id, self._run_id, found.edited, found.conflicts)

    def _reschedule(self, session: Session, program: Program) -> None:
        """Publish a scheduled program when its source says now, unless an editor has chosen another moment."""
        if program.status != "scheduled":
            return
        at = program.release_date
        action = "schedule" if at is not None and at > database_now(session) else "publish"
        lifecycle.transition(
            session, program.id, action, self._actor, at=at if action == "schedule" else None
        )


def remember(session: Session, program_id: int, plan: Plan, said: Mapping[str, object] | None = None) -> None:
    """Store what the source says now, to compare it with what it says next time.

    Args:
        session: The transaction.
        program_id: The program.
        plan: What its row says.
        said: All that the source has said until now, by column name; None: what `plan` says.
    """
    values = {
        "content_hash": plan.content_hash,
        "raw_hash": plan.row.raw_hash,
        "values": as_json(plan.values) if said is None else said,
        "extra": plan.row.extra,
    }
    session.execute(
        insert(ImportedProgram)
        .values(program_id=program_id, **values)
        .on_conflict_do_update(index_elements=["program_id"], set_=values)
    )


def _deleted(update: Update) -> NewItem:
    detail = "An editor deleted this program."
    return outcomes.item(update.plan.row, "skipped", update.known.id, code="deleted", detail=detail)
