"""JSON answers of editors' lists."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import RowMapping

from api.editorial.schemas import EditorProgram, editor_program
from api.http.schemas import ListMeta, Model, Moment, Rewrite


class ListedProgram(EditorProgram, kw_only=True):
    """A program in a list of editors.

    `createdBy`: as revisions name their actors. `isChanged`: was published, and was changed while it is not. `pendingState`: of its
    pending revision, null without one. `openThreads`:
    of comments. `submittedBy`, `submittedAt`: of a program in review. `isSearchable`: listeners find it as it is; null when it is not published.
    """

    created_by: Annotated[str | None, msgspec.Meta(examples=["account:editor@example.com"])]
    is_changed: bool
    pending_state: Annotated[str | None, msgspec.Meta(examples=["in_review"])]
    open_threads: int
    submitted_by: Annotated[str | None, msgspec.Meta(examples=["account:editor@example.com"])]
    submitted_at: Moment | None
    is_searchable: bool | None


class TrashedProgram(EditorProgram, kw_only=True):
    """A deleted program; `status` is its state before. `deletedBy`: as revisions name their actors."""

    deleted_at: Moment
    deleted_by: Annotated[str | None, msgspec.Meta(examples=["account:reviewer@example.com"])]


class StateCount(Model):
    """How many programs have a state, counted up to 10,000."""

    status: Annotated[str, msgspec.Meta(examples=["draft"])]
    programs: int


class ProgramsMeta(ListMeta, kw_only=True):
    """About a page of editors' programs.

    `rewrite` is what was looked for instead of `q`; `didYouMean` what may have been meant although `q` itself answered.
    With `counts=true`: `total`, and `states` without regard to the filter `status`.
    """

    rewrite: Rewrite | None = None
    did_you_mean: Rewrite | UnsetType = UNSET
    total: Annotated[int | UnsetType, msgspec.Meta(description="Programs on all pages.")] = UNSET
    total_is_exact: Annotated[
        bool | UnsetType, msgspec.Meta(description="False: there are more than `total`.")
    ] = UNSET
    states: list[StateCount] | UnsetType = UNSET


class EditorList(Model):
    """A page of programs in any state."""

    data: list[ListedProgram]
    meta: ProgramsMeta


class TrashList(Model):
    """A page of deleted programs."""

    data: list[TrashedProgram]
    meta: ProgramsMeta


def _fields(row: RowMapping) -> dict[str, object]:
    shared = editor_program(row)
    return {name: getattr(shared, name) for name in EditorProgram.__struct_fields__}


def listed(row: RowMapping, marks: RowMapping) -> ListedProgram:
    """Return a program as a list shows it.

    Args:
        row: Of `queries.detail()`.
        marks: The program's row of `marks.MARKS`.
    """
    searchable = not marks["is_unconfirmed"] if row["status"] == "published" else None
    return ListedProgram(
        **_fields(row),  # type: ignore[arg-type]  # the fields of an EditorProgram
        created_by=marks["created_by"],
        is_changed=marks["is_changed"],
        pending_state=marks["pending_state"],
        open_threads=marks["open_threads"],
        submitted_by=marks["submitted_by"],
        submitted_at=marks["submitted_at"],
        is_searchable=searchable,
    )


def trashed(row: RowMapping, marks: RowMapping) -> TrashedProgram:
    """Return a deleted program as the trash shows it.

    Args:
        row: Of `queries.detail()`.
        marks: The program's row of `marks.MARKS`.
    """
    return TrashedProgram(
        **_fields(row),  # type: ignore[arg-type]  # the fields of an EditorProgram
        deleted_at=row["deleted_at"],
        deleted_by=marks["deleted_by"],
    )
