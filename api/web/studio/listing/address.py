"""The address of a list: what its query string says, without what is wrong or empty, and addresses like it.

Its parameters are those of the API's lists (`api.editorial.listing.params`).
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from litestar.datastructures import MultiDict

from api.editorial.listing import params
from api.http.query import DEFAULT_ZONE, QueryString
from api.http.request import actor_of
from api.web.listener.reading import right
from api.web.rendering.links import query
from api.web.signin.staff import StaffRequest

# Rows of a page, where the address does not say how many.
ROWS = 50
# The list asks for counts by itself, and where a page begins does not belong to a saved or a shared list.
_UNUSED, _OF_A_PAGE = "counts", ("cursor", "limit")
AUTHORS = ("createdBy", "editedBy")
# What separates names that people type, in both scripts; behind a backslash it belongs to the name.
_BETWEEN = re.compile(r"(?<!\\)\s*[,،]\s*")
_NAMES = frozenset({"tag", "person"})
# Parameter -> its values: one, or several where a program may have one of several.
Values = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a list.

    Attributes:
        path: Its path.
        values: The parameters that have a right value.
        wrong: The names of those that were left out because they are wrong.
    """

    path: str
    values: Values
    wrong: tuple[str, ...] = ()

    def one(self, name: str) -> str:
        """Return the value of a parameter; empty without one."""
        return next(iter(self.values.get(name, ())), "")

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
        """The query string of the list, wherever its page begins; without a question mark."""
        return self.query_string(**dict.fromkeys(_OF_A_PAGE)).removeprefix("?")

    def without(self, name: str) -> "Address":
        """Return the address without a parameter that is wrong."""
        rest = {other: values for other, values in self.values.items() if other != name}
        return replace(self, values=rest, wrong=(*self.wrong, name))

    def sent(self, **more: str) -> MultiDict[str]:
        """Return the parameters as the API takes them, with more of them."""
        pairs = [(name, _escaped(name, value)) for name, values in self.values.items() for value in values]
        return MultiDict([*more.items(), *(pair for pair in pairs if pair[0] not in more)])


def names(text: str) -> list[str]:
    """Return the names that people typed between commas, in their order."""
    found = (re.sub(r"\\([,،])", r"\1", part).strip() for part in _BETWEEN.split(text))
    return [name for name in found if name]


def typed(found: Iterable[str]) -> str:
    """Return names as `names` reads them."""
    return ", ".join(re.sub(r"([,،])", r"\\\1", name) for name in found)


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
    """
    return of(request, path, MultiDict(parse_qsl(text)), trashed=trashed)


def of(request: StaffRequest, path: str, sent: MultiDict[str], *, trashed: bool) -> Address:
    """Return the address of a list.

    Args:
        request: Of the person who looks at it.
        path: Its path.
        sent: Its parameters; what is wrong among them is left out.
        trashed: The list is the trash.
    """
    me = str(actor_of(request))
    pairs = [pair for pair in sent.multi_items() if pair[1].strip()]
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
    if single.get("tz") == (DEFAULT_ZONE,):
        del single["tz"]
    values = single | {name: values for name, values in several.items() if values}
    return Address(path, dict(sorted(values.items())), tuple(sorted(set(given) - right_names)))


def _author(typed: str) -> str:
    """Return an author as revisions name actors: people type an e-mail address."""
    return f"account:{typed.strip()}" if "@" in typed and ":" not in typed else typed.strip()
