"""Reading a query string: no unknown parameter, none twice that has one value, every value checked.

The routes of listeners call it directly (`api.discovery.params`, `api.discovery.routes`). For all other routes
`api.http.parameters.check_parameters` calls it.
"""

import math
import re
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from api.http.errors import InvalidParameter, UnknownParameter
from catalog.core.text import has_control_characters

# The shapes of answers need this module; the worker, which warms the cache, does not need the framework.
if TYPE_CHECKING:
    from litestar.datastructures import MultiDict

MAX_LIMIT, DEFAULT_LIMIT = 100, 20
MAX_VALUE = 120  # characters of a text, where the parameter does not say otherwise
MAX_CURSOR = 500
MAX_ID = 2**53  # the largest whole number that every JSON reader keeps exact
MAX_VALUES = 20  # values of a parameter that may have several
# The zone of a day, where the request names no time zone.
DEFAULT_ZONE = "Asia/Riyadh"
# A comma between two values; behind a backslash it belongs to the value.
_COMMA = re.compile(r"(?<!\\),")


class QueryString:
    """The parameters of one request by name. A parameter with an empty value counts as absent."""

    def __init__(
        self, parameters: "MultiDict[str]", allowed: Collection[str], several: Collection[str] = ()
    ) -> None:
        """Keep the values of `parameters`.

        Args:
            parameters: What was sent.
            allowed: The names of the parameters that the route knows.
            several: Those of them that may have several values.

        Raises:
            InvalidParameter: A parameter that has one value occurs twice, or a value has characters that cannot be
                stored.
            UnknownParameter: A parameter is not in `allowed`.
        """
        self.values: dict[str, str] = {}
        self._lists: dict[str, list[str]] = {}
        seen = set()
        for name, value in parameters.multi_items():
            if name not in allowed:
                unknown = frozenset(sent for sent in parameters if sent not in allowed)
                raise UnknownParameter(unknown, name, allowed)
            if name in seen and name not in several:
                raise InvalidParameter(name, "Must be given once.")
            seen.add(name)
            if has_control_characters(value) or not _is_encodable(value):
                raise InvalidParameter(name, "Contains characters that cannot be stored or searched.")
            if name in several:
                self._lists.setdefault(name, []).append(value)
            elif value != "":
                self.values[name] = value

    def text(self, name: str, limit: int = MAX_VALUE) -> str | None:
        """Return a text of at most `limit` characters; None when the parameter is absent.

        Raises:
            InvalidParameter: The text is longer.
        """
        value = self.values.get(name)
        if value is not None and len(value) > limit:
            raise InvalidParameter(name, f"At most {limit} characters.")
        return value

    def integer(self, name: str, low: int, high: int, default: int | None = None) -> int | None:
        """Return a whole number.

        Args:
            name: The parameter.
            low: The smallest number allowed.
            high: The largest number allowed.
            default: Returned when the parameter is absent.

        Raises:
            InvalidParameter: The value is no whole number, or out of range.
        """
        value = self.values.get(name)
        if value is None:
            return default
        return _whole(name, value, low, high)

    def flag(self, name: str) -> bool | None:
        """Return a boolean; None when the parameter is absent.

        Raises:
            InvalidParameter: The value is not one of true, false, 1 and 0.
        """
        value = self.values.get(name)
        if value is None:
            return None
        if value not in ("true", "false", "1", "0"):
            raise InvalidParameter(name, "Must be true or false.")
        return value in ("true", "1")

    def one_of(self, name: str, allowed: Collection[str]) -> str | None:
        """Return one of the words in `allowed`; None when the parameter is absent.

        Raises:
            InvalidParameter: The value is another word.
        """
        value = self.values.get(name)
        if value is not None and value not in allowed:
            raise InvalidParameter(name, f"Must be one of {', '.join(allowed)}.")
        return value

    def several(self, name: str, limit: int = MAX_VALUE) -> tuple[str, ...]:
        """Return the values of a parameter that may have several, each once, in the order of their letters.

        The parameter may be repeated, and commas separate values; a comma that belongs to a value has a backslash
        before it. So every spelling of the same values gives the same tuple.

        Args:
            name: The parameter, one of `several`.
            limit: Characters that a value may have.

        Raises:
            InvalidParameter: There are more than MAX_VALUES values, repeated ones included, or one is too long.
        """
        sent = self._lists.get(name)
        if sent is None:
            return ()
        parts = [part.replace("\\,", ",").strip() for text in sent for part in _COMMA.split(text)]
        parts = [part for part in parts if part]
        if len(parts) > MAX_VALUES:
            raise InvalidParameter(name, f"At most {MAX_VALUES} values.")
        if any(len(part) > limit for part in parts):
            raise InvalidParameter(name, f"At most {limit} characters in a value.")
        return tuple(sorted(set(parts)))

    def several_of(self, name: str, allowed: Collection[str]) -> tuple[str, ...]:
        """Return the values of a parameter that may have several of the words in `allowed`.

        Raises:
            InvalidParameter: A value is another word.
        """
        found = self.several(name)
        if not set(found) <= set(allowed):
            raise InvalidParameter(name, f"Must be among {', '.join(allowed)}.")
        return found

    def ids(self, name: str) -> tuple[int, ...]:
        """Return the values of a parameter that may have several ids, in ascending order.

        Raises:
            InvalidParameter: A value is no id.
        """
        return tuple(sorted({_whole(name, value, 1, MAX_ID) for value in self.several(name)}))

    def zone(self, name: str, default: str) -> ZoneInfo:
        """Return a time zone by its IANA name; `default` when the parameter is absent.

        Raises:
            InvalidParameter: No zone has the name.
        """
        value = self.values.get(name, default)
        # The names are compared first: a zone is read from a file of its name.
        if value not in _zones():
            raise InvalidParameter(name, "Must be the name of a time zone such as Asia/Riyadh.")
        return ZoneInfo(value)

    def moment(self, name: str, zone: ZoneInfo, *, last: bool = False) -> int | None:
        """Return a date, or a date and time, as Unix seconds; None when the parameter is absent.

        Args:
            name: The parameter. Its format is ISO 8601.
            zone: The zone of a date, and of a time without an offset.
            last: A date stands for its last second instead of its first.

        Raises:
            InvalidParameter: The value is no date.
        """
        value = self.values.get(name)
        if value is None:
            return None
        try:
            if "T" not in value and " " not in value:
                day = date.fromisoformat(value)
                midnight = datetime.combine(day + timedelta(days=last), time(), zone)
                return math.floor(midnight.timestamp()) - last
            # A plus sign that was not escaped arrives as a space.
            parsed = datetime.fromisoformat(value.replace(" ", "+"))
            return math.floor((parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)).timestamp())
        except (ValueError, OverflowError):
            raise InvalidParameter(
                name, "Must be a date such as 2024-05-31 or 2024-05-31T18:00:00Z."
            ) from None

    def period(self, after: str, before: str, zone: ZoneInfo) -> tuple[int | None, int | None]:
        """Return two moments as Unix seconds: where a period begins, and the last second of it.

        Args:
            after: The parameter that says where it begins.
            before: The parameter that says where it ends.
            zone: The zone of a date, and of a time without an offset.

        Raises:
            InvalidParameter: A value is no date, or the period ends before it begins.
        """
        first, last = self.moment(after, zone), self.moment(before, zone, last=True)
        if first is not None and last is not None and first > last:
            raise InvalidParameter(after, f"Must not be later than {before}.")
        return first, last

    def languages(self) -> tuple[str, ...]:
        """Return the values of the parameter `language`.

        Raises:
            InvalidParameter: A value is no language tag.
        """
        found = self.several("language", 20)
        if not all(language.replace("-", "").isalnum() for language in found):
            raise InvalidParameter("language", "Must be a language tag such as ar.")
        return found

    def limit(self) -> int:
        """Return the size of a page: the parameter `limit`.

        Raises:
            InvalidParameter: The value is not from 1 to 100.
        """
        return self.integer("limit", 1, MAX_LIMIT, DEFAULT_LIMIT) or DEFAULT_LIMIT


@cache
def _zones() -> set[str]:
    return available_timezones()


def _whole(name: str, value: str, low: int, high: int) -> int:
    if not value.removeprefix("-").isascii() or not value.removeprefix("-").isdigit() or len(value) > 20:
        raise InvalidParameter(name, "Must be a whole number.")
    if not low <= int(value) <= high:
        raise InvalidParameter(name, f"Must be from {low} to {high}.")
    return int(value)


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
