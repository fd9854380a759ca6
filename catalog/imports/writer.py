"""From rows to programs: compare with what is held, write what differs, say what became of each.

What an editor locked or changed stays: a field is taken over only when the program still says what
its source said last time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog import changes
from catalog.actor import Actor
from catalog.categories.models import Category
from catalog.copying import copy_rows
from catalog.errors import CatalogError, FieldError, ValidationFailed
from catalog.imports import queries
from catalog.imports.models import ImportedProgram, ImportItem
from catalog.imports.options import Options, defaults
from catalog.imports.rows import Row, as_json, content_hash
from catalog.programs import bulk, lifecycle, snapshot
from catalog.programs.data import camel, validate
from catalog.programs.models import Program
from catalog.series import lifecycle as series_lifecycle
from catalog.series.models import Series
from catalog.text import fold, slugify


@dataclass(slots=True)
class _Plan:
    """A row, what it would be as a program, and what is held of it."""

    row: Row
    values: dict[str, Any]
    hash: str
    held: Any = None


class Writer:
    """Writes the rows of one run. `source_type` and the external id find a program again."""

    def __init__(
        self, source_type: str, options: Options, actor: Actor, run_id: int, *, dry_run: bool
    ) -> None:
        self.source_type, self.options, self.actor = source_type, options, actor
        self.run_id, self.dry_run = run_id, dry_run
        self._categories: dict[str, int] | None = None
        self._series: dict[str, int] = {}

    def forget(self) -> None:
        """After a roll-back: what was looked up or made may not be there."""
        self._categories, self._series = None, {}

    def write(self, session: Session, rows: Sequence[Row]) -> list[ImportItem]:
        """The outcome of every row, in order; with `dry_run` nothing is written."""
        outcomes: dict[int, ImportItem] = {}
        plans: list[_Plan] = []
        for row in rows:
            found = self._plan(session, row)
            if isinstance(found, ImportItem):
                outcomes[row.position] = found
            else:
                plans.append(found)
        ids = [str(plan.row.external_id) for plan in plans]
        held = {r.external_id: r for r in session.execute(queries.known(self.source_type, ids))}
        new = []
        for plan in plans:
            plan.held = held.get(plan.row.external_id)
            if plan.held is None:
                new.append(plan)
            else:
                if plan.row.series is not None and plan.row.series.weak:
                    plan.values.pop("series_id", None)
                outcomes[plan.row.position] = self._compare(session, plan)
        for plan, item in zip(new, self._create(session, new), strict=True):
            outcomes[plan.row.position] = item
        return [outcomes[row.position] for row in rows]

    def _item(self, row: Row, outcome: str, **more: Any) -> ImportItem:
        title = "".join(c for c in row.title if c.isprintable())[:300]
        shown = (row.external_id or "").replace("\0", "")[:500] or None
        return ImportItem(
            run_id=self.run_id, position=row.position, external_id=shown, title=title, outcome=outcome, **more
        )  # fmt: skip

    def _failed(self, row: Row, errors: Sequence[FieldError], code: str) -> ImportItem:
        listed = [{"field": e.field, "code": e.code, "message": e.message[:300]} for e in errors]
        detail = "; ".join(f"{e['field']}: {e['message']}" for e in listed)[:1000]
        return self._item(row, "failed", code=code, detail=detail, errors=listed)

    def _plan(self, session: Session, row: Row) -> _Plan | ImportItem:
        if row.skip is not None:
            return self._item(row, "skipped", code=row.skip[0], detail=row.skip[1])
        values = defaults(self.options) | {k: v for k, v in row.values.items() if v is not None}
        if self.options.tags:
            values["tags"] = [*values.get("tags", []), *self.options.tags]
        errors = list(row.errors)
        said = content_hash(row, values)
        if row.category is not None:
            found = self._category(session, row.category)
            if found is None:
                message = f"No category {row.category[:60]!r}."
                errors.append(FieldError("category", "not_found", message))
            else:
                values["category_id"] = found
        else:
            known = (self._category(session, hint) for hint in row.hints)
            hinted = next((found for found in known if found is not None), None)
            if hinted is not None:
                values.setdefault("category_id", hinted)
        try:
            validate(values, creating=True)
        except ValidationFailed as wrong:
            seen = {error.field for error in errors}
            errors += [error for error in wrong.errors if error.field not in seen]
        if not row.external_id:
            errors.append(FieldError("externalId", "required", "Must be given."))
        if errors:
            return self._failed(row, errors, "invalid")
        if row.series is not None and "series_id" not in values:
            series_id = self._series_id(session, row, str(values["language"]))
            if series_id is not None:
                values["series_id"] = series_id
        return _Plan(row, values, said)

    def _category(self, session: Session, name: str) -> int | None:
        if self._categories is None:
            self._categories = {}
            for row in session.execute(
                select(Category.id, Category.slug, Category.name_ar, Category.name_en)
            ):
                for key in (str(row.id), row.slug, row.name_ar, row.name_en):
                    self._categories.setdefault(fold(key), row.id)
        return self._categories.get(fold(name.strip()))

    def _series_id(self, session: Session, row: Row, language: str) -> int | None:
        assert row.series is not None  # noqa: S101
        slug = slugify(row.series.title)
        if not slug:
            return None
        if slug not in self._series:
            found = session.scalar(select(Series.id).where(Series.slug == slug))
            if found is None and not self.dry_run:
                found = self._make_series(session, row, language)
            if found is None:
                return None
            self._series[slug] = found
        return self._series[slug]

    def _make_series(self, session: Session, row: Row, language: str) -> int | None:
        assert row.series is not None  # noqa: S101
        values: dict[str, Any] = {"title": row.series.title[:300], "language": language}
        values["description"] = row.series.description[:20_000]
        if row.series.thumbnail_url:
            values["thumbnail_url"] = row.series.thumbnail_url
        try:
            with session.begin_nested():
                return series_lifecycle.create(session, values, self.actor).id
        except CatalogError:
            # Somebody was faster, or its title cannot stand: the program comes without.
            return session.scalar(select(Series.id).where(Series.slug == slugify(row.series.title)))

    def _create(self, session: Session, new: Sequence[_Plan]) -> list[ImportItem]:
        if self.dry_run:
            return [self._item(p.row, "created", diff=_added(p.values)) for p in new]
        publish = self.options.policy == "publish"
        programs = [
            bulk.NewProgram(p.values, self.source_type, str(p.row.external_id), p.hash) for p in new
        ]
        noted = changes.noted(session)
        try:
            with session.begin_nested():
                ids = bulk.create_many(session, programs, self.actor, publish=publish)
        except psycopg.errors.IntegrityError:
            changes.put_back(session, noted)
            return [self._create_one(session, plan, publish) for plan in new]
        copy_rows(
            session,
            "imported_programs",
            ("program_id", "content_hash", "values", "extra"),
            [
                (i, p.hash, Jsonb(as_json(p.values)), Jsonb(p.row.extra))
                for i, p in zip(ids, new, strict=True)
            ],
        )
        return [self._item(p.row, "created", program_id=i) for i, p in zip(ids, new, strict=True)]

    def _create_one(self, session: Session, plan: _Plan, publish: bool) -> ImportItem:
        noted = changes.noted(session)
        source = (self.source_type, str(plan.row.external_id))
        try:
            with session.begin_nested():
                program = lifecycle.create(
                    session, plan.values, self.actor, source=source, content_hash=plan.hash
                )
                if publish:
                    lifecycle.publish(session, program.id, self.actor)
                self._remember(session, [(program.id, plan)])
        except CatalogError as error:
            changes.put_back(session, noted)
            errors = error.errors if isinstance(error, ValidationFailed) else [FieldError(error.field or "", error.code, error.detail)]  # fmt: skip
            return self._failed(plan.row, errors, error.code)
        return self._item(plan.row, "created", program_id=program.id)

    def _compare(self, session: Session, plan: _Plan) -> ImportItem:
        held = plan.held
        if held.into_id is not None:
            why = f"It was merged into program {held.into_id}."
            return self._item(
                plan.row, "skipped", code="merged", detail=why, program_id=held.into_id
            )
        if held.deleted_at is not None:
            why = "An editor deleted this program."
            return self._item(plan.row, "skipped", code="deleted", detail=why, program_id=held.id)
        if held.content_hash == plan.hash:
            return self._item(plan.row, "unchanged", program_id=held.id)
        program = (
            session.get_one(Program, held.id) if self.dry_run else lifecycle.get(session, held.id)
        )
        current = snapshot.of(session, program)
        changed, kept = _merge(plan.values, held.values or {}, current, program.locked_fields)
        diff = {camel(n): [current.get(camel(n)), as_json({n: v})[n]] for n, v in changed.items()}
        extra = held.extra or {}
        if extra != plan.row.extra:
            diff["extra"] = [extra, plan.row.extra]
        more: dict[str, Any] = {"program_id": held.id, "diff": diff}
        if kept:
            more |= {"code": "edited_here", "detail": f"Kept as edited here: {', '.join(kept)}."}
        if not self.dry_run:
            noted = changes.noted(session)
            try:
                with session.begin_nested():
                    if changed:
                        lifecycle.edit(
                            session, held.id, changed, self.actor,
                            action="import", content_hash=plan.hash,
                        )  # fmt: skip
                    self._remember(session, [(held.id, plan)])
            except CatalogError as error:
                changes.put_back(session, noted)
                return self._failed(plan.row, [FieldError(error.field or "", error.code, error.detail)], error.code)  # fmt: skip
        outcome = "updated" if diff else "conflict" if kept else "unchanged"
        return self._item(plan.row, outcome, **more)

    def _remember(self, session: Session, written: Sequence[tuple[int, _Plan]]) -> None:
        rows = [
            {
                "program_id": i,
                "content_hash": p.hash,
                "values": as_json(p.values),
                "extra": p.row.extra,
            }
            for i, p in written
        ]
        if not rows:
            return
        query = insert(ImportedProgram).values(rows)
        session.execute(
            query.on_conflict_do_update(
                index_elements=["program_id"],
                set_={
                    "content_hash": query.excluded.content_hash,
                    "values": query.excluded["values"],
                    "extra": query.excluded.extra,
                },
            )
        )


def _added(values: dict[str, Any]) -> dict[str, list[Any]]:
    return {camel(name): [None, value] for name, value in as_json(values).items()}


def _merge(
    values: dict[str, Any], base: dict[str, Any], current: dict[str, Any], locked: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """What to take over, and the JSON names of fields the source changed but an editor keeps."""
    changed: dict[str, Any] = {}
    kept: list[str] = []
    said = as_json(values)
    for name, value in values.items():
        field = camel(name)
        now = _comparable(name, current.get(field))
        new, before = _comparable(name, said[name]), _comparable(name, base.get(name))
        if new == now:
            continue
        edited = field in locked or (name in base and now != before)
        if not edited:
            changed[name] = value
        elif new != before:
            kept.append(field)
    return changed, kept


def _comparable(name: str, value: Any) -> Any:
    if name == "people":
        pairs = [(p["role"], p["name"]) if isinstance(p, dict) else tuple(p) for p in value or ()]
        return list(dict.fromkeys((role, slugify(fold(who))) for role, who in pairs))
    if name == "tags":
        return list(dict.fromkeys(slugify(fold(tag)) for tag in value or ()))
    if name in ("release_date", "expire_at") and value:
        return datetime.fromisoformat(value)
    return value
