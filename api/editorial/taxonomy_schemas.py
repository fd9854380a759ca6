"""JSON bodies and answers of editors' routes for categories and series."""

from msgspec import UNSET, UnsetType

from api.editorial.pending_schemas import PendingOut
from api.http.schemas import Body, ListMeta, Model, sent_fields
from catalog.taxonomy.models import Category, Series


class CategoryIn(Body):
    """A new category."""

    name_ar: str
    name_en: str
    slug: str | None = None
    sort_order: int = 0
    is_active: bool = True


class CategoryPatch(Body):
    """The fields to change; a field that is absent stays as it is."""

    name_ar: str | UnsetType = UNSET
    name_en: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    sort_order: int | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class CategoryOut(Model):
    """A category as editors see it."""

    id: int
    slug: str
    name_ar: str
    name_en: str
    sort_order: int
    is_active: bool
    rev: int


class SeriesIn(Body):
    """A new series."""

    title: str
    language: str
    slug: str | None = None
    description: str = ""
    thumbnail_url: str | None = None
    category_id: int | None = None


class SeriesPatch(Body):
    """The fields to change; a field that is absent stays as it is."""

    title: str | UnsetType = UNSET
    language: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    thumbnail_url: str | UnsetType | None = UNSET
    category_id: int | UnsetType | None = UNSET


class SeriesOut(Model):
    """A series as editors see it."""

    id: int
    slug: str
    title: str
    description: str
    language: str
    thumbnail_url: str | None
    category_id: int | None
    rev: int


class CategoryAnswer(Model):
    """A category under `data`. `pending`: its changes that wait for a reviewer, if there are any."""

    data: CategoryOut
    pending: PendingOut | None = None


class CategoryList(Model):
    """A page of categories."""

    data: list[CategoryOut]
    meta: ListMeta


class SeriesAnswer(Model):
    """A series under `data`. `pending`: its changes that wait for a reviewer, if there are any."""

    data: SeriesOut
    pending: PendingOut | None = None


class SeriesList(Model):
    """A page of series."""

    data: list[SeriesOut]
    meta: ListMeta


def category_out(row: Category) -> CategoryOut:
    """Return a category as editors see it."""
    return CategoryOut(
        id=row.id,
        slug=row.slug,
        name_ar=row.name_ar,
        name_en=row.name_en,
        sort_order=row.sort_order,
        is_active=row.is_active,
        rev=row.rev,
    )


def series_out(row: Series) -> SeriesOut:
    """Return a series as editors see it."""
    return SeriesOut(
        id=row.id,
        slug=row.slug,
        title=row.title,
        description=row.description,
        language=row.language,
        thumbnail_url=row.thumbnail_url,
        category_id=row.category_id,
        rev=row.rev,
    )


def values(body: CategoryIn | CategoryPatch | SeriesIn | SeriesPatch) -> dict[str, object]:
    """Return the values that a body sets, by column name. Without a slug (null) the catalogue makes one of the name."""
    found = sent_fields(body)
    if found.get("slug", "") is None:
        del found["slug"]
    return found
