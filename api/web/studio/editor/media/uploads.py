"""What the form of a program says about uploading a picture."""

from typing import NamedTuple

from api.web.rendering.locales import Locale
from api.web.studio.editor.media import telling
from indexer.pictures import opening
from indexer.pictures.settings import PictureSettings


class Upload(NamedTuple):
    """The largest picture, in bytes, and what is said of a larger one."""

    most: int
    refusal: str


def offered(locale: Locale) -> Upload | None:
    """Return what the form says; None when no place for pictures is set.

    Args:
        locale: The language.
    """
    settings = PictureSettings()
    if opening.open_store(settings) is None:
        return None
    size = telling.size(locale, settings.max_bytes)
    return Upload(settings.max_bytes, locale.text("editor_upload.body_too_large", size=size).unescape())
