"""Builds the suggestions from the engine's hits or from PostgreSQL's rows. `suggestions` calls it."""

from collections.abc import Collection, Iterable, Sequence

from api.discovery.schemas import CategoryItem, Suggestion
from api.discovery.searching.fallback import Offers
from catalog.core.text import fold
from catalog.words.joined import is_arabic
from catalog.words.readings import Reading
from catalog.words.spelling import split, written
from indexer.engines.messages import Hit, NamesHit

_Offers = dict[tuple[str, str], Suggestion]


def of_hits(hits: Sequence[Sequence[NamesHit]], q: str, limit: int) -> list[Suggestion]:
    """Return suggestions from the engine's hits: programs first, then series, people and tags.

    Args:
        hits: Programs that may be shown, of four searches: in titles, in series titles, in people and in tags.
        q: The typed words; a person or a tag must begin with each of them.
        limit: The largest number of suggestions.
    """
    titles, in_series, with_people, with_tags = hits
    offers: _Offers = {}
    for hit in titles:
        _program(offers, hit.id, hit.slug, hit.title)
    for hit in in_series:
        if hit.series_id is not None and hit.series_slug is not None and hit.series_title is not None:
            _series(offers, hit.series_id, hit.series_slug, hit.series_title)
    wanted = split(q)
    people = (name for hit in with_people for name in hit.people)
    tags = (name for hit in with_tags for name in hit.tags)
    for kind, names in (("person", people), ("tag", tags)):
        for name in names:
            if _begins(split(name), wanted):
                _named(offers, kind, name)
    return mixed(list(offers.values()), limit)


def of_rows(found: Offers, withdrawn: Collection[int], limit: int) -> list[Suggestion]:
    """Return suggestions from PostgreSQL's rows, which match the typed words already.

    Args:
        found: The rows.
        withdrawn: Ids of programs that must not be shown.
        limit: The largest number of suggestions.
    """
    offers: _Offers = {}
    for row in found.titles:
        if row["id"] not in withdrawn:
            _program(offers, row["id"], row["slug"], row["title"])
    for row in found.series:
        _series(offers, row["id"], row["slug"], row["title"])
    for kind, names in (("person", found.people), ("tag", found.tags)):
        for name in names:
            _named(offers, kind, name)
    return mixed(list(offers.values()), limit)


def near(hits: Sequence[Hit], q: str, limit: int) -> list[Suggestion]:
    """What comes near a query that found nothing: programs, and last their categories.

    Args:
        hits: Programs that have something of the query, the nearest first.
        q: The query; an Arabic one gets the Arabic names of categories.
        limit: How many offers at most.
    """
    offers: _Offers = {}
    for hit in hits:
        _program(offers, hit.id, hit.slug, hit.title)
    for hit in hits:
        name = hit.category_name_ar if is_arabic(q.strip()) else hit.category_name_en
        if hit.category_id is not None and hit.category_slug is not None and name is not None:
            offer = Suggestion(type="category", text=name, id=hit.category_id, slug=hit.category_slug)
            offers.setdefault(("category", str(hit.category_id)), offer)
    return mixed(list(offers.values()), limit)


def has_typed(offers: Iterable[Suggestion], q: str) -> bool:
    """Return whether an offer has words that begin as those that were typed."""
    wanted = split(q)
    return any(_begins(split(offer.text), wanted) for offer in offers)


def of_categories(found: Sequence[CategoryItem], q: str) -> list[Suggestion]:
    """Return the categories with a name that begins as was typed, in the script of what was typed.

    Args:
        found: Categories that may be shown.
        q: The typed words.
    """
    wanted = split(q)
    offers = []
    for category in found:
        names = (category.name_ar, category.name_en)
        if wanted and any(_begins(split(name), wanted) for name in names):
            text = names[not is_arabic(wanted[0])]
            offers.append(Suggestion(type="category", text=text, id=category.id, slug=category.slug))
    return offers


def of_query(text: str, hits: Sequence[NamesHit]) -> Suggestion | None:
    """Return a query that is asked often as its best hit writes it; None if the names of no hit have all its words.

    Args:
        text: The query, in the spelling of comparison.
        hits: Programs that may be shown.
    """
    for hit in hits:
        words = written((hit.title, hit.series_title or "", *hit.people, *hit.tags))
        if all(word in words for word in text.split()):
            return Suggestion(type="query", text=" ".join(words[word] for word in text.split()))
    return None


def of_reading(reading: Reading, hits: Iterable[NamesHit]) -> Suggestion:
    """Return what the typed words may have been meant as, in the spelling of what it finds.

    Args:
        reading: The other reading of the words.
        hits: What it finds.
    """
    texts = (text for hit in hits for text in (hit.title, hit.series_title or "", *hit.people, *hit.tags))
    words = written(texts)
    text = " ".join(words.get(word, word) for word in reading.text.split())
    return Suggestion(type="correction", text=text, kind=reading.rung)


def without_repeated_queries(offers: Sequence[Suggestion]) -> list[Suggestion]:
    """Return the offers without queries whose words are offered as something to open."""
    named = {fold(offer.text) for offer in offers if offer.type != "query"}
    return [offer for offer in offers if offer.type != "query" or fold(offer.text) not in named]


def _program(offers: _Offers, number: int, slug: str, title: str) -> None:
    offer = Suggestion(type="program", text=title, id=number, slug=slug)
    offers.setdefault(("program", fold(title)), offer)


def _series(offers: _Offers, number: int, slug: str, title: str) -> None:
    offer = Suggestion(type="series", text=title, id=number, slug=slug)
    offers.setdefault(("series", str(number)), offer)


def _named(offers: _Offers, kind: str, name: str) -> None:
    offers.setdefault((kind, fold(name)), Suggestion(type=kind, text=name))


def _begins(words: list[str], wanted: list[str]) -> bool:
    """Return whether every wanted word is the beginning of some word of the name."""
    return all(any(word.startswith(w) for word in words) for w in wanted)


def mixed(offers: list[Suggestion], limit: int) -> list[Suggestion]:
    """Return at most `limit` suggestions, among them at least one of each type, in their order."""
    first: dict[str, Suggestion] = {}
    for offer in offers:
        first.setdefault(offer.type, offer)
    by_priority = list(first.values())
    by_priority += [offer for offer in offers if offer not in by_priority]
    shown = by_priority[:limit]
    return [offer for offer in offers if offer in shown]
