"""JSON bodies and answers of editors' routes for tags and people."""

from typing import Annotated

import msgspec

from api.http.schemas import Body, BodyId, ListMeta, Model
from catalog.taxonomy.joining import Effects
from catalog.taxonomy.models import Person, Tag


class NameIn(Body):
    """The name of a new tag or person."""

    name: Annotated[str, msgspec.Meta(examples=["قهوة"])]


class RenameIn(Body):
    """The new name of a tag or a person."""

    name: str


class NamedMergeIn(Body):
    """The tag or the person that stays."""

    into_id: BodyId


class NamedOut(Model):
    """A tag or a person. `programs`: on how many it is, deleted ones included, counted up to 10,000."""

    id: int
    slug: str
    name: str
    programs: int


class NamedAnswer(Model):
    """A tag or person under `data`."""

    data: NamedOut


class NamedList(Model):
    """A page of tags or people."""

    data: list[NamedOut]
    meta: ListMeta


class EffectsOut(Model):
    """What merging, renaming or deleting a tag or a person affects.

    `programs` have it, `published` of them; `trashed` deleted programs have it, too. `pending` revisions name it. `both`:
    programs that also have the one that it would be merged into.
    """

    programs: int
    published: int
    trashed: int
    pending: int
    both: int


class EffectsAnswer(Model):
    """The effects under `data`."""

    data: EffectsOut


def named_out(row: Tag | Person, programs: int) -> NamedOut:
    """Return a tag or a person as editors see it.

    Args:
        row: The tag or the person.
        programs: On how many programs it is.
    """
    return NamedOut(id=row.id, slug=row.slug, name=row.name, programs=programs)


def effects_out(found: Effects) -> EffectsOut:
    """Return effects as JSON shows them."""
    return EffectsOut(
        programs=found.programs,
        published=found.published,
        trashed=found.trashed,
        pending=found.pending,
        both=found.both,
    )
