"""The page of a program."""

import asyncio

import msgspec

from api.answers.answer import NOT_FOUND, Answer, Load
from api.discovery.around import beside, nearness
from api.discovery.around.schemas import Because, RelatedAnswer
from api.discovery.narrowing.filters import Filters
from api.discovery.schemas import ProgramCard
from api.discovery.state import DiscoveryState
from api.http.query import MAX_ID
from api.http.schemas import ProgramData, ProgramDetail
from api.web.listener import lists
from api.web.rendering import linked
from api.web.rendering.page import PageRequest, Shown, page

MAX_SLUG = 200
_OTHERS = 6
# Seconds that a page is kept whose program was read from a replica that is behind.
_BEHIND_SECONDS = 1.0


class Place:
    """The program that an address leads to."""

    def __init__(self, program_id: int, slug: str, via: tuple[str, Answer] | None) -> None:
        """Take what the address stands for.

        Args:
            program_id: The program.
            slug: Its current slug.
            via: The key and the cached answer that led there.
        """
        self.program_id, self.slug, self.via = program_id, slug, via


async def find(shared: DiscoveryState, key: str) -> Place | None:
    """Return the program that has or had an id or slug; None when listeners may see no such program.

    Args:
        shared: Has the services.
        key: The last part of the address.
    """
    if len(key) > MAX_SLUG:
        return None
    if key.isascii() and key.isdigit():
        if int(key) > MAX_ID:
            return None
        found = await answer(shared, int(key))
        if found.status == 404:
            merged = await _kept(shared, f"merged:{int(key)}", lambda: shared.programs.merged(int(key)))
            if merged.status == 404:
                return None
            found = await answer(shared, msgspec.json.decode(merged.body, type=int))
        if found.status == 404:
            return None
        program = msgspec.json.decode(found.body, type=ProgramData).data
        return Place(program.id, program.slug, None)
    if "\x00" in key:
        return None
    name = f"slug:{key}"
    led = await _kept(shared, name, lambda: shared.programs.slug(key))
    if led.status == 404:
        return None
    program_id, current = msgspec.json.decode(led.body, type=tuple[int, str])
    return Place(program_id, current, (name, led))


async def gone(request: PageRequest, key: str) -> bool:
    """Return whether a program was here that was taken away for good. `key` is the last part of the address."""
    is_id = key.isascii() and key.isdigit()
    if len(key) > MAX_SLUG or "\x00" in key or (is_id and int(key) > MAX_ID):
        return False
    return await request.shared.programs.gone(key)


async def answer(shared: DiscoveryState, program_id: int) -> Answer:
    """Return the answer of the API for a program, never older than a change that this process knows.

    Args:
        shared: Has the cache and the services.
        program_id: The program.
    """
    found = await shared.cache.get(
        f"program:{program_id}",
        "program",
        lambda: shared.programs.program(program_id),
        ttl=shared.settings.api.program_ttl,
    )
    return found.answer


async def _kept(shared: DiscoveryState, key: str, load: Load) -> Answer:
    found = await shared.cache.get(key, "page", load, ttl=shared.settings.api.page_ttl)
    return found.answer


async def load(request: PageRequest, program_id: int) -> Answer:
    """Return the page of a program, or NOT_FOUND."""
    shared, shown = request.shared, Shown()
    found = await answer(shared, program_id)
    if found.status == 404:
        return NOT_FOUND
    program = shown.take(found, ProgramData).data
    if shared.cache.invalidations.outdated(found):
        shown.max_ttl = min(shown.max_ttl, _BEHIND_SECONDS)
    in_series, others, (before, after), kept_beside = await asyncio.gather(
        _series(shared, shown, program),
        _others(shared, shown, program),
        _neighbours(shared, shown, program),
        beside.find(shared.programs, [program.id]),
    )
    preview = linked.program(shared.settings.api.site, request.locale, request.links, program)
    context = {
        "preview": preview,
        "program": program,
        "beside": kept_beside.get(program.id),
        "before": before,
        "after": after,
        "in_series": in_series,
        "others": others,
    }
    return page(
        request, "program.html", lambda links: links.program(program.slug, program.id), shown, context
    )


async def _neighbours(
    shared: DiscoveryState, shown: Shown, program: ProgramDetail
) -> tuple[ProgramDetail | None, ProgramDetail | None]:
    """The programs before and after this one in its series."""
    if program.series is None:
        return None, None
    found = await shared.programs.neighbours(program.series.id, program.id)
    shown.ids |= dict.fromkeys(neighbour.id for neighbour in found if neighbour is not None)
    return found


async def _series(shared: DiscoveryState, shown: Shown, program: ProgramDetail) -> list[ProgramCard]:
    """Other programs of the same series."""
    if program.series is None:
        return []
    filters = Filters(series_id=(program.series.id,))
    found = await lists.some(shared, shown, "newest", _OTHERS + 1, filters)
    return [card for card in found if card.id != program.id][:_OTHERS]


async def _others(
    shared: DiscoveryState, shown: Shown, program: ProgramDetail
) -> list[tuple[ProgramCard, Because | None]]:
    """What is related to the program beside its series, and why; else what is viewed most in its language."""
    found = await shared.related.related(program.id, _OTHERS + 2 * nearness.SIDE)
    related = shown.take(found, RelatedAnswer).data if found.status != 404 else []
    others: list[tuple[ProgramCard, Because | None]] = [
        (card, card.because) for card in related if card.because.kind != "series"
    ]
    if not others:
        language = Filters(language=(program.language,))
        popular = await lists.some(shared, shown, "popular", _OTHERS + 1, language)
        others = [(card, None) for card in popular if card.id != program.id]
    return others[:_OTHERS]
