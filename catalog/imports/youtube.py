"""Which channel, playlist or video of YouTube an address means, however an editor writes it."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

Kind = Literal["channel", "handle", "user", "playlist", "video"]
_HOSTS = {"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "www.youtube-nocookie.com"}
_CHANNEL, _VIDEO = re.compile(r"UC[\w-]{22}", re.ASCII), re.compile(r"[\w-]{11}", re.ASCII)
_PLAYLIST = re.compile(r"(?:PL|UU|FL|OL|LL)[\w-]{10,62}", re.ASCII)
_IDS: dict[Kind, re.Pattern[str]] = {"channel": _CHANNEL, "playlist": _PLAYLIST, "video": _VIDEO}
# Handles may be written in any script.
_HANDLE = re.compile(r"@[\w.·-]{3,30}")
_USER = re.compile(r"[\w-]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reference:
    """A channel (by id, handle or old user name), a playlist or a video of YouTube."""

    kind: Kind
    id: str

    @property
    def url(self) -> str:
        """The one address by which it is stored, so that it is not remembered twice."""
        path = {
            "channel": f"channel/{self.id}",
            "handle": self.id,
            "user": f"user/{self.id}",
            "playlist": f"playlist?list={self.id}",
            "video": f"watch?v={self.id}",
        }[self.kind]
        return f"https://www.youtube.com/{path}"


def is_youtube(url: str) -> bool:
    """Return whether the address means something that the Data API answers for; YouTube's Atom feeds do not."""
    return url.startswith(("http://", "https://")) and read(url) is not None


def read(address: str) -> Reference | None:
    """Return what an address or a bare id means; None if it means nothing of YouTube."""
    text = address.strip()
    for kind, pattern in _IDS.items():
        if pattern.fullmatch(text):
            return Reference(kind, text)
    if text.startswith("@"):
        return _handle(text)
    try:
        parts = urlsplit(text if "//" in text else f"https://{text}")
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    steps = [unquote(step) for step in parts.path.split("/") if step]
    if host == "youtu.be":
        return _if(_VIDEO, "video", steps[0] if steps else "")
    if host not in _HOSTS or not steps or parts.scheme not in ("http", "https"):
        return None
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    match steps:
        case ["watch", *_]:
            return _if(_VIDEO, "video", query.get("v", ""))
        case ["playlist", *_]:
            return _if(_PLAYLIST, "playlist", query.get("list", ""))
        case ["shorts" | "live" | "embed" | "v", video, *_]:
            return _if(_VIDEO, "video", video)
        case ["channel", channel, *_]:
            return _if(_CHANNEL, "channel", channel)
        case ["user", user, *_]:
            return _if(_USER, "user", user)
        case [handle, *_] if handle.startswith("@"):
            return _handle(handle)
    return None


def _handle(text: str) -> Reference | None:
    return Reference("handle", text.lower()) if _HANDLE.fullmatch(text) else None


def _if(pattern: re.Pattern[str], kind: Kind, text: str) -> Reference | None:
    return Reference(kind, text) if pattern.fullmatch(text) else None
