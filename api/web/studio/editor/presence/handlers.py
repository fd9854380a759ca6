"""What the script of an editor's page says while the page is open, and when it is left."""

import re
from collections.abc import Sequence

import msgspec
from litestar import Response, post
from markupsafe import escape

from api.http.errors import Problem
from api.http.parameters import Id
from api.http.presence import pages
from api.http.presence.pages import Visitor
from api.web.rendering.locales import Locale
from api.web.signin.staff import StaffRequest

# What a script calls its page.
_PAGE = re.compile(r"[0-9a-z]{1,32}")
# Names that are said; of further people only how many they are.
_NAMED = 3


class Presence(msgspec.Struct):
    """Who else has the editor open, in words; nothing when nobody has."""

    text: str


def said(locale: Locale, names: Sequence[str]) -> str:
    """Return who else is there, in words.

    Args:
        locale: The language of the page.
        names: Of the others.
    """
    if not names:
        return ""
    text = locale.text
    # A name may be written in the other direction.
    listed = escape("، " if locale.code == "ar" else ", ").join(
        f"\u2068{name}\u2069" for name in names[:_NAMED]
    )
    if len(names) > _NAMED:
        listed = text(
            "editor_presence.also", names=listed, more=text("editor_presence.more", len(names) - _NAMED)
        )
    # The script takes it as text, not as HTML.
    return text("editor_presence.here", len(names), names=listed).unescape()


@post("/programs/{program_id:int}/presence")
async def presence(request: StaffRequest, program_id: Id) -> Response[bytes]:
    """Keep the page of this person seen, and say who else is there; or forget the page, when it is left.

    Raises:
        Problem: The page does not say which one it is.
    """
    page, signed = request.sent.get("page", ""), request.signed
    if signed is None or not _PAGE.fullmatch(page):
        raise Problem("bad_request", "The page must say which one it is.")
    visitor = Visitor(signed.principal.account_id, page, signed.called)
    if request.sent.get("leaving"):
        await pages.leave(request.shared, program_id, visitor)
        words = ""
    else:
        words = said(request.locale, await pages.stay(request.shared, program_id, visitor))
    headers = {"Cache-Control": "no-store"}
    body = msgspec.json.encode(Presence(words))
    return Response(body, status_code=200, media_type="application/json", headers=headers)


HANDLERS = [presence]
