"""The list of programs in every state, with everything that narrows it, and the trash."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from litestar import Response, get
from litestar.datastructures import MultiDict
from sqlalchemy import select

from api.editorial import taxonomy
from api.editorial.listing import params, saved
from api.editorial.listing import routes as listing
from api.editorial.listing.schemas import EditorList, TrashList
from api.editorial.rights import rights_of
from api.editorial.taxonomy_schemas import CategoryList, CategoryOut, SeriesList, SeriesOut
from api.http import transaction
from api.http.errors import Problem
from api.http.query import MAX_LIMIT, MAX_VALUE
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest, page, redirect
from api.web.studio import zones
from api.web.studio.listing import address as addresses
from api.web.studio.listing import narrowing, steps
from api.web.studio.listing.address import ROWS, TRASH, Address
from catalog.core.text import fold, has_control_characters, slugify
from catalog.programs.listing.saved import MAX_FILTERS
from catalog.taxonomy.models import Series

# Of the page itself: whether all boxes are checked, and the name of a series that somebody typed.
_OWN = ("chosen", "series")
# Pages of categories that are read for the choice of one.
_PAGES = 5
Found = TypeVar("Found", EditorList, TrashList)


@dataclass(frozen=True, slots=True)
class _Listed(Generic[Found]):
    """A page of a list, and its address."""

    address: Address
    found: Found


async def _listed(
    request: StaffRequest, address: Address, read: Callable[[StaffRequest, MultiDict[str]], Awaitable[Found]]
) -> _Listed[Found]:
    """Read a page of a list; the first page when the cursor belongs to another list.

    Raises:
        Problem: The list cannot be read.
    """
    more = {"counts": "true"} | ({} if "limit" in address.values else {"limit": str(ROWS)})
    try:
        return _Listed(address, await read(request, address.sent(**more)))
    except Problem as problem:
        if problem.code != "invalid_cursor":
            raise
    first = address.without("cursor")
    return _Listed(first, await read(request, first.sent(**more)))


@dataclass(frozen=True, slots=True)
class _Named:
    """A series that somebody typed: what the page says about it, or where its list is, when there is one of this name."""

    says: Mapping[str, object]
    leads: str = ""


async def _named(request: StaffRequest, address: Address) -> _Named:
    """Look for the series whose name the address has; it is added to those of the list."""
    typed = request.query_params.get("series", "").strip()
    found, offered = await _series(request, typed) if typed else (None, [])

    def narrowed(one: SeriesOut) -> str:
        ids = dict.fromkeys((*address.values.get("seriesId", ()), str(one.id)))
        return address.having(seriesId=tuple(ids))

    choices = [narrowing.Choice(one.title, narrowed(one)) for one in offered]
    leads = narrowed(found) if found is not None else ""
    if not typed and _is_untidy(request) and not address.wrong:
        leads = address.path + address.query_string()
    return _Named({"typed_series": typed, "offered_series": choices}, leads)


@get("/programs")
async def programs(request: StaffRequest) -> Response[bytes]:
    """Return a page of the list of programs."""
    address = addresses.read(request, _OWN)
    named = await _named(request, address)
    return redirect(request, named.leads) if named.leads else await listed(request, address, named.says)


async def listed(
    request: StaffRequest, address: Address, more: Mapping[str, object], status: int = 200
) -> Response[bytes]:
    """Return a page of the list of programs.

    Args:
        request: Of the page.
        address: The address of the list.
        more: What the page shows besides.
        status: The status of the answer.
    """
    shown = await _listed(request, address, listing.programs)
    context = {
        **await context_of(request, shown.address, shown.found.meta.total_is_exact),
        "found": shown.found,
        "following": _following(shown.address, shown.found.meta.next_cursor),
        "states": narrowing.states(shown.address, shown.found.meta.states, request.locale),
        "saved": (await ask(request, saved.list_filters, saved.FilterList)).data,
        "most_saved": MAX_FILTERS,
        "named": "",
        "not_saved": "",
        "typed_series": "",
        "offered_series": (),
        **more,
    }
    again = None if request.method == "GET" else shown.address.path + shown.address.query_string()
    return page(request, "studio/listing/programs.html", context, status=status, again=again)


@get("/trash")
async def trash(request: StaffRequest) -> Response[bytes]:
    """Return a page of deleted programs."""
    address = addresses.read(request, _OWN, trashed=True)
    named = await _named(request, address)
    if named.leads:
        return redirect(request, named.leads)
    shown = await _listed(request, address, listing.trash)
    context = {
        **await context_of(request, shown.address, shown.found.meta.total_is_exact),
        "found": shown.found,
        "following": _following(shown.address, shown.found.meta.next_cursor),
        **named.says,
    }
    return page(request, "studio/listing/trash.html", context)


def _is_untidy(request: StaffRequest) -> bool:
    """Whether a form sent fields in which nothing was written."""
    return any(not value.strip() for _, value in request.query_params.multi_items())


def _following(address: Address, cursor: str | None) -> str:
    return "" if cursor is None else address.path + address.query_string(cursor=cursor)


async def context_of(request: StaffRequest, address: Address, exact: object) -> Mapping[str, object]:
    """Return what the pages of both lists show beside their rows.

    Args:
        request: Of the page.
        address: The address of the list.
        exact: Whether the number of programs is exact.
    """
    language, trashed = request.locale, address.path == TRASH
    shelves = await categories(request)
    called = {str(one.id): name_of(one, language.code) for one in shelves}
    titles = await _titles(request, address.values.get("seriesId", ()))
    names = narrowing.Names(called, titles)
    return {
        "here": address,
        "categories": called,
        "names": names,
        "chosen": narrowing.chosen(address, names, language, trashed=trashed),
        "signs": narrowing.signs(address, language),
        "orders": narrowing.orders(trashed=trashed, words="q" in address.values),
        "sort": address.one("sort") or _usual(address, trashed=trashed),
        "zone": address.zone,
        "zones": zones.offered(address.zone),
        "exact": exact,
        "steps": steps.offered(may_publish=rights_of(request).may_publish, of_trash=trashed),
        "every": "chosen" in request.query_params,
        **narrowing.vocabulary(address, language),
    }


def _usual(address: Address, *, trashed: bool) -> str:
    """Return the order of a list that names none."""
    return params.RELEVANCE if "q" in address.values else "-deletedAt" if trashed else "-updatedAt"


async def categories(request: StaffRequest) -> list[CategoryOut]:
    """Return all categories, by the request of an editor."""
    found: list[CategoryOut] = []
    for _ in range(_PAGES):
        after = found[-1].id if found else 0
        answer = await ask(request, taxonomy.list_categories, CategoryList, after=after, limit=MAX_LIMIT)
        found += answer.data
        if answer.meta.next_cursor is None:
            break
    return found


def name_of(category: CategoryOut, language: str) -> str:
    """Return what a category is called in a language."""
    return category.name_ar if language == "ar" else category.name_en


async def _titles(request: StaffRequest, ids: tuple[str, ...]) -> dict[str, str]:
    """Return what series are called, those that there are."""
    wanted = select(Series.id, Series.title).where(Series.id.in_([int(one) for one in ids]))
    rows = await transaction.read(request, lambda s: s.execute(wanted).all()) if ids else []
    return {str(row.id): row.title for row in rows}


async def _series(request: StaffRequest, typed: str) -> tuple[SeriesOut | None, list[SeriesOut]]:
    """Return the series that has a name, or else those whose names begin like it."""
    if len(typed) > MAX_VALUE or has_control_characters(typed) or not slugify(fold(typed)):
        return None, []
    found = (await ask(request, taxonomy.list_series, SeriesList, q=typed, limit=ROWS)).data
    exact = [one for one in found if fold(one.title) == fold(typed)]
    if len(exact) == 1 or len(found) == 1:
        return (exact or found)[0], found
    return None, found


HANDLERS = [programs, trash]
