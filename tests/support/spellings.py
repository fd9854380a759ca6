"""Addresses of lists in several spellings of the same question."""

import random
from urllib.parse import quote, quote_plus

# Parameter -> groups of values that mean the same; in the first group is what the parameter's absence means.
SEARCH: dict[str, list[list[str]]] = {
    "q": [
        ["", " "],
        ["coffee", " coffee", "\tcoffee"],
        ["coffee ", "coffee  "],
        ["الطريق  الى", "الطريق الى"],
    ],
    "limit": [["", "20", "020"], ["2", "02"]],
    "page": [["", "1", "01"]],
    "sort": [["", "relevance"], ["oldest"], ["newest"]],
    "language": [[""], ["ar,en", "en,ar", " en ,,ar"], ["en"]],
    "kind": [[""], ["film,episode", "episode,film,film"]],
    "person": [[""], ["Omar Haddad", " Omar Haddad"], ["King\\, Jr."], ["a\\b"]],
    "tag": [[""], ["coffee"]],
    "releasedAfter": [
        [""],
        ["2020-01-01", "2020-01-01T00:00:00+03:00", "2019-12-31T21:00:00Z"],
        ["0001-01-01"],
    ],
    "releasedBefore": [[""], ["2030-01-01", "2030-01-01T23:59:59"], ["9999-12-31T23:59:59-12:00"]],
    "featured": [[""], ["false", "0"]],
    "highlight": [["", "false", "0"], ["true", "1"]],
    "facets": [[""], ["kind,language", "language, kind"], ["releaseYear"]],
    "type": [["", "program"], ["all", "person,series,program"]],
    "fields": [[""], ["title,id", "id, title"]],
}
BROWSE = {
    name: groups for name, groups in SEARCH.items() if name not in ("q", "page", "highlight", "type")
} | {"sort": [["", "newest"], ["oldest"]]}


def written(pairs: list[tuple[str, str]], *, plus: bool) -> str:
    """Return a query string, with spaces as plus signs or as escapes."""
    escaped = quote_plus if plus else quote
    return "&".join(f"{escaped(name)}={escaped(value)}" for name, value in pairs)


def meant(known: dict[str, list[list[str]]], chance: random.Random) -> dict[str, list[str]]:
    """Return some parameters, each with all values that mean the same."""
    names = chance.sample(sorted(known), chance.randrange(1, 6))
    return {name: chance.choice(known[name]) for name in names}


def spelled(question: dict[str, list[str]], chance: random.Random) -> list[tuple[str, str]]:
    """Return one spelling of a question."""
    pairs = [(name, chance.choice(values)) for name, values in question.items()]
    chance.shuffle(pairs)
    return pairs
