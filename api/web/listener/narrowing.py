"""How a list is narrowed and ordered on a page: choices as links, so that they work in every browser.

The state of a list is its query string: each choice is a link to the same page with other parameters.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.discovery.narrowing.filters import SEVERAL
from api.discovery.narrowing.orders import SORTS
from api.discovery.schemas import FacetValue
from api.web.rendering.locales import Locale

# Facet of an answer -> the parameter that narrows by it.
PARAMETERS = {
    "kind": "kind",
    "mediaType": "mediaType",
    "language": "language",
    "categoryId": "categoryId",
    "seriesId": "seriesId",
    "people": "person",
    "tags": "tag",
}
_MINUTES = 60
# Name of a text -> the shortest and the longest duration in seconds.
_DURATIONS = {
    "short": (None, 20 * _MINUTES),
    "medium": (20 * _MINUTES, 60 * _MINUTES),
    "long": (60 * _MINUTES, None),
}
# Name of a text -> how many days ago at most.
_PERIODS = {"month": 31, "year": 366, "five": 5 * 366}
# Choices that are shown at once; further ones when the listener asks.
_AT_ONCE = 6
_MOST = 30
# The order of parameters in addresses that we make.
_ORDER = (
    "q",
    "kind",
    "mediaType",
    "language",
    "categoryId",
    "seriesId",
    "person",
    "personAll",
    "tag",
    "tagAll",
    "durationMin",
    "durationMax",
    "releasedAfter",
    "releasedBefore",
    "tz",
    "featured",
    "sort",
    "page",
    "cursor",
)
# Parameter -> its values: several where a program may have one of several.
State = Mapping[str, tuple[str, ...]]
Link = Callable[[State], str]


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice and the address of the page with it; of a chosen one, the address without it."""

    label: str
    href: str
    chosen: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Choices of one kind: those shown at once, and further ones."""

    name: str
    choices: Sequence[Choice]
    further: Sequence[Choice] = ()

    @property
    def chosen(self) -> Sequence[Choice]:
        """The choices in effect."""
        return [choice for choice in (*self.choices, *self.further) if choice.chosen]


class Narrowing:
    """Makes the choices of a page from its state."""

    def __init__(self, locale: Locale, state: State, link: Link) -> None:
        """Take what choices depend on.

        Args:
            locale: The language of the labels.
            state: The parameters in effect.
            link: Makes the address of the page with other parameters.
        """
        self._locale, self._state, self._link = locale, state, link

    def _with(self, **changed: tuple[str, ...]) -> str:
        """Return the address with other parameters, on the first page; no values take a parameter away."""
        return self._link(ordered({**self._state, **changed, "page": (), "cursor": ()}))

    def facets(self, facets: Mapping[str, Sequence[FacetValue]]) -> list[Group]:
        """Return a group for each facet that offers a choice."""
        found = []
        for facet, parameter in PARAMETERS.items():
            values = list(facets.get(facet, ()))[:_MOST]
            chosen = self._state.get(parameter, ())
            if not chosen and len(values) < 2:
                continue
            # What was chosen can be taken back, also when nothing has it any more.
            counted = {value.value for value in values}
            values = [FacetValue(value=value, count=0) for value in chosen if value not in counted] + values
            choices = [self._choice(facet, parameter, value, chosen) for value in values]
            found.append(Group(facet, choices[:_AT_ONCE], choices[_AT_ONCE:]))
        return found

    def _choice(self, facet: str, parameter: str, value: FacetValue, chosen: tuple[str, ...]) -> Choice:
        is_chosen = value.value in chosen
        others = tuple(other for other in chosen if other != value.value)
        href = self._with(**{parameter: others if is_chosen else tuple(sorted((*others, value.value)))})
        return Choice(label(self._locale, facet, value), href, is_chosen, value.count)

    def durations(self) -> Group:
        """Return the choices of a duration."""
        given = self._state.get("durationMin", ()), self._state.get("durationMax", ())
        choices = []
        for name, (low, high) in _DURATIONS.items():
            limits = _value(low), _value(high)
            chosen = given == limits
            href = self._with(
                durationMin=() if chosen else limits[0], durationMax=() if chosen else limits[1]
            )
            choices.append(Choice(self._locale.text(f"duration.{name}"), href, chosen))
        return Group("duration", choices)

    def periods(self, now: datetime | None = None) -> Group:
        """Return the choices of a date of release, counted from today."""
        today = (now or datetime.now(UTC)).date()
        choices = []
        for name, days in _PERIODS.items():
            begin = ((today - timedelta(days=days)).isoformat(),)
            chosen = self._state.get("releasedAfter") == begin
            href = self._with(releasedAfter=() if chosen else begin, releasedBefore=())
            choices.append(Choice(self._locale.text(f"period.{name}"), href, chosen))
        return Group("period", choices)

    def sorts(self, current: str, offered: Sequence[str] = tuple(SORTS)) -> list[Choice]:
        """Return the orders. The first one offered is the order without a parameter.

        Args:
            current: The order in effect.
            offered: The orders to choose from.
        """
        return [
            Choice(
                self._locale.text(f"sort.{name}"),
                self._with(sort=() if name == offered[0] else (name,)),
                name == current,
            )
            for name in offered
        ]

    def cleared(self) -> str | None:
        """Return the address without any narrowing; None when there is none."""
        kept = {name: value for name, value in self._state.items() if name in ("q", "sort")}
        narrowed = self._state.keys() - {"q", "sort", "page", "cursor"}
        return self._link(kept) if narrowed else None

    def following(self, **position: str) -> str:
        """Return the address of another part of the list: its `page` or its `cursor`."""
        return self._link(ordered({**self._state, **{name: (value,) for name, value in position.items()}}))


def ordered(parameters: State) -> dict[str, tuple[str, ...]]:
    """Return the parameters that have a value, in the order of the addresses that we make."""
    return {name: values for name in _ORDER if (values := parameters.get(name))}


def written(state: State) -> dict[str, tuple[str, ...]]:
    """Return the parameters as an address has them: a comma that belongs to one of several values is marked."""
    return {
        name: tuple(value.replace(",", "\\,") for value in values) if name in SEVERAL else values
        for name, values in state.items()
    }


def _value(number: int | None) -> tuple[str, ...]:
    return () if number is None else (str(number),)


def label(locale: Locale, facet: str, value: FacetValue) -> str:
    """Return how a value of a facet is called.

    Args:
        locale: The language of the page.
        facet: A facet of an answer.
        value: A value of it.
    """
    if facet in ("kind", "mediaType"):
        return locale.text(f"{facet}.{value.value}")
    if facet == "language":
        return locale.language(value.value)
    named = value.name_ar if locale.code == "ar" else value.name_en
    return str(named or value.name or value.value)
