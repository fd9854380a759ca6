"""JSON answers of collections."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from api.discovery.schemas import ProgramCard
from api.http.schemas import Model, Moment


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
