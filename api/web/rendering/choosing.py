"""Which language a listener gets who has not chosen one on this visit."""

import re

from api.web.rendering.locales import LANGUAGES

_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?\s*"
)
# Ranges of a header that are looked at.
_MOST = 20


def preferred(chosen: str, accepted: str) -> str:
    """Return the code of a language.

    Args:
        chosen: The value of the cookie `language`; empty without one.
        accepted: The header Accept-Language (RFC 9110, 12.5.4); empty without one.
    """
    if chosen in LANGUAGES:
        return chosen
    best, weight = LANGUAGES[0], 0.0
    for part in accepted.split(",")[:_MOST]:
        found = _RANGE.fullmatch(part)
        if found is None:
            continue
        code = LANGUAGES[0] if found[1] == "*" else found[1].lower()
        quality = float(found[2] or 1)
        if code in LANGUAGES and quality > weight:
            best, weight = code, quality
    return best
