"""Forms: read strictly, and only when this site gave them to this browser (no cross-site request forgery)."""

import hmac
from hashlib import sha256
from urllib.parse import parse_qsl

from api.http.errors import Problem
from api.http.request import ApiRequest
from catalog.core.text import has_control_characters

_FIELDS = 200
TOKEN = "token"  # noqa: S105  # the name of a field
Form = dict[str, str]


class FormExpired(Problem):
    """A form has not the token of this browser's session: it is old, or another site made it."""

    def __init__(self) -> None:
        """Refuse as what the role does not allow."""
        super().__init__("forbidden", "This form has expired. Load the page again.")


def token_for(request: ApiRequest, owner: str) -> str:
    """Return what forms of an owner have in a hidden field.

    Args:
        request: Knows the key.
        owner: A session's family, or the secret of a browser without a session.
    """
    key = request.shared.settings.api.secret_key.get_secret_value().encode()
    return hmac.new(key, b"form:" + owner.encode(), sha256).hexdigest()


async def read(request: ApiRequest) -> Form:
    """Return the fields of a form; of a field that is repeated, the last one.

    Raises:
        Problem: It is no form, or has control characters.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise Problem("unsupported_media_type", "Send a form.")
    try:
        body = (await request.body()).decode()
        found = dict(parse_qsl(body, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS))
    except ValueError:
        raise Problem("bad_request", "The form cannot be read.") from None
    if any(has_control_characters(text) for pair in found.items() for text in pair):
        raise Problem("bad_request", "A field has control characters.")
    return found


def check(request: ApiRequest, form: Form, owner: str) -> None:
    """Refuse a form that this site did not give to its owner.

    Args:
        request: Tells whether another site sends it, where the browser says so.
        form: Its fields.
        owner: As `token_for` was told; empty for nobody.

    Raises:
        FormExpired: It is refused.
    """
    right = owner and hmac.compare_digest(form.get(TOKEN, "").encode(), token_for(request, owner).encode())
    if not right or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise FormExpired
