"""JSON answers of collections, and of the feed of changes."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from api.discovery.schemas import ProgramCard
from api.http.schemas import Model, Moment, ProgramDetail
from catalog.journal.queries import ChangeType


class CollectionDetail(Model):
    """Programs that editors chose. `programCount`: those of them that listeners may see."""

    id: int
    slug: Annotated[str, msgspec.Meta(examples=["long-evenings"])]
    title_ar: Annotated[str, msgspec.Meta(examples=["أمسيات طويلة"])]
    title_en: Annotated[str, msgspec.Meta(examples=["Long evenings"])]
    description_ar: str
    description_en: str
    image_url: str | None
    ends_at: Annotated[
        Moment | None, msgspec.Meta(description="When it is taken away; null for no such plan.")
    ]
    program_count: int


class CollectionItem(CollectionDetail):
    """A collection in a list; `programs` are its first ones, if they were asked for."""

    programs: list[ProgramCard] | UnsetType = UNSET


class CollectionsMeta(Model):
    """About the list of collections."""

    limit: int
    programs: Annotated[int, msgspec.Meta(description="How many programs of each were asked for.")]


class CollectionsAnswer(Model):
    """Collections with a visible program, in the editors' order."""

    data: list[CollectionItem]
    meta: CollectionsMeta


class CollectionMeta(Model):
    """About a page of a collection's programs."""

    page: int
    limit: int
    total: int


class CollectionPage(Model):
    """A collection and a page of its programs, in the editors' order."""

    data: CollectionDetail
    programs: list[ProgramCard]
    meta: CollectionMeta


class Change(Model):
    """A program that was published, changed or withdrawn. `program` is as it is now; a withdrawn program has none."""

    type: ChangeType
    id: Annotated[int, msgspec.Meta(description="The program.", examples=[42])]
    at: Annotated[Moment, msgspec.Meta(description="When the change entered the feed.")]
    program: ProgramDetail | UnsetType = UNSET


class ChangesMeta(Model):
    """About a page of changes. `next` goes into `since` of the next request, also when there is nothing more yet."""

    limit: int
    next: Annotated[str, msgspec.Meta(examples=["5f0c1a9e.1024"])]
    has_more: bool


class ChangesAnswer(Model):
    """Changes in the order in which they were committed."""

    data: list[Change]
    meta: ChangesMeta
