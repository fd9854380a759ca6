"""Every table, so that migrations and tests see all of them by importing one module."""

from catalog.accounts import models as accounts
from catalog.audit import AuditEvent
from catalog.base import Base
from catalog.categories.models import Category
from catalog.dirty import IndexDirty, IndexTarget
from catalog.idempotency import IdempotencyKey
from catalog.imports.models import (
    ImportDocument,
    ImportedProgram,
    ImportItem,
    ImportQuota,
    ImportRun,
    ImportSource,
)
from catalog.indexing.models import DriftReport, ReindexJob
from catalog.merging.models import MergeProposal
from catalog.programs.models import (
    Program,
    ProgramRedirect,
    ProgramRevision,
    ProgramSlug,
    ViewFlush,
)
from catalog.series.models import Series
from catalog.vocabulary.models import Person, ProgramPerson, ProgramTag, Tag

__all__ = [
    "AuditEvent",
    "Base",
    "Category",
    "DriftReport",
    "IdempotencyKey",
    "ImportDocument",
    "ImportItem",
    "ImportQuota",
    "ImportRun",
    "ImportSource",
    "ImportedProgram",
    "IndexDirty",
    "IndexTarget",
    "MergeProposal",
    "Person",
    "Program",
    "ProgramPerson",
    "ProgramRedirect",
    "ProgramRevision",
    "ProgramSlug",
    "ProgramTag",
    "ReindexJob",
    "Series",
    "Tag",
    "ViewFlush",
    "accounts",
]
