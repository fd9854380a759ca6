"""Which indexes on which engines are kept, and by which names the settings know them."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.dirty import IndexTarget
from indexer.settings import IndexerSettings

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Target:
    """One index that is kept equal to the published set."""

    id: int
    engine: str
    url: str
    uid: str
    state: str
    settings_revision: int


def engines(settings: IndexerSettings) -> dict[str, str]:
    """name -> address of every engine that is configured."""
    return {DEFAULT: settings.meili_url}


def ensure(session: Session, settings: IndexerSettings) -> None:
    """Every configured engine has a live target, under the name that searches go to."""
    for name in engines(settings):
        live = session.scalars(
            select(IndexTarget)
            .where(IndexTarget.engine == name, IndexTarget.state == "live")
            .with_for_update()
        ).one_or_none()
        if live is None:
            session.add(IndexTarget(engine=name, index_uid=settings.meili_index, state="live"))
        elif live.index_uid != settings.meili_index:
            live.index_uid = settings.meili_index
    session.flush()


def kept(session: Session, settings: IndexerSettings) -> list[Target]:
    """The targets that have a sender, live ones first."""
    urls = engines(settings)
    rows = session.scalars(
        select(IndexTarget)
        .where(IndexTarget.state != "retired", IndexTarget.engine.in_(urls))
        .order_by(IndexTarget.state != "live", IndexTarget.id)
    )
    return [_target(row, urls) for row in rows]


def one(session: Session, settings: IndexerSettings, target_id: int) -> Target | None:
    """The target, or None when it is gone or its engine is not configured any more."""
    row = session.get(IndexTarget, target_id, populate_existing=True)
    urls = engines(settings)
    return _target(row, urls) if row is not None and row.engine in urls else None


def _target(row: IndexTarget, urls: dict[str, str]) -> Target:
    return Target(row.id, row.engine, urls[row.engine], row.index_uid, row.state, row.settings_revision)  # fmt: skip
