"""What the form of a program says about uploading a picture."""

from typing import NamedTuple

from api.web.rendering.locales import Locale
from api.web.studio.editor.media import telling
from indexer.pictures import opening
from indexer.pictures.settings import PictureSettings


class Upload(NamedTuple):
    """The largest picture, in bytes, what is said of a larger one, and the limits in a sentence."""

    most: int
    refusal: str
    limits: str


def offered(locale: Locale) -> Upload | None:
    """Return what the form says; None when no place for pictures is set.

    Args:
        locale: The language.
    """
    settings = PictureSettings()
    if opening.open_store(settings) is None:
        return None
    size = telling.size(locale, settings.max_bytes)
    refusal, limits = (
        locale.text(f"editor_upload.{name}", size=size).unescape() for name in ("body_too_large", "limits")
    )
    return Upload(settings.max_bytes, refusal, limits)
