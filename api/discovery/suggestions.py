"""What to offer while somebody types, from the engine's hits or from PostgreSQL's rows."""

from collections.abc import Collection, Sequence
from typing import Any

from api.discovery.fallback import Offers
from api.discovery.schemas import Suggestion
from catalog.text import fold

_Offers = dict[tuple[str, str], Suggestion]


def of_hits(
    hits: Sequence[Sequence[dict[str, Any]]], withdrawn: Collection[int], q: str, limit: int
) -> list[Suggestion]:
    """From the hits in titles, series, people and tags: titles first, then the others."""
    titles, in_series, with_people, with_tags = (
        [hit for hit in found if hit["id"] not in withdrawn] for found in hits
    )
    offers: _Offers = {}
    for hit in titles:
        _program(offers, hit)
    for hit in in_series:
        _series(offers, hit["seriesId"], hit["seriesSlug"], hit["seriesTitle"])
    wanted = fold(q).split()
    for kind, field, found in (("person", "people", with_people), ("tag", "tags", with_tags)):
        for hit in found:
            for name in hit[field]:
                if _begins(fold(name).split(), wanted):
                    _named(offers, kind, name)
    return _mixed(list(offers.values()), limit)


def of_rows(found: Offers, withdrawn: Collection[int], limit: int) -> list[Suggestion]:
    """The same from PostgreSQL, which looked at the words itself."""
    offers: _Offers = {}
    for row in found.titles:
        if row["id"] not in withdrawn:
            _program(offers, row)
    for row in found.series:
        _series(offers, row["id"], row["slug"], row["title"])
    for kind, names in (("person", found.people), ("tag", found.tags)):
        for name in names:
            _named(offers, kind, name)
    return _mixed(list(offers.values()), limit)


def _program(offers: _Offers, row: Any) -> None:
    offer = Suggestion(type="program", text=row["title"], id=row["id"], slug=row["slug"])
    offers.setdefault(("program", fold(row["title"])), offer)


def _series(offers: _Offers, number: int, slug: str, title: str) -> None:
    offer = Suggestion(type="series", text=title, id=number, slug=slug)
    offers.setdefault(("series", str(number)), offer)


def _named(offers: _Offers, kind: str, name: str) -> None:
    offers.setdefault((kind, fold(name)), Suggestion(type=kind, text=name))


def _begins(words: list[str], wanted: list[str]) -> bool:
    """Does every word asked for begin some word of the name?"""
    return all(any(word.startswith(w) for word in words) for w in wanted)


def _mixed(offers: list[Suggestion], limit: int) -> list[Suggestion]:
    """At most `limit`, every type present keeping at least one place."""
    first: dict[str, Suggestion] = {}
    for offer in offers:
        first.setdefault(offer.type, offer)
    kept = list(first.values())
    kept += [o for o in offers if o not in kept]
    chosen = kept[:limit]
    return [o for o in offers if o in chosen]
