"""Where a query finds a program, and what put it there, for editors and operators who wonder.

One search is asked as a listener's is, and then one request more: for the first 1,000 ids, of 100 of them with what each
ranking rule makes of them, and for the program itself.
"""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, structs

from api.answers.cache import Cache
from api.discovery.counted.notes import PLAIN
from api.discovery.lookups.curated import Curated
from api.discovery.narrowing.filters import Filters
from api.discovery.params import SearchRequest
from api.discovery.searching.ladder import titled
from api.discovery.searching.pins import merged, window
from api.discovery.searching.service import Searches
from api.http.found.schemas import InSearchOut, RuleOut
from api.http.query import DEFAULT_LIMIT
from api.http.readings.fit import fit
from api.http.schemas import PreviewPin
from catalog.words.spelling import split
from indexer.engines.document import ListedFields
from indexer.engines.errors import unreadable_as_unavailable
from indexer.engines.messages import Query, RankedHit
from indexer.engines.search import SearchPool

# Results whose ids are looked at, and those of them whose ranking is told.
_LOOKED_AT, _RANKED = 1_000, 100
_Details = Mapping[str, Mapping[str, object]]


class Places:
    """Asks an engine as listeners' searches do."""

    def __init__(self, engine: SearchPool, searches: Searches, curated: Curated, cache: Cache) -> None:
        """Take what is asked.

        Args:
            engine: The search engines.
            searches: Says what the words of a query find.
            curated: Knows the pins and synonyms in force.
            cache: Has the tombstones of withdrawn programs.
        """
        self._engine, self._searches, self._curated, self._cache = engine, searches, curated, cache

    async def place(self, q: str, program_id: int) -> InSearchOut:
        """Return where a query finds a program, and what put it there.

        Args:
            q: The query.
            program_id: The program.

        Raises:
            EngineUnavailableError: No engine answers.
            EngineRejectedError: The engine refuses the query.
        """
        request = SearchRequest(
            q, Filters(), "relevance", 1, DEFAULT_LIMIT, (), highlight=False, operators=False
        )
        climb = await self._searches.climb(request)
        read_as = None if climb.rewrite is None else climb.rewrite.text
        pins = (await self._curated.pinned(*(text for text in (q, read_as) if text is not None))).places
        answers = await self._engine.search_ranked(_queries(climb.query, program_id, list(pins)))
        with unreadable_as_unavailable():
            total = climb.results.total
            ranked, further, own, *visible = (answer.hits for answer in answers)
        withdrawn = self._cache.withdrawn([program_id, *pins])
        shown = {hit.id for hits in visible for hit in hits} - withdrawn
        order = [hit.id for hit in (*ranked, *further)]
        chosen = [pinned for pinned in pins if pinned in shown]
        on_page = window([pins[pinned] for pinned in chosen], len(order), 1, DEFAULT_LIMIT).size
        first = None if climb.rewrite is not None else _titled(q, ranked[:on_page])
        if first is not None:
            order.remove(first)
            order.insert(0, first)
        listed = merged(order, chosen, [pins[pinned] for pinned in chosen], _LOOKED_AT)
        is_there = program_id in listed and program_id not in withdrawn
        placed_by, beside = _placed_by(program_id, chosen, first, ranked) if is_there else (None, None)
        return InSearchOut(
            position=listed.index(program_id) + 1 if is_there else None,
            total=total,
            placed_by=placed_by,
            beside=beside,
            rules=_rules(own[0].details) if own else [],
            rung=PLAIN if climb.rewrite is None else climb.rewrite.rung,
            read_as=read_as,
            synonyms=await self._curated.variants(q),
            pins=[
                PreviewPin(program_id=pinned, place=place, draft=False, shown=pinned in shown)
                for pinned, place in pins.items()
            ],
        )

    def missing(self, q: str, program: ListedFields) -> list[str]:
        """Return the words of a query that a program does not have, in any form or with a letter more or less.

        Args:
            q: The query. Its last word may be the beginning of a word.
            program: The program, as an index has it.
        """
        words, finished = split(q), q[-1:].isspace()
        return [
            word
            for n, word in enumerate(words)
            if not fit([word], program, unfinished=n + 1 == len(words) and not finished).value
        ]


def _queries(query: Query, program_id: int, pins: Sequence[int]) -> list[Query]:
    """Return what is asked: the first results without pins, further ones, the program, and which pins are published."""
    wanted = [] if query.filter is UNSET else query.filter
    plain = structs.replace(query, page=UNSET, hits_per_page=UNSET, attributes_to_retrieve=["id"])
    pinned = f"id IN [{', '.join(map(str, pins))}]"
    others = [*wanted, f"NOT {pinned}"] if pins else wanted
    first = structs.replace(
        plain,
        attributes_to_retrieve=["id", "title"],
        filter=others or UNSET,
        limit=_RANKED,
        offset=0,
        show_ranking_score_details=True,
    )
    further = structs.replace(plain, filter=others or UNSET, limit=_LOOKED_AT - _RANKED, offset=_RANKED)
    own = structs.replace(first, filter=[*wanted, f"id = {program_id}"], limit=1)
    if not pins:
        return [first, further, own]
    visible = structs.replace(plain, q="", matching_strategy=UNSET, filter=[pinned], limit=len(pins))
    return [first, further, own, visible]


def _titled(q: str, others: Sequence[RankedHit]) -> int | None:
    """Return the program among those on the page without pins that is put first because of its title; None for none."""
    at = titled((hit.title for hit in others), split(q))
    return others[at].id if at else None


def _placed_by(
    program_id: int, pins: Sequence[int], titled: int | None, ranked: Sequence[RankedHit]
) -> tuple[str | None, int | None]:
    """Return what put a program where it is, and the program that it was compared with."""
    if program_id in pins:
        return "pin", None
    if program_id == titled:
        return "title", None
    at = next((n for n, hit in enumerate(ranked) if hit.id == program_id), None)
    if at is None or len(ranked) == 1:
        return None, None
    other = ranked[at - 1 if at else 1]
    own = _rules(ranked[at].details)
    theirs = {rule.rule: rule for rule in _rules(other.details)}
    rule = next((rule.rule for rule in own if rule != theirs.get(rule.rule)), None)
    return rule, other.id


def _rules(details: _Details) -> list[RuleOut]:
    """Return the details of a ranking in the order of the rules."""
    ordered = sorted(details.items(), key=lambda entry: _number(entry[1].get("order")) or 0.0)
    return [
        RuleOut(
            rule=rule,
            score=_number(figures.get("score")),
            value=_number(figures.get("value")),
            detail={
                name: figure
                for name, figure in figures.items()
                if name not in ("order", "score", "value") and isinstance(figure, int | float | str)
            },
        )
        for rule, figures in ordered
    ]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
