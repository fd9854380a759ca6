"""What the page of a list offers to narrow it by: states with their numbers, signs of programs, and what is chosen now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from api.editorial.listing import params
from api.editorial.listing.schemas import StateCount
from api.web.rendering.locales import Locale
from api.web.studio.listing.address import AUTHORS, Address
from catalog.programs.listing.orders import SORTS, TRASH_SORTS
from catalog.programs.models import KINDS, MEDIA_TYPES, STATUSES

# Signs of programs that a click asks for: a parameter, and its value.
SIGNS = (
    ("editedBy", params.ME),
    ("pending", "true"),
    ("changed", "true"),
    ("commented", "true"),
    ("searchable", "false"),
    ("featured", "true"),
)
_LANGUAGES = ("ar", "en")
# What the page shows in another way than as something that is chosen.
_ELSEWHERE = frozenset({"sort", "tz", "cursor", "limit", "q"})
_IN_WORDS = frozenset(params.FLAGS)


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose: its text, the address with it (or without it when it is chosen), and its number of programs."""

    label: str
    href: str
    chosen: bool = False
    number: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """What ids in an address are called, in the language of the page."""

    categories: Mapping[str, str]
    series: Mapping[str, str]


def states(address: Address, counts: Sequence[StateCount] | UnsetType, locale: Locale) -> list[Choice]:
    """Return the states of programs, each with the number of programs that have it.

    Args:
        address: The address of the list.
        counts: As the API says them.
        locale: The language.
    """
    numbers = {} if counts is UNSET else {count.status: locale.number(count.programs) for count in counts}
    chosen = address.values.get("status", ())
    return [
        Choice(locale.text(f"state.{s}"), address.toggled("status", s), s in chosen, numbers.get(s, ""))
        for s in STATUSES
    ]


def signs(address: Address, locale: Locale) -> list[Choice]:
    """Return the signs of programs that a click asks for."""
    return [
        Choice(locale.text(f"lists_sign.{name}"), address.toggled(name, value), address.one(name) == value)
        for name, value in SIGNS
    ]


def chosen(address: Address, names: Names, locale: Locale, *, trashed: bool) -> list[Choice]:
    """Return what the list is narrowed to, each with the address without it.

    Above a list of programs states and signs have links of their own, which show what is chosen; above the trash they have none.

    Args:
        address: The address of the list.
        names: What ids are called.
        locale: The language.
        trashed: The list is the trash.
    """
    return [
        Choice(
            f"{locale.text(f'lists_filter.{name}')}: {_said(name, value, names, locale)}",
            _less(address, name, value),
        )
        for name, value in _pairs(address)
        if name not in _ELSEWHERE and (trashed or (name != "status" and (name, value) not in SIGNS))
    ]


def _pairs(address: Address) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, values in address.values.items() for value in values)


def _less(address: Address, name: str, value: str) -> str:
    return address.toggled(name, value) if name in params.SEVERAL else address.having(**{name: None})


def _said(name: str, value: str, names: Names, locale: Locale) -> str:
    if name == "categoryId":
        return names.categories.get(value, locale.digits(value))
    if name == "status":
        return str(locale.text(f"state.{value}"))
    if name == "seriesId":
        return names.series.get(value, locale.digits(value))
    if name in _IN_WORDS:
        return str(locale.text("lists.yes" if value in ("true", "1") else "lists.no"))
    if name in AUTHORS:
        return str(locale.text("lists.me")) if value == params.ME else author(value)
    if name in ("kind", "mediaType"):
        return str(locale.text(f"{name}.{value}"))
    return locale.language(value) if name == "language" else value


def author(name: str | None) -> str:
    """Return an author as people know him: an account by its e-mail address."""
    return (name or "").removeprefix("account:")


def orders(*, trashed: bool, words: bool) -> Sequence[str]:
    """Return the orders of a list, by which it may be sorted.

    Args:
        trashed: The list is the trash.
        words: The list has words.
    """
    sorts = TRASH_SORTS if trashed else SORTS
    return (params.RELEVANCE, *sorts) if words else sorts


def vocabulary(address: Address, locale: Locale) -> dict[str, object]:
    """Return the words that forms of lists offer, by the name that templates know.

    Args:
        address: The address of the list.
        locale: The language.
    """
    languages = dict.fromkeys((*_LANGUAGES, *address.values.get("language", ())))
    return {
        "boxes": {
            "kind": {value: locale.text(f"kind.{value}") for value in KINDS},
            "mediaType": {value: locale.text(f"mediaType.{value}") for value in MEDIA_TYPES},
            "language": {value: locale.language(value) for value in languages},
        },
        "periods": params.PERIODS,
        "author": author,
    }
