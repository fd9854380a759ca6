"""JSON answers: values of a facet, lists of series, people and tags, and the programs of a person or a tag."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from api.discovery.schemas import BrowseMeta, FacetValue, Meta, ProgramCard, SeriesDetail
from api.http.schemas import Model, Moment, Rewrite


class ListedMeta(Meta, kw_only=True):
    """About a page of a list. Send `nextCursor` as `cursor` to get the next page; null is the end."""

    query: str
    limit: int
    total: Annotated[int, msgspec.Meta(description="Rows on all pages.")]
    total_is_exact: Annotated[bool, msgspec.Meta(description="False: there may be more than `total`.")]
    next_cursor: str | None
    rewrite: Annotated[
        Rewrite | UnsetType, msgspec.Meta(description="Nothing begins as typed: what was looked for instead.")
    ] = UNSET


class FacetMeta(ListedMeta, kw_only=True):
    """About a page of a facet's values."""

    facet: Annotated[str, msgspec.Meta(examples=["people"])]


class FacetAnswer(Model):
    """A page of the values of a facet."""

    data: list[FacetValue]
    meta: FacetMeta


class SeriesItem(SeriesDetail):
    """A series in a list, with the number of its programs that meet the filters."""

    program_count: int


class SeriesListAnswer(Model):
    """A page of series, those with most programs first."""

    data: list[SeriesItem]
    meta: ListedMeta


class NamedItem(Model):
    """A person or a tag, with the number of programs."""

    slug: Annotated[str, msgspec.Meta(examples=["سلمان-الراشد"])]
    name: Annotated[str, msgspec.Meta(examples=["سلمان الراشد"])]
    program_count: int
    latest_release_date: Moment | None


class NamesAnswer(Model):
    """A page of people or tags, those with most programs first."""

    data: list[NamedItem]
    meta: ListedMeta


class NamePage(Model):
    """A person or a tag, and a page of its programs. `meta` and `facets` are those of a listing."""

    data: NamedItem
    programs: list[ProgramCard]
    meta: BrowseMeta
    facets: dict[str, list[FacetValue]] | UnsetType = UNSET
