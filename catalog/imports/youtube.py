"""Which channel, playlist or video an address of YouTube means: what editors paste, read once."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

Kind = Literal["channel", "handle", "user", "playlist", "video"]
_HOSTS = {"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "www.youtube-nocookie.com"}  # fmt: skip
_CHANNEL, _VIDEO = re.compile(r"UC[\w-]{22}", re.ASCII), re.compile(r"[\w-]{11}", re.ASCII)
_PLAYLIST = re.compile(r"(?:PL|UU|FL|OL|LL)[\w-]{10,62}", re.ASCII)
# Handles may be written in any script.
_HANDLE = re.compile(r"@[\w.·-]{3,30}")
_USER = re.compile(r"[\w-]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """A channel (by id, handle or old user name), a playlist or a video."""

    kind: Kind
    id: str

    @property
    def url(self) -> str:
        """Its one address: the same place is not remembered twice."""
        path = {
            "channel": f"channel/{self.id}", "handle": self.id, "user": f"user/{self.id}",
            "playlist": f"playlist?list={self.id}", "video": f"watch?v={self.id}",
        }[self.kind]  # fmt: skip
        return f"https://www.youtube.com/{path}"


def is_youtube(url: str) -> bool:
    """Is it an address of YouTube that the Data API can answer for? Its Atom feeds are feeds."""
    return url.startswith(("http://", "https://")) and read(url) is not None


def read(given: str) -> Place | None:
    """What an address or a bare id means; None when it names none of them."""
    text = given.strip()
    for kind, pattern in (("channel", _CHANNEL), ("playlist", _PLAYLIST), ("video", _VIDEO)):
        if pattern.fullmatch(text):
            return Place(kind, text)  # type: ignore[arg-type]
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


def _handle(text: str) -> Place | None:
    return Place("handle", text.lower()) if _HANDLE.fullmatch(text) else None


def _if(pattern: "re.Pattern[str]", kind: Kind, given: str) -> Place | None:
    return Place(kind, given) if pattern.fullmatch(given) else None
