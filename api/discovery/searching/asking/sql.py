"""The filters of a request as conditions of SQL, for the time when no engine answers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, or_
from sqlalchemy.orm import InstrumentedAttribute

from api.discovery.narrowing.filters import Filters
from api.discovery.params import BrowseRequest, SearchRequest, hides_unreleased
from catalog.programs.fallback.conditions import Condition, during, tagged, with_person
from catalog.programs.models import Program
from catalog.programs.queries import ACTIVE_CATEGORIES
from catalog.taxonomy.models import Category


def conditions(filters: Filters) -> list[Condition]:
    """Return the filters as conditions of SQL; `Filters.conditions` returns the same for the engine."""
    exact: dict[InstrumentedAttribute[Any], Sequence[int | str]] = {
        Program.language: filters.language,
        Program.media_type: filters.media_type,
        Program.kind: filters.kind,
        Program.series_id: filters.series_id,
    }
    wanted: list[Condition] = [column.in_(values) for column, values in exact.items() if values]
    if filters.category_id:
        wanted.append(Program.category_id.in_(ACTIVE_CATEGORIES.where(Category.id.in_(filters.category_id))))
    if filters.tag:
        wanted.append(tagged(filters.tag))
    if filters.person:
        wanted.append(with_person(filters.person))
    wanted += [tagged([name]) for name in filters.tag_all]
    wanted += [with_person([name]) for name in filters.person_all]
    if filters.featured is not None:
        wanted.append(Program.is_featured == filters.featured)
    if filters.duration_min is not None:
        wanted.append(Program.duration_sec >= filters.duration_min)
    if filters.duration_max is not None:
        wanted.append(Program.duration_sec <= filters.duration_max)
    # The engine compares whole seconds.
    return [*wanted, *during(Program.release_date, filters.released_after, filters.released_before)]


def narrowed(request: SearchRequest | BrowseRequest) -> list[Condition]:
    """Return the conditions of a request, as the service asks the engine for them."""
    wanted = conditions(request.filters)
    if hides_unreleased(request.sort, request.filters):
        wanted.append(or_(Program.release_date.is_(None), Program.release_date <= func.now()))
    return wanted
