"""How pages of the studio show what the API says: moments, values of fields, words of codes, and what the person may do."""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from litestar import Response
from markupsafe import Markup, escape

from api.http.auth import OPS, REVIEWERS
from api.web.rendering.locales import Locale
from api.web.signin.staff import StaffRequest, page
from api.web.studio.given import Refusal, asked_for
from api.web.studio.zones import remembered

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
# Fields that are one of a few words, and the sections of the texts that have them.
_WORDS = {"mediaType": "medium", "kind": "sort", "status": "state", "state": "state"}
# What has just happened, in the address that a form leads to (`happened` in the texts).
HAPPENED = (
    *("created", "changed", "deleted", "waits", "renamed", "merged", "apart", "settled", "cancelled"),
    *("paused", "resumed", "submitted", "discarded", "published", "rejected", "unchanged"),
)


class Say:
    """Words for what a page shows, in one language."""

    def __init__(self, locale: Locale, zone: ZoneInfo) -> None:
        """Speak a language.

        Args:
            locale: The language.
            zone: The time zone of moments.
        """
        self.locale, self.zone = locale, zone
        self.comma = "، " if locale.code == "ar" else ", "

    def word(self, group: str, name: str) -> Markup:
        """Return the word for a code or the name of a field; the name itself when there is none.

        Args:
            group: The section of the texts.
            name: The code.
        """
        if f"{group}.{name}" in self.locale.texts:
            return self.locale.text(f"{group}.{name}")
        return Markup('<code dir="ltr" lang="en">{}</code>').format(name)

    def knows(self, group: str, name: str | None) -> bool:
        """Return whether there is a word for a code."""
        return f"{group}.{name}" in self.locale.texts

    def when(self, at: datetime | None) -> Markup:
        """Return a moment in the time zone that the browser remembers."""
        if at is None:
            return Markup("—")
        day, hour = (
            self.locale.digits(format_datetime(at, pattern, self.zone, self.locale.cldr))
            for pattern in ("d MMM y", "HH:mm")
        )
        words = f"{day}{self.comma}{hour}"
        return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), words)

    def field(self, name: str, found: object) -> Markup:
        """Return the value of a field, as a word if it is one of a few.

        Args:
            name: The field.
            found: The value.
        """
        group = _WORDS.get(name)
        return self.word(group, found) if group and isinstance(found, str) else self.value(found)

    def ordered(self, diff: Mapping[str, object]) -> list[tuple[str, object]]:
        """Return changed fields in the order in which people think of them: that of the texts."""
        names = [name for name in self.locale.texts if name.startswith("field_of.")]
        places = {name.partition(".")[2]: n for n, name in enumerate(names)}
        return sorted(diff.items(), key=lambda item: places.get(item[0], len(places)))

    def value(self, found: object) -> Markup:
        """Return the value of a field."""
        if found is None or found in ("", []):
            return Markup('<span class="none">—</span>')
        if isinstance(found, bool):
            return self.locale.text("given.yes" if found else "given.no")
        if isinstance(found, int | float):
            return escape(self.locale.digits(str(found)))
        if isinstance(found, str) and _MOMENT.match(found):
            return self._moment(found)
        if isinstance(found, Sequence) and not isinstance(found, str):
            return escape(self.comma).join(self.value(one) for one in found)
        if isinstance(found, Mapping) and "name" in found:
            return Markup("{} ({})").format(found["name"], self.word("credit", str(found.get("role", ""))))
        if isinstance(found, Mapping) and "programId" in found:
            of = self.locale.text("given.program", id=self.locale.digits(str(found["programId"])))
            return Markup("{}. {}").format(self.locale.digits(str(found.get("place", ""))), of)
        if isinstance(found, Mapping):
            return escape(self.comma).join(escape(f"{key}: {one}") for key, one in found.items())
        return Markup('<bdi dir="auto">{}</bdi>').format(found)

    def _moment(self, text: str) -> Markup:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return escape(text)
        return self.when(at if at.tzinfo is not None else at.replace(tzinfo=self.zone))


def show(
    request: StaffRequest, template: str, context: Mapping[str, object], *, refused: Refusal | None = None
) -> Response[bytes]:
    """Return a page of the studio.

    Args:
        request: Names the language and who asks.
        template: The file below `templates/staff/studio/`.
        context: What it shows.
        refused: Why the form that it shows was not taken.
    """
    roles = request.user.roles
    shown = {
        "say": Say(request.locale, remembered(request)),
        "reviews": bool(roles & set(REVIEWERS)),
        "operates": bool(roles & set(OPS)),
        "refused": refused,
        "sent": {},
        "newer": None,
        "form": "",
        "once": secrets.token_urlsafe(12),
        "happened": asked_for(request, "done", HAPPENED),
    }
    status = refused.status if refused is not None else 200
    return page(request, f"studio/{template}", shown | dict(context), status=status)
