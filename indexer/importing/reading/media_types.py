"""Tells audio, video and what is nothing to play apart: by the declared type, the ending of the address, the bytes.

The feed adapter and `reading.records` call it.
"""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

_VIDEO = (
    ".mp4",
    ".m4v",
    ".mov",
    ".webm",
    ".mkv",
    ".avi",
    ".ogv",
    ".mpg",
    ".mpeg",
    ".wmv",
    ".3gp",
    ".m3u8",
    ".mpd",
)
_AUDIO = (".mp3", ".m4a", ".m4b", ".ogg", ".oga", ".opus", ".wav", ".aac", ".flac", ".wma", ".aif", ".aiff")
# Declared by servers that do not know the file, and types of streams that are neither audio/ nor video/.
_UNKNOWN_TYPES = {
    "application/octet-stream",
    "binary/octet-stream",
    "application/binary",
    "application/x-download",
    "application/force-download",
    "application/download",
    "application/ogg",
    "application/mp4",
    "application/x-mpegurl",
    "application/vnd.apple.mpegurl",
    "application/dash+xml",
    "application/x-shockwave-flash",
}
_PLAYERS = {
    "application/x-mpegurl": "video",
    "application/vnd.apple.mpegurl": "video",
    "application/dash+xml": "video",
}
# Of a file that is neither audio nor video: two bytes that may stand anywhere are no evidence.
_MIN_CONFIDENCE = 0.3
_NOT_MEDIA = re.compile(
    r"\.(?:pdf|epub|mobi|azw3?|zip|rar|7z|gz|tar|jpe?g|png|gif|webp|svg|bmp|tiff?|avif|ico|html?|php|txt|rtf|docx?"
    r"|odt|xlsx?|pptx?|csv|json|xml|srt|vtt|torrent|exe|apk|dmg)\Z"
)


def media_type(mime: str | None, url: str | None) -> str | None:
    """Return "audio" or "video" by the MIME type, else by the ending of the URL's path; None by neither."""
    declared = _declared(mime)
    for name in ("audio", "video"):
        if declared.startswith(f"{name}/") or declared == name:
            return "video" if declared in ("audio/x-mpegurl", "audio/mpegurl") else name
    if declared in _PLAYERS:
        return _PLAYERS[declared]
    path = _path(url) if url else ""
    if path.endswith(_VIDEO):
        return "video"
    return "audio" if path.endswith(_AUDIO) else None


def is_playable(mime: str | None, url: str) -> bool:
    """Return whether an app may play the file: False for documents, pictures, archives and pages.

    A file that neither its type nor its address tells anything of may be played.

    Args:
        mime: The declared type, or None.
        url: The file's address.
    """
    declared = _declared(mime)
    if declared.startswith(("audio/", "video/")) or declared in ("audio", "video"):
        return True
    path = _path(url)
    if path.endswith((*_VIDEO, *_AUDIO)):
        return not declared.startswith(("image", "text/html"))
    known = declared in _UNKNOWN_TYPES or "/" not in declared
    return known and declared not in ("image", "document") and not _NOT_MEDIA.search(path)


class Detected(NamedTuple):
    """What the first bytes of a file say: its MIME type, and `audio`, `video` or None for any other file."""

    mime: str
    kind: str | None


def detect(beginning: bytes) -> Detected | None:
    """Return what a file is by its first bytes; None when they tell nothing that is certain enough."""
    # Its tables are loaded for the first file that is asked about; most imports ask about none.
    import puremagic

    try:
        matches = puremagic.magic_string(beginning)
    except (puremagic.PureError, ValueError):
        return None
    for match in matches:
        kind = media_type(match.mime_type, f"https://file.example/x{match.extension}")
        if kind is not None:
            return Detected(match.mime_type or f"{kind}/{match.extension.lstrip('.')}", kind)
    best = matches[0] if matches else None
    if best is None or not best.mime_type or best.confidence < _MIN_CONFIDENCE:
        return None
    return Detected(best.mime_type, None)


# An item's file is asked about twice.
@lru_cache(maxsize=64)
def _path(url: str) -> str:
    return urlsplit(url).path.lower()


def _declared(mime: str | None) -> str:
    return (mime or "").partition(";")[0].strip().lower()
