"""Many new programs at once: what `editing.create` does, streamed by COPY. Called by imports.

An import brings programs by the ten thousand; created one by one, each takes about a dozen round trips
(docs/decisions, imports). The rules are the same: an address is unique for ever, every program gets its first
revision and an audit event, and the triggers mark the published ones.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.core import changes
from catalog.core.actor import Actor
from catalog.core.db import as_jsonb, copy_rows, database_now
from catalog.core.fields import camel
from catalog.core.text import MAX_SLUG
from catalog.programs.editing import Source
from catalog.programs.models import Snapshot
from catalog.programs.rules import COLUMNS, NewProgramValues
from catalog.programs.slugs import SUFFIX_LETTERS, base_of
from catalog.programs.snapshot import of_parts, plain
from catalog.taxonomy import names
from catalog.taxonomy.models import Credit, Person, Tag

# What a column gets that an item does not give. COPY writes every column, so no server default applies.
_DEFAULTS: dict[str, object] = {
    "description": "",
    "is_featured": False,
    "is_explicit": False,
    "locked_fields": [],
}
_OTHER_COLUMNS = ("id", "slug", "status", "published_at", "source_type", "external_id", "content_hash")


@dataclass(frozen=True, slots=True)
class NewProgram:
    """A program to be created: validated values whose category and series exist, and where it comes from."""

    values: NewProgramValues
    source: Source


def create_many(session: Session, new: Sequence[NewProgram], actor: Actor, *, publish: bool) -> list[int]:
    """Create programs as drafts, or published at once.

    Args:
        session: The transaction.
        new: The programs.
        actor: Who creates them.
        publish: Publish them instead of leaving drafts.

    Returns:
        Their ids, in the order of `new`.

    Raises:
        psycopg.IntegrityError: Another transaction has just taken an address or an external id. Roll back to a
            savepoint and create the programs one by one.
    """
    if not new:
        return []
    now = database_now(session)
    ids = list(
        session.scalars(
            text("SELECT nextval(pg_get_serial_sequence('programs', 'id')) FROM generate_series(1, :n)"),
            {"n": len(new)},
        )
    )
    addresses = _addresses(session, new)
    tag_names = [name for program in new for name in program.values.get("tags", ())]
    tags = names.get_or_create(session, Tag, tag_names)
    person_names = [name for program in new for _, name in program.values.get("people", ())]
    people = names.get_or_create(session, Person, person_names)
    session.flush()
    rows = [
        _Row(program_id, slug, program, now if publish else None, tags, people)
        for program_id, slug, program in zip(ids, addresses, new, strict=True)
    ]
    copy_rows(session, "programs", (*_OTHER_COLUMNS, *COLUMNS), [row.columns() for row in rows])
    copy_rows(session, "program_slugs", ("slug", "program_id"), [(row.slug, row.id) for row in rows])
    copy_rows(
        session,
        "program_tags",
        ("program_id", "tag_id", "position"),
        [link for row in rows for link in row.tag_rows()],
    )
    copy_rows(
        session,
        "program_people",
        ("program_id", "person_id", "role", "position"),
        [link for row in rows for link in row.person_rows()],
    )
    copy_rows(
        session,
        "program_revisions",
        ("program_id", "rev", "action", "actor", "snapshot"),
        [(row.id, 1, "import", str(actor), as_jsonb(row.snapshot())) for row in rows],
    )
    copy_rows(
        session,
        "audit_events",
        ("actor_kind", "actor_id", "actor_name", "request_id", "action", "entity", "entity_id", "diff"),
        [
            (
                actor.kind,
                actor.id,
                actor.name,
                actor.request_id,
                "program.import",
                "program",
                row.id,
                as_jsonb({"title": [None, row.program.values["title"]], "status": [None, row.status]}),
            )
            for row in rows
        ],
    )
    changes.note(session, [changes.ProgramChange(program_id, 1, publish) for program_id in ids])
    return ids


@dataclass(slots=True)
class _Row:
    id: int
    slug: str
    program: NewProgram
    published_at: datetime | None
    # By the keys of their names.
    all_tags: dict[str, Tag]
    all_people: dict[str, Person]

    @property
    def status(self) -> str:
        return "published" if self.published_at is not None else "draft"

    def value(self, name: str) -> object:
        value = self.program.values.get(name)
        return _DEFAULTS.get(name) if value is None else value

    def columns(self) -> tuple[object, ...]:
        values = (self.value(name) for name in COLUMNS)
        return (self.id, self.slug, self.status, self.published_at, *self.program.source, *values)

    def tags(self) -> list[Tag]:
        """The program's tags, each once."""
        tags = (self.all_tags.get(names.key(name)) for name in self.program.values.get("tags", ()))
        return list(dict.fromkeys(tag for tag in tags if tag is not None))

    def people(self) -> list[tuple[str, Person]]:
        """The program's people with their roles, each pair once."""
        pairs = self.program.values.get("people", ())
        return list(dict.fromkeys((role, self.all_people[names.key(name)]) for role, name in pairs))

    def tag_rows(self) -> list[tuple[int, int, int]]:
        return [(self.id, tag.id, n) for n, tag in enumerate(self.tags())]

    def person_rows(self) -> list[tuple[int, int, str, int]]:
        return [(self.id, person.id, role, n) for n, (role, person) in enumerate(self.people())]

    def snapshot(self) -> Snapshot:
        columns = {camel(name): plain(self.value(name)) for name in COLUMNS}
        tags = [tag.name for tag in self.tags()]
        people: list[Credit] = [{"role": role, "name": person.name} for role, person in self.people()]
        return of_parts(columns, self.slug, self.status, 1, tags, people)


def _addresses(session: Session, new: Sequence[NewProgram]) -> list[str]:
    """Return a free address for each program.

    A taken address gets a hash of the external id behind it, so that no numbers have to be tried.
    """
    wanted = []
    for program in new:
        base = base_of(program.values.get("slug") or program.values["title"]) or "program"
        digest = hashlib.blake2b(program.source.external_id.encode(), digest_size=5).hexdigest()
        wanted.append((base, f"{base[: MAX_SLUG - SUFFIX_LETTERS].rstrip('-')}-{digest}"))
    taken = set(
        session.scalars(
            text("SELECT slug FROM program_slugs WHERE slug = ANY(:slugs)"),
            {"slugs": [slug for pair in wanted for slug in pair]},
        )
    )
    addresses = []
    for base, with_hash in wanted:
        slug = base if base not in taken else with_hash
        taken.add(slug)
        addresses.append(slug)
    return addresses
