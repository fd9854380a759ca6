"""The parameters of editors' lists: read from the query string, checked, and described for the OpenAPI document."""

from dataclasses import dataclass

from litestar.datastructures import MultiDict

from api.http.documents import described
from api.http.query import DEFAULT_ZONE, QueryString
from catalog.programs.listing.filters import EditorFilter, Period
from catalog.programs.listing.orders import SORTS, TRASH_SORTS
from catalog.programs.models import KINDS, MEDIA_TYPES, STATUSES

# A cursor has the words of the list.
MAX_Q, MAX_ACTOR, MAX_LIST_CURSOR = 512, 300, 3000
# The sender of the request, as an author.
ME = "me"
# Which page, and what is said beside it, does not belong to a saved filter.
BESIDE = ("cursor", "limit", "counts")
# The order of a list with words that names none: programs that fit the words best come first.
RELEVANCE = "relevance"
_NEWEST, _DELETED = "-updatedAt", "-deletedAt"
PERIODS = ("created", "updated", "released", "published", "scheduled", "expires")
SEVERAL = ("status", "categoryId", "seriesId", "language", "kind", "mediaType", "tag", "person")
FLAGS = ("featured", "changed", "pending", "commented", "searchable", "counts")
_OTHERS = ("q", "title", "createdBy", "editedBy", "sort", "limit", "cursor", "tz")
NAMES = frozenset(
    {*SEVERAL, *FLAGS, *_OTHERS, *(f"{one}{end}" for one in PERIODS for end in ("After", "Before"))}
)
_ACTOR = "As revisions name their actors; me is the sender."


def _flag(name: str, about: str) -> described.Parameter:
    return described.query(name, about, True, type="boolean")


def _period(name: str, what: str) -> list[described.Parameter]:
    return [
        described.day(
            f"{name}After", f"{what} on this day or later, or at this time (ISO 8601).", "2026-01-01"
        ),
        described.day(
            f"{name}Before", f"{what} on this day or earlier, or at this time (ISO 8601).", "2026-12-31"
        ),
    ]


_FILTERS = [
    described.query(
        "q",
        "Words as people type them, in any script and spelling: meta.rewrite says how they were read.",
        "qahwa",
        type="string",
        maxLength=MAX_Q,
    ),
    described.several("status", "Only these states.", "draft", type="string", enum=list(STATUSES)),
    described.ids("categoryId", "Only these categories.", 3),
    described.ids("seriesId", "Only these series.", 1),
    described.languages(),
    described.several("kind", "Only these kinds.", "episode", type="string", enum=list(KINDS)),
    described.several("mediaType", "Only these media.", "audio", type="string", enum=list(MEDIA_TYPES)),
    described.names("tag", "Only with one of these tags.", "قهوة"),
    described.names("person", "Only with one of these people.", "سلمان الراشد"),
    described.query("title", "A part of the title.", "قهوة", type="string", maxLength=120),
    _flag("featured", "Only featured programs, or only the others."),
    *_period("created", "Created"),
    *_period("updated", "Changed"),
    *_period("released", "Released"),
    *_period("published", "First published"),
    *_period("scheduled", "To be published"),
    *_period("expires", "To be archived"),
    described.zone(DEFAULT_ZONE),
    described.query("createdBy", f"Who created it. {_ACTOR}", ME, type="string", maxLength=MAX_ACTOR),
    described.query(
        "editedBy",
        f"Who wrote a part of it, in its history or in its pending revision. {_ACTOR}",
        ME,
        type="string",
        maxLength=MAX_ACTOR,
    ),
    _flag(
        "changed",
        "Only programs that publishing would change for listeners: changed while they are not published, or with a pending revision. Or only the others.",
    ),
    _flag("pending", "Only programs with a pending revision, or only the others."),
    _flag("commented", "Only programs with an open thread of comments, or only the others."),
    _flag(
        "searchable",
        "false: published programs that an index has not confirmed in their present state. true: all other published ones.",
    ),
]


def _documented(sorts: tuple[str, ...], usual: str) -> list[described.Parameter]:
    about = f"Order; - is descending. Otherwise {usual}, with words {RELEVANCE}."
    return [
        *_FILTERS,
        described.query("sort", about, usual, type="string", enum=[RELEVANCE, *sorts]),
        _flag("counts", "Say how many programs there are in all, and in each state."),
        described.LIMIT,
        described.CURSOR | {"schema": {"type": "string", "maxLength": MAX_LIST_CURSOR}},
    ]


LIST = _documented(SORTS, _NEWEST)
TRASH = _documented(TRASH_SORTS, _DELETED)


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The checked parameters of a list.

    Attributes:
        q: The words; "" without any.
        filters: What the list is narrowed to.
        sort: An element of `orders.TRASH_SORTS`; None: what fits the words best comes first.
        counts: Whether the programs are counted.
        limit: The size of a page.
        cursor: Where the page begins; None for the first page.
    """

    q: str
    filters: EditorFilter
    sort: str | None
    counts: bool
    limit: int
    cursor: str | None


def list_request(sent: MultiDict[str], me: str, *, trashed: bool) -> ListRequest:
    """Return the checked parameters of a list.

    Args:
        sent: The query string.
        me: The sender, as revisions name their actors.
        trashed: The list is the trash.

    Raises:
        InvalidParameter: A parameter has a wrong value.
    """
    query = QueryString(sent, NAMES, SEVERAL)
    zone = query.zone("tz", DEFAULT_ZONE)
    created, updated, released, published, planned, expiring = (
        Period(*query.period(f"{name}After", f"{name}Before", zone)) for name in PERIODS
    )
    created_by, edited_by = query.text("createdBy", MAX_ACTOR), query.text("editedBy", MAX_ACTOR)
    filters = EditorFilter(
        status=query.several_of("status", STATUSES),
        category_id=query.ids("categoryId"),
        series_id=query.ids("seriesId"),
        language=query.languages(),
        kind=query.several_of("kind", KINDS),
        media_type=query.several_of("mediaType", MEDIA_TYPES),
        tag=query.several("tag"),
        person=query.several("person"),
        title=query.text("title"),
        featured=query.flag("featured"),
        created=created,
        updated=updated,
        released=released,
        published=published,
        planned=planned,
        expiring=expiring,
        created_by=me if created_by == ME else created_by,
        edited_by=me if edited_by == ME else edited_by,
        changed=query.flag("changed"),
        pending=query.flag("pending"),
        commented=query.flag("commented"),
        searchable=query.flag("searchable"),
        trashed=trashed,
    )
    # A blank at the end says that the last word is finished.
    q = query.text("q", MAX_Q) or ""
    q = q if q.strip() else ""
    sorts = TRASH_SORTS if trashed else SORTS
    sort = query.one_of("sort", (RELEVANCE, *sorts))
    if sort is None or (sort == RELEVANCE and not q):
        sort = RELEVANCE if q else _DELETED if trashed else _NEWEST
    return ListRequest(
        q=q,
        filters=filters,
        sort=None if sort == RELEVANCE else sort,
        counts=query.flag("counts") or False,
        limit=query.limit(),
        cursor=query.text("cursor", MAX_LIST_CURSOR),
    )
