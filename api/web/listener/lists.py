"""What several pages show: some programs of a kind, the categories, and ways on from a page that has nothing else."""

import asyncio
from collections.abc import Sequence

from api.discovery.narrowing.filters import Filters
from api.discovery.params import BrowseRequest
from api.discovery.schemas import BrowseAnswer, CategoriesAnswer, CategoryItem, ProgramCard
from api.discovery.state import DiscoveryState
from api.web.rendering.page import Shown


async def some(
    shared: DiscoveryState, shown: Shown, sort: str, limit: int, filters: Filters | None = None
) -> list[ProgramCard]:
    """Return the first programs of a listing.

    Args:
        shared: Has the services.
        shown: Takes the answer.
        sort: The order.
        limit: How many at most.
        filters: What they have to meet.
    """
    wanted = BrowseRequest(filters or Filters(), sort, limit, None, ())
    return shown.take(await shared.searches.browse(wanted), BrowseAnswer).data


async def categories(shared: DiscoveryState, shown: Shown) -> Sequence[CategoryItem]:
    """Return the categories that listeners may see. `shown` takes the answer."""
    return shown.take(await shared.taxonomy.categories(), CategoriesAnswer).data


async def ways_on(shared: DiscoveryState, shown: Shown) -> dict[str, object]:
    """Return what a page offers that has nothing else to show: categories, and what is viewed most."""
    shelf, popular = await asyncio.gather(categories(shared, shown), some(shared, shown, "popular", 6))
    return {"categories": shelf, "popular": popular}
