"""Writes the rows of a run: new programs in bulk, the others by `updates`. Says what became of each row."""

from collections.abc import Mapping, Sequence

import psycopg
from sqlalchemy.orm import Session

from catalog.core import changes as noted_changes
from catalog.core.actor import Actor
from catalog.core.db import as_jsonb, copy_rows, database_now
from catalog.core.errors import CatalogError
from catalog.imports import queries
from catalog.imports.items import NewItem
from catalog.imports.options import Options
from catalog.imports.queries import KnownProgram
from catalog.imports.writing import comparing, outcomes
from catalog.imports.writing.identity import Renamed
from catalog.imports.writing.plans import Invalid, Plan, Planner
from catalog.imports.writing.rows import Row, as_json, read_all
from catalog.imports.writing.updates import Update, Updater, remember
from catalog.programs import bulk, editing, lifecycle


class Writer:
    """Writes the rows of one run. The source type and the external id of a row identify its program.

    Args:
        source_type: What `programs.source_type` says of the run's programs.
        options: What the editor chose for the run.
        actor: Who the programs are written by.
        run_id: The run.
        dry_run: Compare only, write nothing.
    """

    def __init__(
        self, source_type: str, options: Options, actor: Actor, run_id: int, *, dry_run: bool
    ) -> None:
        self.source_type, self.options, self.actor, self.dry_run = source_type, options, actor, dry_run
        self._planner = Planner(options, actor, dry_run=dry_run)
        self._updater = Updater(actor, run_id, may_publish=options.policy == "publish", dry_run=dry_run)
        # Recognises items that have got another id; None where ids do not change.
        self.renamed: Renamed | None = None
        self._likely: list[tuple[int, int]] = []

    def forget(self) -> None:
        """Forget what was looked up; call it after a rollback."""
        self._planner.forget()
        self._likely = []
        if self.renamed is not None:
            self.renamed.forget()

    def take_likely(self) -> list[tuple[int, int]]:
        """Return the (new, old) ids of programs that are likely the same, and forget them."""
        taken, self._likely = self._likely, []
        return taken

    def read(self, session: Session, rows: Sequence[Row]) -> list[Row]:
        """Return the rows, whole where their items are not as they were sent last time. Nothing is written.

        Reading takes its time, and so it is done before the transaction that writes.
        """
        comparable = [row.external_id for row in rows if row.external_id and row.raw_hash]
        as_sent = self._as_sent(session, comparable)
        unread = [row for row in rows if (row.external_id, row.raw_hash) not in as_sent]
        whole = {row.position: row for row in read_all(unread)}
        return [whole.get(row.position, row) for row in rows]

    def write(self, session: Session, rows: Sequence[Row]) -> list[NewItem]:
        """Write the rows and return what became of each, in their order; the items are not stored yet.

        Raises:
            DBAPIError: The database is away, or a row cannot be stored. The caller rolls back and writes the rows
                one by one.
        """
        items: dict[int, NewItem] = {}
        plans: list[Plan] = []
        comparable = [row.external_id for row in rows if row.external_id and row.raw_hash]
        as_sent = self._as_sent(session, comparable)
        unread: list[Row] = []
        for row in rows:
            program_id = as_sent.get((row.external_id, row.raw_hash)) if row.skip is None else None
            if program_id is None:
                unread.append(row)
            else:
                items[row.position] = outcomes.item(row, "unchanged", program_id)
        for row in read_all(unread):
            if row.skip is not None:
                code, detail = row.skip
                items[row.position] = outcomes.item(row, "skipped", code=code, detail=detail)
                continue
            try:
                plans.append(self._planner.plan(session, row))
            except Invalid as refusal:
                items[row.position] = outcomes.failed(row, refusal.errors, "invalid")
        new: list[Plan] = []
        likely: dict[str, int] = {}
        updates: list[Update] = []
        known = self._known(session, [plan.external_id for plan in plans])
        for plan in plans:
            program = known.get(plan.external_id) or self._renamed_program(session, plan, likely)
            if program is None:
                new.append(plan)
                continue
            if plan.row.series is not None and plan.row.series.weak:
                plan.values.pop("series_id", None)
                plan.row.unspoken |= {"series_id"}
            updates.append(Update(plan, program))
        for item in (*self._updater.write(session, updates), *self._create(session, new, likely)):
            items[item.position] = item
        return [items[row.position] for row in rows]

    def _as_sent(
        self, session: Session, external_ids: Sequence[str]
    ) -> dict[tuple[str | None, str | None], int]:
        """The programs that are still there, by their external id and the hash of their item as it was sent last."""
        if not external_ids:
            return {}
        found = session.connection().execute(queries.as_sent(self.source_type, external_ids))
        return {(external_id, raw_hash): program_id for program_id, external_id, raw_hash in found}

    def _known(self, session: Session, external_ids: Sequence[str]) -> dict[str | None, KnownProgram]:
        if not external_ids:
            return {}
        found = session.execute(queries.known(self.source_type, external_ids))
        return {program.external_id: program for program in (KnownProgram(*row) for row in found)}

    def _renamed_program(self, session: Session, plan: Plan, likely: dict[str, int]) -> KnownProgram | None:
        """The program that the item was under another id; one that is only likely the same is noted in `likely`."""
        match = self.renamed.find(session, plan.values) if self.renamed is not None else None
        if match is None:
            return None
        if match.certainty == "same":
            old_id = match.program.external_id
            return self._known(session, [old_id]).get(old_id) if old_id is not None else None
        likely[plan.external_id] = match.program.id
        detail = f"It may be program {match.program.id} under another id; it waits as a draft."
        plan.row.note = ("may_be_renamed", detail)
        return None

    def _create(self, session: Session, new: Sequence[Plan], likely: Mapping[str, int]) -> list[NewItem]:
        """Create the new programs. One that is not released yet is scheduled, one that is likely known is a draft."""
        if self.dry_run:
            return [self._dry_item(plan) for plan in new]
        now = database_now(session)
        publishing = self.options.policy == "publish"
        dates = {
            p.external_id: at for p in new if (at := p.values.get("release_date")) is not None and at > now
        }
        at_once = [
            p for p in new if publishing and p.external_id not in dates and p.external_id not in likely
        ]
        ids_at_once = {plan.external_id for plan in at_once}
        later = [p for p in new if p.external_id not in ids_at_once]
        made = zip(
            [*at_once, *later],
            [*self._create_many(session, at_once, True), *self._create_many(session, later, False)],
            strict=True,
        )
        items = {plan.external_id: item for plan, item in made}
        for plan in later:
            program_id, at = items[plan.external_id].program_id, dates.get(plan.external_id)
            if program_id is not None and plan.external_id in likely:
                self._likely.append((program_id, likely[plan.external_id]))
            elif program_id is not None and publishing and at is not None:
                lifecycle.transition(session, program_id, "schedule", self.actor, at=at)
                item = items[plan.external_id]
                item.code, item.detail = "scheduled", f"It is published on {at.isoformat()}."
        return [items[plan.external_id] for plan in new]

    def _dry_item(self, plan: Plan) -> NewItem:
        item = outcomes.item(plan.row, "created")
        item.diff = comparing.difference(plan.values)
        return item

    def _create_many(self, session: Session, new: Sequence[Plan], publish: bool) -> list[NewItem]:
        if not new:
            return []
        programs = [bulk.NewProgram(plan.values, self._source(plan)) for plan in new]
        checkpoint = noted_changes.checkpoint(session)
        try:
            with session.begin_nested():
                ids = bulk.create_many(session, programs, self.actor, publish=publish)
        except psycopg.errors.IntegrityError:
            noted_changes.restore(session, checkpoint)
            return [self._create_alone(session, plan, publish) for plan in new]
        copy_rows(
            session,
            "imported_programs",
            ("program_id", "content_hash", "raw_hash", "values", "extra"),
            [
                (
                    program_id,
                    plan.content_hash,
                    plan.row.raw_hash,
                    as_jsonb(as_json(plan.values)),
                    as_jsonb(plan.row.extra),
                )
                for program_id, plan in zip(ids, new, strict=True)
            ],
        )
        return [
            outcomes.item(plan.row, "created", program_id) for program_id, plan in zip(ids, new, strict=True)
        ]

    def _create_alone(self, session: Session, plan: Plan, publish: bool) -> NewItem:
        checkpoint = noted_changes.checkpoint(session)
        try:
            with session.begin_nested():
                program = editing.create(session, plan.values, self.actor, source=self._source(plan))
                if publish:
                    lifecycle.transition(session, program.id, "publish", self.actor)
                remember(session, program.id, plan)
        except CatalogError as error:
            noted_changes.restore(session, checkpoint)
            return outcomes.refused(plan.row, error)
        return outcomes.item(plan.row, "created", program.id)

    def _source(self, plan: Plan) -> editing.Source:
        return editing.Source(self.source_type, plan.external_id, plan.content_hash)
