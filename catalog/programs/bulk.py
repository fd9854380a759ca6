"""Many new programs in one go: what `lifecycle.create` does, streamed by COPY.

Imports bring programs by the ten thousand; row by row, each would cost a dozen round trips. The
rules are the same: addresses are unique for ever, every program gets its first revision and an audit
event, and the triggers mark what is published.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog import changes
from catalog.actor import Actor
from catalog.copying import copy_rows
from catalog.programs.data import COLUMNS, camel
from catalog.programs.lifecycle import database_now
from catalog.programs.snapshot import plain
from catalog.text import MAX_SLUG, slugify
from catalog.vocabulary import lifecycle as vocabulary
from catalog.vocabulary.models import Person, Tag

_DEFAULTS: dict[str, Any] = {
    "description": "", "is_featured": False, "is_explicit": False, "locked_fields": [],
}  # fmt: skip
_EXTRA = ("id", "slug", "status", "published_at", "source_type", "external_id", "content_hash")


@dataclass(frozen=True, slots=True)
class NewProgram:
    """`values` as `lifecycle.create` takes them, already validated, references checked."""

    values: dict[str, Any]
    source_type: str
    external_id: str
    content_hash: str


def create_many(
    session: Session, new: Sequence[NewProgram], actor: Actor, *, publish: bool
) -> list[int]:
    """Write them as drafts, or published; returns their ids in the order given.

    Raises psycopg.IntegrityError when somebody else just took an address or an external id: roll
    back to a savepoint and go through `lifecycle.create` one by one.
    """
    if not new:
        return []
    now = database_now(session)
    ids = list(
        session.scalars(
            text("SELECT nextval(pg_get_serial_sequence('programs', 'id')) FROM generate_series(1, :n)"),
            {"n": len(new)},
        )
    )  # fmt: skip
    addresses = _addresses(session, new)
    tags = {
        row.slug: row
        for row in vocabulary.ensure(
            session, Tag, [n for p in new for n in p.values.get("tags", ())]
        )
    }
    names = [name for p in new for _, name in p.values.get("people", ())]
    people = {row.slug: row for row in vocabulary.ensure(session, Person, names)}
    session.flush()
    rows = [
        _Row(i, slug, program, now if publish else None, tags, people)
        for i, slug, program in zip(ids, addresses, new, strict=True)
    ]
    copy_rows(session, "programs", (*_EXTRA, *COLUMNS), [row.columns() for row in rows])
    copy_rows(
        session, "program_slugs", ("slug", "program_id"), [(row.slug, row.id) for row in rows]
    )
    copy_rows(session, "program_tags", ("program_id", "tag_id", "position"), [r for row in rows for r in row.tag_rows()])  # fmt: skip
    copy_rows(session, "program_people", ("program_id", "person_id", "role", "position"), [r for row in rows for r in row.person_rows()])  # fmt: skip
    copy_rows(
        session,
        "program_revisions",
        ("program_id", "rev", "action", "actor", "snapshot"),
        [(row.id, 1, "import", str(actor), Jsonb(row.snapshot())) for row in rows],
    )
    copy_rows(
        session,
        "audit_events",
        ("actor_kind", "actor_id", "actor_name", "request_id", "action", "entity", "entity_id", "diff"),
        [
            (actor.kind, actor.id, actor.name, actor.request_id, "program.import", "program", row.id,
             Jsonb({"title": [None, row.program.values["title"]]}))
            for row in rows
        ],
    )  # fmt: skip
    changes.note(session, [changes.ProgramChange(i, 1, publish) for i in ids])
    return ids


@dataclass(slots=True)
class _Row:
    id: int
    slug: str
    program: NewProgram
    published_at: datetime | None
    tags: dict[str, Tag]
    people: dict[str, Person]

    @property
    def status(self) -> str:
        return "published" if self.published_at is not None else "draft"

    def value(self, name: str) -> Any:
        found = self.program.values.get(name)
        return _DEFAULTS.get(name) if found is None else found

    def columns(self) -> tuple[Any, ...]:
        program = self.program
        return (
            self.id, self.slug, self.status, self.published_at, program.source_type,
            program.external_id, program.content_hash, *(self.value(name) for name in COLUMNS),
        )  # fmt: skip

    def kept_tags(self) -> list[Tag]:
        found = (
            self.tags.get(vocabulary.key(name)) for name in self.program.values.get("tags", ())
        )
        return list(dict.fromkeys(tag for tag in found if tag is not None))

    def kept_people(self) -> list[tuple[str, Person]]:
        given = self.program.values.get("people", ())
        return list(
            dict.fromkeys((role, self.people[vocabulary.key(name)]) for role, name in given)
        )

    def tag_rows(self) -> list[tuple[int, int, int]]:
        return [(self.id, tag.id, n) for n, tag in enumerate(self.kept_tags())]

    def person_rows(self) -> list[tuple[int, int, str, int]]:
        return [(self.id, who.id, role, n) for n, (role, who) in enumerate(self.kept_people())]

    def snapshot(self) -> dict[str, Any]:
        return {
            **{camel(name): plain(self.value(name)) for name in COLUMNS},
            "slug": self.slug,
            "status": self.status,
            "tags": [tag.name for tag in self.kept_tags()],
            "people": [{"role": role, "name": who.name} for role, who in self.kept_people()],
            "rev": 1,
        }


def _addresses(session: Session, new: Sequence[NewProgram]) -> list[str]:
    """A free address for each. A taken one gets a mark of the external id: no counting of others."""
    wanted = []
    for program in new:
        base = slugify(program.values.get("slug") or program.values["title"])
        base = f"program-{base}" if base.isdecimal() else base or "program"
        mark = hashlib.blake2b(program.external_id.encode(), digest_size=5).hexdigest()
        wanted.append((base, f"{base[: MAX_SLUG - 12].rstrip('-')}-{mark}"))
    taken = set(
        session.scalars(
            text("SELECT slug FROM program_slugs WHERE slug = ANY(:slugs)"),
            {"slugs": [slug for pair in wanted for slug in pair]},
        )
    )
    found = []
    for base, marked in wanted:
        slug = base if base not in taken else marked
        taken.add(slug)
        found.append(slug)
    return found
