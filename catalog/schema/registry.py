"""The list of all tables: importing this module registers every model with `Base.metadata`."""

from catalog.accounts import models as accounts
from catalog.accounts.idempotency import IdempotencyKey
from catalog.core.audit import AuditEvent
from catalog.core.base import Base
from catalog.curation.models import Collection, CollectionProgram, Pin, PinProgram, Synonym
from catalog.imports.models import (
    ImportDocument,
    ImportedProgram,
    ImportItem,
    ImportQuota,
    ImportRun,
    ImportSource,
    ProgramChapter,
)
from catalog.indexing.models import DriftReport, IndexDirty, IndexTarget, ReindexJob, SearchEngine
from catalog.insight.models import QueryDaily
from catalog.journal.models import JournalEntry, JournalMark, JournalState
from catalog.merging.models import MergeProposal
from catalog.programs.listing.models import ChangedProgram, SavedFilter
from catalog.programs.models import (
    Program,
    ProgramRedirect,
    ProgramRevision,
    ProgramSlug,
    ProgramTrend,
    ViewFlush,
)
from catalog.review.models import PendingRevision, ReviewComment
from catalog.taxonomy.models import Category, FormerSlug, Person, ProgramPerson, ProgramTag, Series, Tag
from catalog.vocabulary.models import VocabularyMark, VocabularyProgram, VocabularyState, VocabularyWord
from catalog.webhooks.models import WebhookDelivery, WebhookEndpoint

__all__ = [
    "AuditEvent",
    "Base",
    "Category",
    "ChangedProgram",
    "Collection",
    "CollectionProgram",
    "DriftReport",
    "FormerSlug",
    "IdempotencyKey",
    "ImportDocument",
    "ImportItem",
    "ImportQuota",
    "ImportRun",
    "ImportSource",
    "ImportedProgram",
    "IndexDirty",
    "IndexTarget",
    "JournalEntry",
    "JournalMark",
    "JournalState",
    "MergeProposal",
    "PendingRevision",
    "Person",
    "Pin",
    "PinProgram",
    "Program",
    "ProgramChapter",
    "ProgramPerson",
    "ProgramRedirect",
    "ProgramRevision",
    "ProgramSlug",
    "ProgramTag",
    "ProgramTrend",
    "QueryDaily",
    "ReindexJob",
    "ReviewComment",
    "SavedFilter",
    "SearchEngine",
    "Series",
    "Synonym",
    "Tag",
    "ViewFlush",
    "VocabularyMark",
    "VocabularyProgram",
    "VocabularyState",
    "VocabularyWord",
    "WebhookDelivery",
    "WebhookEndpoint",
    "accounts",
]
