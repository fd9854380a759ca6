"""JSON answers of the routes for pending revisions."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from sqlalchemy.orm import Session

from api.http.schemas import ListMeta, Model, Moment
from catalog.review import pending
from catalog.review.models import PendingRevision
from catalog.review.subjects import Subject


class PendingOut(Model):
    """Changes that wait beside the live version.

    `changes`: what the fields shall be. `conflicts`: the fields of which the live version has another value now than when
    the change was written; write these fields again to publish. `baseRev`: the live revision at the last change.
    `comment`: why a reviewer gave it back.
    """

    entity: Annotated[str, msgspec.Meta(examples=["program"])]
    id: int
    state: Annotated[str, msgspec.Meta(examples=["in_review"])]
    rev: int
    base_rev: int
    authors: Annotated[list[str], msgspec.Meta(examples=[["account:editor@example.com"]])]
    comment: str | None
    changes: Annotated[dict[str, object], msgspec.Meta(examples=[{"title": "قهوة المساء"}])]
    conflicts: list[str]
    created_at: Moment
    updated_at: Moment


class PendingAnswer(Model):
    """A pending revision under `data`; null when nothing differs from the live version any more."""

    data: PendingOut | None


class PendingDiff(Model):
    """What a pending revision changes: field to [live, pending]."""

    data: dict[str, list[object]]
    meta: dict[str, list[str]]


class PendingItem(Model):
    """A pending revision in the list of reviewers. `title`: of the live version. `openThreads`: of comments on a program."""

    entity: Annotated[str, msgspec.Meta(examples=["program"])]
    id: int
    title: str
    state: Annotated[str, msgspec.Meta(examples=["in_review"])]
    rev: int
    authors: list[str]
    fields: Annotated[list[str], msgspec.Meta(examples=[["title"]])]
    open_threads: int
    updated_at: Moment


class PendingList(Model):
    """A page of pending revisions, those that were changed longest ago first."""

    data: list[PendingItem]
    meta: ListMeta


def pending_out(found: PendingRevision, live: Mapping[str, object]) -> PendingOut:
    """Return a pending revision as JSON shows it.

    Args:
        found: The pending revision.
        live: The live row, as `Subject.read` returns it.
    """
    return PendingOut(
        entity=found.entity,
        id=found.entity_id,
        state=found.state,
        rev=found.rev,
        base_rev=found.base_rev,
        authors=list(found.authors),
        comment=found.comment,
        changes=dict(found.changes),
        conflicts=found.conflicts(live),
        created_at=found.created_at,
        updated_at=found.updated_at,
    )


def read_pending(session: Session, subject: Subject, row_id: int) -> PendingOut | None:
    """Return the pending revision of a row as JSON shows it, if there is one.

    Args:
        session: The transaction.
        subject: The kind of row.
        row_id: The row.
    """
    found = pending.find(session, subject.entity, row_id)
    return pending_out(found, subject.read(session, row_id)) if found is not None else None
