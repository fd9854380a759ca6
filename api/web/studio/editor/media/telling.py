"""What is found at an address, in words."""

from api.editorial.media.schemas import FileCheckOut
from api.web.rendering.locales import Locale

_STEP = 1000
_UNITS = ("bytes", "kb", "mb", "gb")


def size(locale: Locale, count: int) -> str:
    """Return a number of bytes in words.

    Args:
        locale: The language.
        count: Of bytes.
    """
    value, unit = float(count), 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    written = f"{value:.1f}".removesuffix(".0") if unit and value < 100 else f"{value:.0f}"
    return locale.text(f"editor_check.{_UNITS[unit]}", n=locale.digits(written)).unescape()


def said(locale: Locale, found: FileCheckOut, use: str) -> str:
    """Return what was found.

    Args:
        locale: The language.
        found: As the API has it.
        use: What the program would have it for: `media` or `picture`.
    """
    text = locale.text
    if found.problem == "wrong_kind":
        what = found.content_type or text("editor_check.unknown_type")
        return text(f"editor_check.wrong_{use}", what=what).unescape()
    if found.problem is not None:
        name = f"editor_check.{found.problem}"
        return text(name if name in locale.texts else "editor_check.broken_response").unescape()
    parts = [text(f"editor_check.kind_{found.kind}").unescape()]
    if found.width and found.height:
        parts.append(f"{locale.number(found.width)} × {locale.number(found.height)}")
    if found.content_type:
        # Letters of another direction than the sentence's.
        parts.append(f"\u2068{found.content_type}\u2069")
    parts.append(size(locale, found.bytes) if found.bytes else text("editor_check.no_size").unescape())
    if use == "media" and not found.seekable:
        parts.append(text("editor_check.no_parts").unescape())
    return ("، " if locale.code == "ar" else ", ").join(parts) + "."
