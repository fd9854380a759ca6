"""A page that would show something else after a change counts as superseded: searches and listings over the node's ranking."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.discovery.narrowing.filters import Filters
from api.discovery.params import BrowseRequest, SearchRequest
from indexer.engines.document import Document
from tests.support.examples import examples
from tests.support.touching import Catalogue, made, shown, total

# Words near each other: typos, beginnings, words in one and in two pieces, articles, hamza, capitals, signs, digits.
WORDS = (
    *(
        "قهوة",
        "القهوة",
        "قهوه",
        "وقهوة",
        "قهاوي",
        "مساء",
        "المساء",
        "مسائي",
        "مس",
        "باب",
        "الحديد",
        "حديد",
        "حديث",
    ),
    *("شيء", "شئ", "خوف", "الخوف", "رؤيا", "رويا", "بابالحديد", "٢٠٠١"),
    *(
        "casa",
        "blanca",
        "casablanca",
        "Casa",
        "cassa",
        "light",
        "lights",
        "lihgt",
        "flight",
        "night",
        "knight",
    ),
    *(
        "documentary",
        "documentaries",
        "dokumentary",
        "rock",
        "roll",
        "rock&roll",
        "R&B",
        "it's",
        "its",
        "C++",
        "2001",
    ),
    *("2002", "mp3", "été", "straße", "podcastقهوة", "الة", "ال", "لا"),
)
QUERIES = (
    *WORDS,
    "ق",
    "ca",
    "li",
    "do",
    "dokumentery",
    "casablnca",
    "قهوت",
    "bl anca",
    "casab lanca",
    "م",
    "qhwa",
    "zzzz",
)
NAMES = ("Ali", "علي", "Casa", "قهوة")
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
values = st.fixed_dictionaries(
    {
        "title": texts,
        "description": st.one_of(
            st.just(""), st.just(""), texts, texts.map(lambda text: text.replace(" ", ", "))
        ),
        "people": st.lists(st.sampled_from(NAMES), max_size=1).map(
            lambda names: [{"name": n} for n in names]
        ),
        "tags": st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
        "kind": st.sampled_from(("episode", "film")),
        "category_id": st.sampled_from((None, 1, 2)),
        "duration_sec": st.sampled_from((None, 60, 120, 600)),
        "release_date": st.sampled_from(
            (None, *(datetime(2020, month, 1, tzinfo=UTC) for month in (1, 2, 3)))
        ),
        "popularity": st.sampled_from((0, 0, 10, 100)),
        "is_featured": st.booleans(),
    }
)
filters = st.one_of(
    st.just(Filters()),
    st.builds(
        Filters,
        category_id=st.sampled_from(((), (1,), (1, 2))),
        kind=st.sampled_from(((), ("film",))),
        tag=st.sampled_from(((), ("casa",), ("Ali", "قهوه"))),
        person_all=st.sampled_from(((), ("ali",))),
        duration_min=st.sampled_from((None, 60, 100)),
        duration_max=st.sampled_from((None, 120)),
        released_after=st.sampled_from((None, int(datetime(2020, 2, 1, tzinfo=UTC).timestamp()))),
        featured=st.sampled_from((None, True)),
    ),
)
sorts = st.sampled_from(("relevance", "relevance", "relevance", "newest", "longest", "shortest", "popular"))
searches = st.builds(
    lambda q, space, narrowed, sort, limit: SearchRequest(
        q=" ".join(q) + space,
        filters=narrowed,
        sort=sort,
        page=1,
        limit=limit,
        facets=(),
        highlight=False,
        operators=False,
    ),
    st.lists(st.sampled_from(QUERIES), max_size=3),
    st.sampled_from(("", "", " ")),
    filters,
    sorts,
    st.sampled_from((1, 2, 3, 20)),
)
listings = st.builds(
    lambda narrowed, sort, limit: BrowseRequest(
        filters=narrowed, sort=sort, limit=limit, cursor=None, facets=()
    ),
    filters,
    st.sampled_from(("newest", "oldest", "longest", "shortest", "popular")),
    st.sampled_from((1, 2, 20)),
)
pages = st.lists(st.one_of(searches, searches, listings), min_size=1, max_size=6)
# A change: ids that are stored anew, with their values, and ids that are removed.
changes = st.lists(
    st.tuples(
        st.dictionaries(st.integers(1, 14), values, min_size=1, max_size=2),
        st.lists(st.integers(1, 12), max_size=1),
    ),
    min_size=1,
    max_size=4,
)


async def _play(before: list[dict[str, Any]], asked: list[Any], changed: list[Any]) -> None:
    catalogue = Catalogue([made(n, **given) for n, given in enumerate(before, 1)])
    kept = [(request, await catalogue.page(request), catalogue.generation) for request in asked]
    for stored, removed in changed:
        gone = [one for one in removed if one not in stored]
        catalogue.change([made(n, **given) for n, given in stored.items()], gone)
        for request, page, generation in kept:
            now = await catalogue.page(request)
            if shown(now) != shown(page):
                assert catalogue.is_touched(page, generation), (request, shown(page), shown(now))


@pytest.mark.slow
@examples(150)
@given(st.lists(values, max_size=12), pages, changes)
def test_a_page_that_changes_was_superseded(
    before: list[dict[str, Any]], asked: list[Any], changed: list[Any]
) -> None:
    asyncio.run(_play(before, asked, changed))


def _search(q: str, limit: int = 2, **filtered: Any) -> SearchRequest:
    return SearchRequest(
        q=q,
        filters=Filters(**filtered),
        sort="relevance",
        page=1,
        limit=limit,
        facets=(),
        highlight=False,
        operators=False,
    )


def _touched(before: list[Document], request: SearchRequest | BrowseRequest, *changed: Document) -> bool:
    async def play() -> bool:
        catalogue = Catalogue(before)
        page = await catalogue.page(request)
        assert page.depends is not None
        catalogue.change(changed)
        return catalogue.is_touched(page, 1)

    return asyncio.run(play())


COFFEE = [
    made(n, title=f"قهوة {name}", popularity=100) for n, name in enumerate(("المساء", "الصباح", "العصر"), 1)
]


@pytest.mark.parametrize(
    ("request_", "changed", "expected"),
    [
        # Other words; its words in a text that counts less; no views; views; a typo on a full page.
        (_search("قهوة"), {"title": "شاي"}, False),
        (_search("قهوة"), {"title": "شاي", "description": "مثل القهوة"}, False),
        (_search("قهوة"), {"title": "قهوة الليل"}, False),
        (_search("قهوة"), {"title": "قهوة الليل", "popularity": 500}, True),
        (_search("قهوة"), {"title": "قهوة"}, True),
        (_search("قهوة"), {"title": "قهوت الليل", "popularity": 500}, False),
        # A page that is not full shows everything that is found.
        (_search("قهوة", 20), {"title": "قهوت الليل"}, True),
        (_search("قهوة", 20), {"title": "شاي"}, False),
        (_search("قهوة", 20, category_id=(1,)), None, False),
        (_search("", 2), {"title": "شاي", "popularity": 1}, False),
        (_search("", 2), {"title": "شاي", "popularity": 1000}, True),
    ],
)
def test_only_what_may_come_before_the_last_hit_touches_a_full_page(
    request_: SearchRequest, changed: dict[str, Any] | None, expected: bool
) -> None:
    before = COFFEE if changed else [*COFFEE, made(9, title="قهوة أخرى", category_id=1)]
    assert (
        _touched(before, request_, made(50, **(changed or {"title": "قهوة", "category_id": 2}))) is expected
    )


def test_what_is_shown_touches_a_page_by_any_change() -> None:
    assert _touched(COFFEE, _search("قهوة", 20), made(1, title="غير ذلك"))
    listing = BrowseRequest(filters=Filters(), sort="popular", limit=1, cursor=None, facets=())
    assert _touched(COFFEE, listing, made(60, title="x", popularity=200))
    assert not _touched(COFFEE, listing, made(60, title="x", popularity=20))


def test_a_total_may_be_old() -> None:
    async def play() -> None:
        catalogue = Catalogue(COFFEE)
        page = await catalogue.page(_search("قهوة"))
        catalogue.change([made(50, title="قهوة الليل")])
        now = await catalogue.page(_search("قهوة"))
        assert (total(page), total(now)) == (3, 4)
        assert shown(page) == shown(now)
        assert not catalogue.is_touched(page, 1)

    asyncio.run(play())


@pytest.mark.parametrize("q", ['"قهوة المساء"', "你好", "a-b", "x" + " y" * 9])
def test_a_query_that_is_not_understood_depends_on_everything(q: str) -> None:
    async def play() -> None:
        page = await Catalogue([*COFFEE, made(7, title="你好 a b x y")]).page(_search(q, 20))
        assert page.depends is None

    asyncio.run(play())
