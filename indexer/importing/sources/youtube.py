"""YouTube channels, playlists and videos through the Data API v3.

What is kept of a run: document 0 says what it is a list of; every further one is a page of at most
fifty videos, whole. A fetch that stopped (killed, or out of quota) goes on behind the last page.
"""

import json
from collections.abc import Iterator
from typing import Any

from catalog.imports import youtube as addresses
from catalog.imports.options import Options
from catalog.imports.rows import Row, SeriesRef, external_id
from catalog.imports.youtube import Place
from indexer.importing import dates, values
from indexer.importing.errors import FetchError, ImportFailed
from indexer.importing.sources.base import Work
from indexer.importing.sources.feed_items import spoken
from indexer.importing.sources.youtube_api import StalePage, YoutubeApi

MAX_TAGS = 20
_SIZES = ("maxres", "standard", "high", "medium", "default")
_NOT_YET = {"live": "It is going on live.", "upcoming": "It has not begun yet."}


class YoutubeSource:
    """A channel's uploads, a playlist, or one video."""

    source_type = "youtube"

    def fetch(self, work: Work) -> None:
        """Three units for a small channel, and two for every fifty videos more."""
        place = addresses.read(work.run.url or "")
        if place is None:
            raise ImportFailed("bad_url", "It is no channel, playlist or video of YouTube.")
        api = YoutubeApi(work)
        kept = work.documents()
        if not kept:
            head = _head(api, place)
            work.keep(0, _encode(head), {"playlist": head["playlist"]})
            playlist, pages = head["playlist"], []
        else:
            playlist, pages = kept[0][1].get("playlist"), kept[1:]
        if playlist is None:
            if not pages:
                self._keep(work, api, 1, [place.id], None)
            return
        if pages and pages[-1][1].get("next") is None:
            return
        self._pages(work, api, place, str(playlist), pages)

    def _pages(
        self, work: Work, api: YoutubeApi, place: Place, playlist: str, pages: list[tuple[int, dict[str, Any]]]
    ) -> None:  # fmt: skip
        """Page after page behind those that are kept."""
        seen = {i for _, meta in pages for i in meta["ids"]}
        token = pages[-1][1]["next"] if pages else None
        number, asked, restarted = len(pages) + 1, set[str | None](), False
        # One more than may be imported: the runner then says that it is too much.
        while token not in asked and len(seen) <= work.settings.max_items:
            asked.add(token)
            try:
                ids, added, token = api.page(playlist, token)
            except StalePage:
                if restarted:
                    raise
                # From the start: what is kept already is not asked for again.
                asked, token, restarted = set(), None, True
                continue
            except FetchError as error:
                if error.code == "not_found" and place.kind != "playlist" and token is None:
                    # So YouTube says that a channel has nothing to show.
                    return
                raise
            fresh = [i for i in dict.fromkeys(ids) if i not in seen]
            if _read_before(work, place, added):
                token = None
            if fresh:
                self._keep(work, api, number, fresh, token)
                seen.update(fresh)
                number += 1
            if token is None:
                return

    def _keep(self, work: Work, api: YoutubeApi, number: int, ids: list[str], token: str | None) -> None:  # fmt: skip
        page = {"ids": ids, "videos": api.videos(ids)}
        work.keep(number, _encode(page), {"ids": ids, "next": token})

    def count(self, work: Work) -> int | None:
        """Known from the pages."""
        return sum(len(meta.get("ids", ())) for _, meta in work.documents())

    def rows(self, work: Work) -> Iterator[Row]:
        """Videos in the order of the list."""
        position, head = 0, _decode(work, 0)
        work.facts["title"] = head["title"]
        shown = ("title", "image", "link", "language")
        work.facts["about"] = {name: head[name] for name in shown if head.get(name)}
        for number, _ in work.documents()[1:]:
            page = _decode(work, number)
            videos = {video.get("id"): video for video in page["videos"]}
            for video_id in page["ids"]:
                position += 1
                key = external_id(work.run.namespace, video_id)
                yield row(Row(position, key), videos.get(video_id), head, work.options)


def _head(api: YoutubeApi, place: Place) -> dict[str, Any]:
    """What the list is; `playlist` is None for a single video."""
    if place.kind == "video":
        return {"kind": "video", "playlist": None, "title": "", "link": place.url}
    found = api.playlist(place.id) if place.kind == "playlist" else api.channel(place)
    if found is None:
        raise ImportFailed("not_found", "YouTube does not have it, or it is private.")
    snippet = found.get("snippet") or {}
    playlist = place.id
    if place.kind != "playlist":
        related = (found.get("contentDetails") or {}).get("relatedPlaylists") or {}
        playlist = str(related.get("uploads") or "")
        if not playlist:
            raise ImportFailed("not_found", "The channel has no list of uploads.")
    return {
        "kind": place.kind,
        "playlist": playlist,
        "title": values.one_line(str(snippet.get("title") or "")),
        "description": values.safe_text(str(snippet.get("description") or "")),
        "image": _image(snippet),
        "language": values.language(snippet.get("defaultLanguage") or ""),
        "link": place.url,
    }


def _read_before(work: Work, place: Place, added: list[str]) -> bool:
    """Is this page of a refresh older than what was read last time? Uploads are newest first; a
    playlist may be in any order, so it is always read whole."""
    since = work.facts.get("last_success_at")
    if since is None or place.kind == "playlist" or not added:
        return False
    moments = [dates.moment(at) for at in added]
    return any(at is not None and at < since for at in moments)


def row(found: Row, video: dict[str, Any] | None, head: dict[str, Any], options: Options) -> Row:
    """The video as a row; what nobody can watch (yet) is skipped."""
    if video is None:
        found.skip = ("unavailable", "It is private or deleted.")
        return found
    snippet, details = video.get("snippet") or {}, video.get("contentDetails") or {}
    status = video.get("status") or {}
    found.title = title = values.one_line(str(snippet.get("title") or ""))
    if snippet.get("liveBroadcastContent") in _NOT_YET:
        found.skip = ("not_yet", _NOT_YET[snippet["liveBroadcastContent"]])
    elif status.get("privacyStatus") == "private":
        found.skip = ("unavailable", "It is private.")
    elif status.get("privacyStatus") == "unlisted" and head["kind"] != "video":
        found.skip = ("unlisted", "Its publisher does not list it.")
    elif status.get("uploadStatus", "processed") not in ("processed", "uploaded"):
        found.skip = ("unavailable", f"YouTube calls it {status['uploadStatus']}.")
    if found.skip is not None:
        return found
    description = values.safe_text(str(snippet.get("description") or ""))
    given = snippet.get("defaultAudioLanguage") or snippet.get("defaultLanguage")
    language = values.language(given or "") or head.get("language")
    said: dict[str, Any] = {
        "title": title,
        "description": description,
        "language": language or options.language or spoken(title + description),
        "media_type": "video",
        "kind": options.kind or "episode",
        "duration_sec": values.duration(details.get("duration") or ""),
        "release_date": dates.moment(snippet.get("publishedAt") or ""),
        "media_url": f"https://www.youtube.com/watch?v={video['id']}",
        "thumbnail_url": _image(snippet),
        "is_explicit": (details.get("contentRating") or {}).get("ytRating") == "ytAgeRestricted",
    }
    if isinstance(snippet.get("tags"), list):
        said["tags"] = values.names(snippet["tags"], MAX_TAGS)
    found.values = {name: value for name, value in said.items() if value not in (None, [])}
    found.extra = {"youtube": {"channelId": snippet.get("channelId"), "embeddable": status.get("embeddable")}}  # fmt: skip
    if options.series_id is None:
        found.series = _series(head, snippet)
    return found


def _series(head: dict[str, Any], snippet: dict[str, Any]) -> SeriesRef | None:
    if head["kind"] == "playlist":
        return SeriesRef(head["title"], head["description"], head["image"]) if head["title"] else None  # fmt: skip
    # A channel shows many series; it names one only where nothing better is known.
    title = head["title"] or values.one_line(str(snippet.get("channelTitle") or ""))
    return SeriesRef(title, head.get("description") or "", head.get("image"), weak=True) if title else None  # fmt: skip


def _image(snippet: dict[str, Any]) -> str | None:
    sizes = snippet.get("thumbnails") or {}
    return next((url for s in _SIZES if (url := values.address((sizes.get(s) or {}).get("url")))), None)  # fmt: skip


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _decode(work: Work, number: int) -> dict[str, Any]:
    with work.open(number) as stream:
        found: dict[str, Any] = json.load(stream)
    return found
