"""Reads the Podcasting 2.0 elements (`podcast:`) of a channel or an item.

https://podcasting2.org/docs/podcast-namespace
"""

from dataclasses import dataclass, field

from indexer.importing.reading import elements, values
from indexer.importing.reading.elements import Children, Element

# The name by which `podcast:block` would mean this platform alone.
PLATFORM = "thmanyah"
# Roles of podcast:person that the catalogue has a role for.
_ROLES = {
    "host": "host",
    "co-host": "host",
    "guest host": "host",
    "guest": "guest",
    "director": "director",
    "assistant director": "director",
    "producer": "producer",
    "executive producer": "producer",
    "associate producer": "producer",
    "senior producer": "producer",
    "narrator": "narrator",
    "announcer": "narrator",
    "reporter": "narrator",
    "voice actor": "cast",
    "actor": "cast",
    "cast": "cast",
}
MAX_TRANSCRIPTS = 20
Link = dict[str, str]


@dataclass(slots=True)
class Extension:
    """What `podcast:` elements say about a channel or an item.

    Attributes:
        guid: The podcast's id, which stays when its feed moves.
        locked: The publisher asks other platforms not to import the feed.
        medium: What the channel's items are: podcast, music, video, film …
        blocked: The publisher asks not to list the channel or item.
        people: (role, name) pairs.
        chapters: Address and type of the file of chapters.
        transcripts: Address, type and language of each transcript.
    """

    guid: str | None = None
    locked: bool = False
    medium: str | None = None
    blocked: bool = False
    season: int | None = None
    episode: int | None = None
    people: list[tuple[str, str]] = field(default_factory=list)
    chapters: Link | None = None
    transcripts: list[Link] = field(default_factory=list)

    def links(self) -> dict[str, object]:
        """Return the files that belong to an item, as they are kept beside its program."""
        found = {"chapters": self.chapters, "transcripts": self.transcripts}
        return {name: value for name, value in found.items() if value}


def read(children: Children) -> Extension:
    """Return the extension of a channel or an item, by its direct children."""
    found = Extension()
    for name, listed in children.items():
        if name.startswith("podcast:"):
            for element in listed:
                _take(found, name.removeprefix("podcast:"), element, elements.text(element))
    found.blocked = _is_blocked(children.get("podcast:block", []))
    found.people = list(dict.fromkeys(found.people))[:50]
    return found


def _is_blocked(blocks: list[Element]) -> bool:
    """Whether the publisher asks this platform not to list it: what names the platform beats what names none.

    https://podcasting2.org/docs/podcast-namespace/tags/block
    """
    said = {
        (elements.attribute(e, "id") or "").strip().lower(): values.flag(elements.text(e)) for e in blocks
    }
    return said.get(PLATFORM, said.get("")) is True


def _take(found: Extension, name: str, element: Element, text: str) -> None:
    match name:
        case "guid":
            found.guid = text[:100] or None
        case "locked":
            found.locked = values.flag(text) is True
        case "medium":
            found.medium = text.lower()[:50] or None
        case "season":
            found.season = values.whole(text)
        case "episode":
            found.episode = values.whole(text)
        case "person":
            person = values.one_line(text, 120)
            role = _ROLES.get((element.get("role") or "host").strip().lower())
            if role and any(c.isalnum() for c in person):
                found.people.append((role, person))
        case "chapters":
            url = values.address(element.get("url"))
            if url:
                found.chapters = {"url": url, "type": (element.get("type") or "")[:100]}
        case "transcript":
            url = values.address(element.get("url"))
            if url and len(found.transcripts) < MAX_TRANSCRIPTS:
                found.transcripts.append(
                    {
                        "url": url,
                        "type": (element.get("type") or "")[:100],
                        "language": values.language(element.get("language") or "") or "",
                    }
                )
