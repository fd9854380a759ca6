"""JSON bodies and answers of editors' routes for collections, pins and synonyms."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.http.schemas import Body, BodyId, ListMeta, Model, Moment, ProgramStatus
from catalog.curation.collections import MAX_PROGRAMS
from catalog.curation.models import Collection, Pin, Synonym
from catalog.curation.pins import MAX_PLACE
from catalog.curation.pins import MAX_PROGRAMS as MAX_PINNED
from catalog.curation.synonyms import MAX_TERMS

Status = Literal["draft", "published"]


class CollectionIn(Body):
    """A new collection, without programs."""

    title_ar: Annotated[str, msgspec.Meta(examples=["أمسيات طويلة"])]
    title_en: Annotated[str, msgspec.Meta(examples=["Long evenings"])]
    slug: str | None = None
    description_ar: str = ""
    description_en: str = ""
    image_url: str | None = None
    sort_order: int = 0
    status: Status = "draft"
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class CollectionPatch(Body):
    """The fields to change; a field that is absent stays as it is."""

    title_ar: str | UnsetType = UNSET
    title_en: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    description_ar: str | UnsetType = UNSET
    description_en: str | UnsetType = UNSET
    image_url: str | UnsetType | None = UNSET
    sort_order: int | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    starts_at: Moment | UnsetType | None = UNSET
    ends_at: Moment | UnsetType | None = UNSET


class OrderIn(Body):
    """All programs of a collection, in their order."""

    program_ids: Annotated[list[BodyId], msgspec.Meta(max_length=MAX_PROGRAMS, examples=[[3, 1, 2]])]


class PlaceIn(Body):
    """Where a program stands, from 1; without a place it stands last."""

    place: Annotated[int, msgspec.Meta(ge=1, le=MAX_PROGRAMS, examples=[1])] | None = None


class CuratedProgram(Model):
    """A program that editors chose. `visible`: listeners see it."""

    id: int
    slug: str
    title: str
    status: ProgramStatus
    visible: bool


class CollectionOut(Model):
    """A collection as editors see it."""

    id: int
    slug: str
    title_ar: str
    title_en: str
    description_ar: str
    description_en: str
    image_url: str | None
    sort_order: int
    status: Status
    starts_at: Moment | None
    ends_at: Moment | None
    rev: int


class CollectionAnswer(Model):
    """A collection under `data`, and all its programs in their order."""

    data: CollectionOut
    programs: list[CuratedProgram]


class CollectionList(Model):
    """A page of collections."""

    data: list[CollectionOut]
    meta: ListMeta


def collection_out(row: Collection) -> CollectionOut:
    """Return a collection as editors see it."""
    return CollectionOut(**{name: getattr(row, name) for name in CollectionOut.__struct_fields__})


class PinnedIn(Body):
    """A program and its place in the results, from 1."""

    program_id: BodyId
    place: Annotated[int, msgspec.Meta(ge=1, le=MAX_PLACE, examples=[1])]


PinnedList = Annotated[list[PinnedIn], msgspec.Meta(min_length=1, max_length=MAX_PINNED)]


class PinIn(Body):
    """A new pin. Queries that have the same words in any spelling share it."""

    query: Annotated[str, msgspec.Meta(examples=["قهوة"])]
    programs: PinnedList
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class PinPatch(Body):
    """The fields to change; a field that is absent stays as it is."""

    query: str | UnsetType = UNSET
    programs: PinnedList | UnsetType = UNSET
    starts_at: Moment | UnsetType | None = UNSET
    ends_at: Moment | UnsetType | None = UNSET


class PinnedProgram(CuratedProgram):
    """A pinned program and its place."""

    place: int


class PinOut(Model):
    """A pin with its programs by place. `folded` are the words of the query in the spelling of comparison."""

    id: int
    query: str
    folded: str
    programs: list[PinnedProgram]
    starts_at: Moment | None
    ends_at: Moment | None
    rev: int


class PinAnswer(Model):
    """A pin under `data`."""

    data: PinOut


class PinList(Model):
    """A page of pins."""

    data: list[PinOut]
    meta: ListMeta


def pin_out(row: Pin, programs: list[PinnedProgram]) -> PinOut:
    """Return a pin as editors see it.

    Args:
        row: The pin.
        programs: Its programs, by place.
    """
    return PinOut(
        id=row.id,
        query=row.query,
        folded=row.folded,
        programs=programs,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        rev=row.rev,
    )


SynonymKind = Literal["two_way", "one_way"]
SynonymLanguage = Literal["ar", "en"]
Terms = Annotated[list[str], msgspec.Meta(max_length=MAX_TERMS)]


class SynonymIn(Body):
    """A new synonym. `two_way`: each of `terms` finds what the others do; `one_way`: each also finds what `finds` do.

    `language`: all of them are in its script; null joins words of both.
    """

    kind: SynonymKind
    terms: Annotated[list[str], msgspec.Meta(max_length=MAX_TERMS, examples=[["بودكاست", "podcast"]])]
    finds: Terms = []
    language: SynonymLanguage | None = None


class SynonymPatch(Body):
    """The fields to change; a field that is absent stays as it is."""

    kind: SynonymKind | UnsetType = UNSET
    terms: Terms | UnsetType = UNSET
    finds: Terms | UnsetType = UNSET
    language: SynonymLanguage | UnsetType | None = UNSET


class SynonymOut(Model):
    """A synonym as editors see it."""

    id: int
    kind: str
    language: str | None
    terms: list[str]
    finds: list[str]
    rev: int


class SynonymAnswer(Model):
    """A synonym under `data`."""

    data: SynonymOut


class SynonymList(Model):
    """A page of synonyms."""

    data: list[SynonymOut]
    meta: ListMeta


def synonym_out(row: Synonym) -> SynonymOut:
    """Return a synonym as editors see it."""
    return SynonymOut(**{name: getattr(row, name) for name in SynonymOut.__struct_fields__})
