"""Forms: read strictly, and only when this site gave them to this browser (no cross-site request forgery)."""

import hmac
from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import parse_qsl

from api.http.errors import Problem
from api.http.request import ApiRequest
from catalog.core.text import has_control_characters

# Room for the most programs of one step, and for the people of one program, beside the other fields of a form.
MOST_FIELDS = 1_000
# Of a form with a file, all that is not the file.
_BESIDE_BYTES = 100_000
TOKEN = "token"  # noqa: S105  # the name of a field


class Form(dict[str, str]):
    """The fields of a form. A field that is repeated has its last value; `every` returns all of them."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Keep the fields in the order in which they were sent."""
        self._pairs = tuple(pairs)
        super().__init__(self._pairs)

    def every(self, name: str) -> list[str]:
        """Return all values of a field."""
        return [value for field, value in self._pairs if field == name]


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
    """Return the fields of a form.

    A route with `opt["file_bytes"]`, which returns the largest size of a file, takes a form with a file, too: its handler
    finds the file in `request.form()`.

    Raises:
        Problem: It is no form, or has control characters.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    file_bytes = request.route_handler.opt.get("file_bytes")
    try:
        if media_type == "multipart/form-data" and file_bytes is not None:
            pairs = await _with_file(request, file_bytes())
        elif media_type == "application/x-www-form-urlencoded":
            body = (await request.body()).decode()
            pairs = parse_qsl(body, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
        else:
            raise Problem("unsupported_media_type", "Send a form.")
    except (ValueError, LookupError):
        raise Problem("bad_request", "The form cannot be read.") from None
    if any(has_control_characters(text) for pair in pairs for text in pair):
        raise Problem("bad_request", "A field has control characters.")
    return Form(pairs)


async def _with_file(request: ApiRequest, file_bytes: int) -> list[tuple[str, str]]:
    """Return the fields of a form with a file, which are texts.

    Raises:
        Problem: The form is larger than a file may be, does not say how large it is, or has too much beside the file.
    """
    # The framework keeps the file on the disk while it reads.
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > file_bytes + _BESIDE_BYTES:
        raise Problem("body_too_large", f"At most {file_bytes // 1_000_000} MB.")
    form = await request.form()
    fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    if sum(len(name) + len(value) for name, value in fields) > _BESIDE_BYTES:
        raise Problem("body_too_large", f"At most {_BESIDE_BYTES // 1_000} kB beside the file.")
    return fields


def check(request: ApiRequest, form: Form, owner: str) -> None:
    """Refuse a form that this site did not give to its owner.

    Args:
        request: Tells whether another site sends it, where the browser says so.
        form: Its fields.
        owner: As `token_for` was told; empty for nobody.

    Raises:
        FormExpired: It is refused.
    """
    check_site(request)
    right = owner and hmac.compare_digest(form.get(TOKEN, "").encode(), token_for(request, owner).encode())
    if not right:
        raise FormExpired


def check_site(request: ApiRequest) -> None:
    """Refuse a form that a page of another site sends, where the browser says so. Nothing has to be read for it.

    Raises:
        FormExpired: It is refused.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise FormExpired
