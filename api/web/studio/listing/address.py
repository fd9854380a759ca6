"""The address of a list: what its query string says, without what is wrong or empty, and addresses like it.

Its parameters are those of the API's lists (`api.editorial.listing.params`).
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from litestar.datastructures import MultiDict

from api.editorial.listing import params
from api.http.errors import InvalidParameter
from api.http.query import QueryString
from api.http.request import actor_of
from api.web.listener.reading import right
from api.web.rendering.links import query
from api.web.signin.staff import StaffRequest
from api.web.studio import zones
from catalog.programs.listing.saved import MAX_QUERY

# The paths of the lists.
PROGRAMS, TRASH = "/studio/programs", "/studio/trash"
# Rows of a page, where the address does not say how many.
ROWS = 50
# The list asks for counts by itself.
_UNUSED = "counts"
AUTHORS = ("createdBy", "editedBy")
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)?", re.ASCII)
# What people type between commas of both scripts; behind a backslash a comma belongs to the name, and so does a backslash.
NAME = re.compile(r"(?:[^\\,،]|\\.|\\$)+", re.DOTALL)
_ESCAPED, _TO_ESCAPE = re.compile(r"\\([\\,،])"), re.compile(r"\\(?=[\\,،]|$)|[,،]")
# Characters of the names that somebody types into a field; more than 20 long names have.
LONGEST_NAMES = 6_000
# Of the query string of a list, in a field of a form: a saved one, and where its page begins.
_LONGEST_LIST, _MOST_PARAMETERS = MAX_QUERY + 2 * params.MAX_LIST_CURSOR, 400
_NAMES = frozenset({"tag", "person"})
# Parameter -> its values: one, or several where a program may have one of several.
Values = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a list.

    Attributes:
        path: Its path.
        values: The parameters that have a right value.
        zone: The time zone in which its days are read: its own, or else the one that the browser remembers.
        wrong: The names of those that were left out because they are wrong.
    """

    path: str
    values: Values
    zone: ZoneInfo
    wrong: tuple[str, ...] = ()

    def one(self, name: str) -> str:
        """Return the value of a parameter; empty without one."""
        return next(iter(self.values.get(name, ())), "")

    def has_plain_day(self, name: str) -> bool:
        """Return whether a field for a date can show the value of a parameter: a day, or nothing."""
        return _DAY.fullmatch(self.one(name)) is not None

    def typed(self, name: str) -> str:
        """Return the values of a parameter as people type them: between commas."""
        return typed(self.values.get(name, ()))

    def having(self, **changes: str | tuple[str, ...] | None) -> str:
        """Return the address of the first page of such a list with other values; None takes a parameter away."""
        return self.path + self.query_string(cursor=None, **changes)

    def toggled(self, name: str, value: str) -> str:
        """Return the address with a value added, or taken away if it has it.

        Args:
            name: The parameter.
            value: One of its values.
        """
        now = self.values.get(name, ())
        if name not in params.SEVERAL:
            return self.having(**{name: None if value in now else value})
        return self.having(**{name: tuple(v for v in now if v != value) if value in now else (*now, value)})

    def query_string(self, **changes: str | tuple[str, ...] | None) -> str:
        """Return the query string with its question mark, with other values; None takes a parameter away."""
        given = dict(self.values)
        for name, value in changes.items():
            given[name] = (value,) if isinstance(value, str) else value or ()
        said = {name: [_said(name, v) for v in values] for name, values in given.items() if values}
        return query(said)

    @property
    def filters(self) -> str:
        """The query string of the list, wherever its page begins; without a question mark.

        It names the zone of its days: whoever reads it later may have another one.
        """
        has_days = any(name.endswith(("After", "Before")) for name in self.values)
        zone = {"tz": self.zone.key} if has_days else {}
        return self.query_string(**dict.fromkeys(params.BESIDE), **zone).removeprefix("?")

    def without(self, name: str) -> "Address":
        """Return the address without a parameter that is wrong."""
        rest = {other: values for other, values in self.values.items() if other != name}
        return replace(self, values=rest, wrong=(*self.wrong, name))

    def sent(self, **more: str) -> MultiDict[str]:
        """Return the parameters as the API takes them, with more of them."""
        pairs = [(name, _escaped(name, value)) for name, values in self.values.items() for value in values]
        said = {"tz": self.zone.key, **more}
        return MultiDict([*said.items(), *(pair for pair in pairs if pair[0] not in said)])


def names(text: str) -> list[str]:
    """Return the names that people typed between commas, in their order."""
    found = (_ESCAPED.sub(r"\1", part.strip()) for part in NAME.findall(text))
    return [name for name in found if name]


def typed(found: Iterable[str]) -> str:
    """Return names as `names` reads them."""
    return ", ".join(_TO_ESCAPE.sub(r"\\\g<0>", name) for name in found)


def _said(name: str, value: str) -> str:
    """Return a value as an address has it."""
    return typed([value]) if name in _NAMES else value


def _escaped(name: str, value: str) -> str:
    """Return a name in which no comma separates names, as the API takes it."""
    return value.replace(",", "\\,") if name in _NAMES else value


def read(request: StaffRequest, own: Collection[str] = (), *, trashed: bool = False) -> Address:
    """Return what the address of a request says.

    Args:
        request: Of the page of a list.
        own: Parameters that the page has beside those of the list.
        trashed: The list is the trash.
    """
    sent = MultiDict([pair for pair in request.query_params.multi_items() if pair[0] not in own])
    return of(request, request.url.path, sent, trashed=trashed)


def of_query(request: StaffRequest, path: str, text: str, *, trashed: bool = False) -> Address:
    """Return the address of a list.

    Args:
        request: Of the person who looks at it.
        path: Its path.
        text: Its query string, without a question mark.
        trashed: The list is the trash.

    Raises:
        InvalidParameter: It is longer than a list may be.
    """
    if len(text) > _LONGEST_LIST or text.count("&") >= _MOST_PARAMETERS:
        raise InvalidParameter(
            "list", f"At most {_LONGEST_LIST} characters and {_MOST_PARAMETERS} parameters."
        )
    sent = parse_qsl(text)
    return of(request, path, MultiDict(sent), trashed=trashed)


def of(request: StaffRequest, path: str, sent: MultiDict[str], *, trashed: bool) -> Address:
    """Return the address of a list.

    Args:
        request: Of the person who looks at it.
        path: Its path.
        sent: Its parameters; what is wrong among them is left out.
        trashed: The list is the trash.
    """
    me = str(actor_of(request))
    filled = [pair for pair in sent.multi_items() if pair[1].strip()]
    too_long = {name for name, value in filled if name in _NAMES and len(value) > LONGEST_NAMES}
    pairs = [pair for pair in filled if pair[0] not in too_long]
    given = MultiDict(
        [
            (name, _escaped(name, one))
            for name, value in pairs
            for one in (names(value) if name in _NAMES else [value])
        ]
    )
    kept = right(given, lambda parameters: params.list_request(parameters, me, trashed=trashed))
    right_names = {name for name, _ in kept}
    found = QueryString(MultiDict(kept), params.NAMES, params.SEVERAL)
    single = {name: (value,) for name, value in found.values.items() if name != _UNUSED}
    several = {name: found.several(name) for name in sorted(params.SEVERAL)}
    for name in AUTHORS:
        if name in single:
            single[name] = (_author(single[name][0]),)
    zone = zones.decided(request, found.values.get("tz", ""))
    if zone == zones.remembered(request):
        single.pop("tz", None)
    values = single | {name: values for name, values in several.items() if values}
    wrong = (set(given) | too_long) - right_names
    return Address(path, dict(sorted(values.items())), zone, tuple(sorted(wrong)))


def _author(typed: str) -> str:
    """Return an author as revisions name actors: people type an e-mail address."""
    return f"account:{typed.strip()}" if "@" in typed and ":" not in typed else typed.strip()
