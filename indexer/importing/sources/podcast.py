"""The Podcasting 2.0 elements of a feed, which the feed parser does not know.

Read by a second, forgiving pass over the same bytes: entities are not expanded, nothing is loaded
from anywhere, and what libxml2's limits cut short is left out.
"""

from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from indexer.importing import values

_NAMESPACES = (
    "https://podcastindex.org/namespace/1.0",
    "https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md",
)
_ROLES = {
    "host": "host", "co-host": "host", "guest host": "host", "guest": "guest", "director": "director",
    "assistant director": "director", "producer": "producer", "executive producer": "producer",
    "associate producer": "producer", "senior producer": "producer", "narrator": "narrator",
    "announcer": "narrator", "reporter": "narrator", "voice actor": "cast", "actor": "cast", "cast": "cast",
}  # fmt: skip
MAX_LINKS = 20


@dataclass(slots=True)
class Extension:
    """What `podcast:` elements say about a channel or an item."""

    guid: str | None = None
    locked: bool = False
    blocked: bool = False
    season: int | None = None
    episode: int | None = None
    people: list[tuple[str, str]] = field(default_factory=list)
    links: dict[str, Any] = field(default_factory=dict)


def read(body: bytes) -> tuple[Extension, list[Extension]]:
    """Of the channel, and of every item in document order. Empty where nothing can be read."""
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        root = None
    if root is None:
        return Extension(), []
    items = [_of(e) for e in root.iter() if _local(e) in ("item", "entry")]
    channel = next((e for e in root.iter() if _local(e) in ("channel", "feed")), root)
    return _of(channel), items


def _local(element: Any) -> str:
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _name(element: Any) -> str | None:
    """The element's name if it belongs to `podcast:` (declared or not)."""
    tag = element.tag
    if not isinstance(tag, str):
        return None
    if tag.startswith("{"):
        namespace, _, local = tag[1:].partition("}")
        return local if namespace.rstrip("/") in _NAMESPACES else None
    prefix, _, local = tag.partition(":")
    return local if prefix.lower() == "podcast" and local else None


def _of(parent: Any) -> Extension:
    found = Extension()
    for element in parent:
        name = _name(element)
        if name is not None:
            _take(found, name.lower(), element, (element.text or "").strip())
    found.people = list(dict.fromkeys(found.people))[:50]
    return found


def _take(found: Extension, name: str, element: Any, text: str) -> None:
    match name:
        case "guid":
            found.guid = text[:100] or None
        case "locked":
            found.locked = values.flag(text) is True
        case "block":
            # One meant for a single platform names it; ours has no name in that list.
            found.blocked = values.flag(text) is True and not element.get("id")
        case "season":
            found.season = values.whole(text)
        case "episode":
            found.episode = values.whole(text)
        case "person":
            who = values.one_line(text, 120)
            role = _ROLES.get((element.get("role") or "host").strip().lower())
            if role and any(c.isalnum() for c in who):
                found.people.append((role, who))
        case "chapters":
            url = values.address(element.get("url"))
            if url:
                found.links["chapters"] = {"url": url, "type": (element.get("type") or "")[:100]}
        case "transcript":
            url = values.address(element.get("url"))
            listed = found.links.setdefault("transcripts", []) if url else []
            if url and len(listed) < MAX_LINKS:
                listed.append(
                    {
                        "url": url,
                        "type": (element.get("type") or "")[:100],
                        "language": values.language(element.get("language") or "") or "",
                    }
                )
