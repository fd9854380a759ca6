"""JSON answers of related and trending programs, and of popular searches."""

from typing import Annotated

import msgspec

from api.discovery.schemas import Meta, ProgramCard
from api.http.schemas import Model


class Because(Model):
    """Why a program is offered: the strongest thing that it has in common with the other one.

    `others` is the number of further things of this kind that both have.
    """

    kind: Annotated[
        str,
        msgspec.Meta(
            description="series (a neighbour in the same series), person, tag, words (of both titles) or category.",
            examples=["person"],
        ),
    ]
    value: Annotated[
        str,
        msgspec.Meta(
            description="The series' title, the person's name, the tag, the words as this program's title writes "
            "them, or the category's slug.",
            examples=["سلمان الراشد"],
        ),
    ]
    others: Annotated[int, msgspec.Meta(ge=0, examples=[0])] = 0


class RelatedCard(ProgramCard, kw_only=True):
    """A program that has something in common with another one."""

    because: Because


class RelatedMeta(Meta):
    """About related programs."""

    id: Annotated[int, msgspec.Meta(description="The program they are related to.", examples=[42])]
    limit: int


class TrendingMeta(Model):
    """About what is viewed most lately."""

    window: Annotated[str, msgspec.Meta(examples=["24h"])]
    half_life_hours: Annotated[int, msgspec.Meta(description="After so many hours a view counts half.")]
    limit: int


class TrendingAnswer(Model):
    """Programs that are viewed most lately, the most viewed first. Empty when nothing was viewed."""

    data: list[ProgramCard]
    meta: TrendingMeta


class PopularSearch(Model):
    """A query that many listeners ask."""

    query: Annotated[str, msgspec.Meta(examples=["قهوة المساء"])]


class PopularSearchesMeta(Meta):
    """About popular searches."""

    limit: int


class PopularSearchesAnswer(Model):
    """Queries that many listeners ask, the most frequent ones first."""

    data: list[PopularSearch]
    meta: PopularSearchesMeta


class RelatedAnswer(Model):
    """Programs that are related to a program, the nearest first."""

    data: list[RelatedCard]
    meta: RelatedMeta
