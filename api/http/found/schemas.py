"""JSON answers that say whether a program is found, and why: in every index, and by a query."""

from typing import Annotated

import msgspec

from api.http.schemas import Model, PreviewPin, one_of

VERDICTS = ("found", "hidden", "index", "words", "reading", "unknown")


class IndexStateOut(Model):
    """A program in one index. `state`: in_step, waiting, parked, missing, stale, ghost or unknown."""

    target_id: int
    index: str
    state: Annotated[str, msgspec.Meta(examples=["in_step"])]
    wanted: bool
    stored_rev: int | None
    waiting_sec: float | None
    error: str | None


class IndexStateAnswer(Model):
    """A program's state in every index. `meta` has its revision and status in the database."""

    data: list[IndexStateOut]
    meta: dict[str, int | str | None]


class RuleOut(Model):
    """What a ranking rule of the engine makes of a program. `score` is 1 at best; `value` is what a rule of a field compares.

    `detail` has the engine's own figures, such as `matchingWords` and `maxMatchingWords`.
    """

    rule: Annotated[str, msgspec.Meta(examples=["typo"])]
    score: float | None
    value: float | None
    detail: dict[str, float | str]


class InSearchOut(Model):
    """A program among what a query finds, as listeners get it: by relevance, without filters."""

    position: Annotated[
        int | None, msgspec.Meta(description="Its place, from 1; null if it is not among the first 1,000.")
    ]
    total: Annotated[int, msgspec.Meta(description="How many programs the query finds, pins left aside.")]
    placed_by: Annotated[
        str | None,
        msgspec.Meta(
            description="pin; title (its title is the query, so it goes first); or the ranking rule that sets it apart from the "
            "program before it, for the first one from that behind it. null: none does, or it is not among the first 100.",
            examples=["proximity"],
        ),
    ]
    beside: Annotated[int | None, msgspec.Meta(description="The program that the rule compares it with.")]
    rules: Annotated[list[RuleOut], msgspec.Meta(description="In the order of the rules.")]
    rung: Annotated[
        str, msgspec.Meta(description="plain, or the rung of the reading that answered.", examples=["plain"])
    ]
    read_as: Annotated[str | None, msgspec.Meta(description="The words of this reading.")]
    synonyms: Annotated[list[str], msgspec.Meta(description="Other wordings of the query by synonyms.")]
    pins: Annotated[list[PreviewPin], msgspec.Meta(description="What is pinned to the query now.")]


class WhyOut(Model):
    """Why a query finds a program, or does not. `inSearch` is null when no engine answers."""

    program_id: int
    title: str
    verdict: Annotated[
        str,
        one_of("Verdict", VERDICTS),
        msgspec.Meta(
            description="found. hidden: listeners may not see it. index: an index has not its newest state. words: it lacks "
            "words of the query. reading: it has them, but another reading answered, or other programs fit better than 1,000 times. "
            "unknown: no engine answered."
        ),
    ]
    visible: bool
    hidden_because: Annotated[
        str | None, msgspec.Meta(description="merged, deleted, expired, or its state.", examples=["draft"])
    ]
    missing_words: Annotated[
        list[str], msgspec.Meta(description="Words of the query that the program does not have.")
    ]
    in_search: InSearchOut | None
    indexes: list[IndexStateOut]


class WhyMeta(Model):
    """About the question. `folded`: the words of the query in the spelling of comparison."""

    query: str
    folded: str


class WhyAnswer(Model):
    """Why a query finds a program, or does not."""

    data: WhyOut
    meta: WhyMeta
