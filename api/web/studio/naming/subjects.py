"""Series and categories, as their pages show and change them: the fields of their forms, and the routes of the API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from litestar.handlers import HTTPRouteHandler

from api.editorial import taxonomy, taxonomy_schemas
from api.editorial.review import taxonomy as review
from api.http.auth import REVIEWERS
from api.web.signin.staff import StaffRequest
from api.web.studio.given import WrongField, number

_PENDING = {route.name: route for route in review.HANDLERS if route.name is not None}
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


def _text(text: str, name: str) -> str:
    # A browser ends lines as HTTP does.
    return text.replace("\r\n", "\n").strip()


def _optional(text: str, name: str) -> str | None:
    return text.strip() or None


def _id(text: str, name: str) -> int | None:
    return number(text, name)


def _flag(text: str, name: str) -> bool:
    return text == "yes"


def _order(text: str, name: str) -> int:
    """Return a place in lists, which may be negative.

    Raises:
        WrongField: It is no whole number of 32 bits.
    """
    plain = text.strip()
    if not plain.removeprefix("-").isdecimal() or not _SMALLEST <= int(plain[:12]) <= _LARGEST:
        raise WrongField(name, "Must be a whole number.")
    return int(plain[:12])


@dataclass(frozen=True, slots=True)
class Subject:
    """Series or categories.

    Attributes:
        entity: What the API calls one of them.
        plural: The last part of the address of their list.
        filter: By which lists of programs name one of them.
        fields: The fields of a form, by JSON name, and how each is read.
        list: The route that lists them; the next ones create, return, change and delete one, and list what was done to one.
        answer: The type of the answer that has one of them.
        rows: The type of the answer that lists them.
        new: The type of the body that creates one.
        patch: The type of the body that changes one.
        propose: Changes the pending revision.
        always_waits: Every change of who may not publish waits; otherwise `edit` knows whether it must.
        creators: Who may create one.
    """

    entity: str
    plural: str
    filter: str
    fields: Mapping[str, Callable[[str, str], object]]
    list: HTTPRouteHandler
    create: HTTPRouteHandler
    get: HTTPRouteHandler
    edit: HTTPRouteHandler
    delete: HTTPRouteHandler
    audit: HTTPRouteHandler
    answer: type[taxonomy_schemas.SeriesAnswer | taxonomy_schemas.CategoryAnswer]
    rows: type[taxonomy_schemas.SeriesList | taxonomy_schemas.CategoryList]
    new: type[msgspec.Struct]
    patch: type[msgspec.Struct]
    propose: HTTPRouteHandler
    always_waits: bool
    creators: tuple[str, ...]

    @property
    def here(self) -> str:
        """The address of their list."""
        return f"/studio/names/{self.plural}"

    @property
    def key(self) -> str:
        """By which name the routes take the id."""
        return f"{self.entity}_id"

    def step(self, name: str) -> HTTPRouteHandler:
        """Return the route of a step of the pending revision."""
        return _PENDING[f"{self.entity}.pending.{name}"]

    def values(self, form: Mapping[str, str]) -> dict[str, object]:
        """Return the fields of a form, by JSON name. A checkbox that is not ticked is not in a form.

        Raises:
            WrongField: A field cannot be read.
        """
        return {name: read(form.get(name, ""), name) for name, read in self.fields.items()}


SUBJECTS = {
    subject.plural: subject
    for subject in (
        Subject(
            entity="series",
            plural="series",
            filter="seriesId",
            fields={
                "title": _text,
                "language": _text,
                "slug": _text,
                "description": _text,
                "thumbnailUrl": _optional,
                "categoryId": _id,
            },
            list=taxonomy.list_series,
            create=taxonomy.create_series,
            get=taxonomy.get_series,
            edit=taxonomy.edit_series,
            delete=taxonomy.delete_series,
            audit=taxonomy.series_audit,
            answer=taxonomy_schemas.SeriesAnswer,
            rows=taxonomy_schemas.SeriesList,
            new=taxonomy_schemas.SeriesIn,
            patch=taxonomy_schemas.SeriesPatch,
            propose=review.edit_pending_series,
            always_waits=False,
            creators=("editor", *REVIEWERS),
        ),
        Subject(
            entity="category",
            plural="categories",
            filter="categoryId",
            fields={"nameAr": _text, "nameEn": _text, "slug": _text, "sortOrder": _order, "isActive": _flag},
            list=taxonomy.list_categories,
            create=taxonomy.create_category,
            get=taxonomy.get_category,
            edit=taxonomy.edit_category,
            delete=taxonomy.delete_category,
            audit=taxonomy.category_audit,
            answer=taxonomy_schemas.CategoryAnswer,
            rows=taxonomy_schemas.CategoryList,
            new=taxonomy_schemas.CategoryIn,
            patch=taxonomy_schemas.CategoryPatch,
            propose=review.edit_pending_category,
            always_waits=True,
            creators=REVIEWERS,
        ),
    )
}


def subject_of(request: StaffRequest) -> Subject:
    """Return what the page of a request is about."""
    return SUBJECTS[request.url.path.split("/")[3]]


def paths(rest: str) -> list[str]:
    """Return the addresses of a page below those of both lists."""
    return [f"/names/{plural}{rest}" for plural in SUBJECTS]
