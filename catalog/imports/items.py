"""What became of the items of a run: stored, counted in the run, and found by position."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.core.db import as_jsonb, copy_rows
from catalog.imports.models import ImportItem, ImportRun, ImportTotal, StoredFieldError

# An item's outcome -> the column of the run that counts it.
COUNTERS = {
    "created": "created",
    "updated": "updated",
    "unchanged": "unchanged",
    "conflict": "conflicts",
    "skipped": "skipped",
    "failed": "failed",
}
_COLUMNS = (
    "run_id",
    "position",
    "external_id",
    "title",
    "outcome",
    "code",
    "detail",
    "program_id",
    "errors",
    "diff",
    "conflicts",
)


@dataclass(slots=True)
class NewItem:
    """What became of one item, before it is stored. The fields are those of `models.ImportItem`."""

    position: int
    external_id: str | None
    title: str
    outcome: str
    code: str | None = None
    detail: str | None = None
    program_id: int | None = None
    errors: list[StoredFieldError] = field(default_factory=list)
    diff: dict[str, object] = field(default_factory=dict)
    conflicts: dict[str, object] = field(default_factory=dict)


def store(session: Session, run_id: int, items: Sequence[NewItem]) -> None:
    """Insert the items of a run by COPY.

    Args:
        session: The transaction.
        run_id: The run.
        items: What became of each.
    """
    rows = [
        (
            run_id,
            item.position,
            item.external_id,
            item.title,
            item.outcome,
            item.code,
            item.detail,
            item.program_id,
            as_jsonb(item.errors) if item.errors else "[]",
            as_jsonb(item.diff) if item.diff else "{}",
            as_jsonb(item.conflicts) if item.conflicts else "{}",
        )
        for item in items
    ]
    copy_rows(session, "import_items", _COLUMNS, rows)


def count(run: ImportRun, items: Sequence[NewItem], position: int) -> None:
    """Add the items to the run's counts and move its checkpoint; progress resets the count of attempts.

    Args:
        run: The run, locked by `leases.require`.
        items: The outcomes of a batch, also those that are not stored.
        position: How many items of the run are done now.
    """
    for item in items:
        name = COUNTERS[item.outcome]
        setattr(run, name, getattr(run, name) + 1)
    if position > run.position:
        run.attempt = 1
    run.position = position


def count_done(run: ImportRun) -> int:
    """Return how many items of the run have an outcome."""
    return sum(getattr(run, name) for name in COUNTERS.values())


def add_to_totals(session: Session, run: ImportRun) -> None:
    """Add an ended run to the totals of its kind of source, for metrics. Dry runs do not count.

    Args:
        session: The transaction that ends the run.
        run: The run, ended.
    """
    if run.dry_run:
        return
    seconds = (
        (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else 0.0
    )
    found = {outcome: float(getattr(run, column)) for outcome, column in COUNTERS.items()}
    found |= {f"run_{run.status}": 1.0, "seconds": max(0.0, seconds)}
    _add(session, run.kind, found)


def count_files(session: Session, run: ImportRun, what: str, results: Mapping[str, int]) -> None:
    """Add files that a run asked other servers for to the totals. Dry runs do not count.

    Args:
        session: The transaction.
        run: The run.
        what: `probe` (the first bytes of a file tell its type) or `chapters`.
        results: Number of files by what became of them: `found`, `unknown`, `failed`; of chapters `read`, `failed`.
    """
    if results and not run.dry_run:
        _add(session, run.kind, {f"{what}_{result}": float(number) for result, number in results.items()})


def _add(session: Session, kind: str, totals: Mapping[str, float]) -> None:
    rows = [{"kind": kind, "name": name, "total": total} for name, total in sorted(totals.items()) if total]
    statement = insert(ImportTotal).values(rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "name"], set_={"total": ImportTotal.total + statement.excluded.total}
        )
    )


def positions(run_id: int, outcomes: Collection[str], limit: int) -> Select[int]:
    """Return the positions of the items of a run that have one of some outcomes, in their order.

    Args:
        run_id: The run.
        outcomes: The outcomes.
        limit: How many at most.
    """
    query = select(ImportItem.position).where(
        ImportItem.run_id == run_id, ImportItem.outcome.in_(list(outcomes))
    )
    return query.order_by(ImportItem.position).limit(limit)


def before_page(run_id: int, after: int, limit: int, outcome: str | None = None) -> Select[int]:
    """Return the position behind which the page before a page of items begins; no row where it is the first page.

    Args:
        run_id: The run.
        after: The position behind which the page begins.
        limit: How many items a page has.
        outcome: Only items with this outcome; None means any.
    """
    query = select(ImportItem.position).where(ImportItem.run_id == run_id, ImportItem.position <= after)
    if outcome is not None:
        query = query.where(ImportItem.outcome == outcome)
    return query.order_by(ImportItem.position.desc()).offset(limit).limit(1)
