"""The JSON answer of the route of one facet."""

from typing import Annotated

import msgspec

from api.discovery.schemas import FacetValue, Meta, Rewrite
from api.http.schemas import Model


class FacetMeta(Meta):
    """About a page of a facet's values. Send `nextCursor` as `cursor` to get the next page; null is the end."""

    facet: Annotated[str, msgspec.Meta(examples=["people"])]
    query: str
    limit: int
    total: Annotated[int, msgspec.Meta(description="Values on all pages.")]
    next_cursor: str | None
    rewrite: Annotated[
        Rewrite | msgspec.UnsetType,
        msgspec.Meta(description="Nothing begins as typed: what was looked for instead."),
    ] = msgspec.UNSET


class FacetAnswer(Model):
    """A page of the values of a facet."""

    data: list[FacetValue]
    meta: FacetMeta
