"""The adapter of YouTube channels, playlists and videos, through the Data API v3.

Document 0 of a run describes the list (`ListHead`). Each further document is a page of at most fifty videos.
A fetch that stopped, because its process died or the quota was spent, goes on behind the last stored page.
"""

import json
from collections.abc import Iterator, Sequence
from typing import NotRequired, TypedDict

from catalog.imports import youtube as addresses
from catalog.imports.models import DocumentMeta
from catalog.imports.options import Options
from catalog.imports.writing.rows import Row, SeriesRef, external_id
from catalog.imports.youtube import Reference
from indexer.importing.errors import FetchError, ImportFailed
from indexer.importing.reading import dates, values
from indexer.importing.reading.nested import Json, mapping
from indexer.importing.sources.base import ImportContext
from indexer.importing.sources.youtube_api import StalePage, YoutubeApi

MAX_TAGS = 20
_THUMBNAIL_SIZES = ("maxres", "standard", "high", "medium", "default")
_NOT_YET = {"live": "It is still live.", "upcoming": "It has not begun yet."}


class ListHead(TypedDict):
    """What the run imports: a channel's uploads, a playlist, or one video (whose `playlist` is None)."""

    kind: str
    playlist: str | None
    title: str
    link: str
    description: NotRequired[str]
    image: NotRequired[str | None]
    language: NotRequired[str | None]


class _Page(TypedDict):
    """A stored page: the list's entries, and those of their videos that can be watched."""

    ids: list[str]
    videos: list[Json]


class YoutubeSource:
    """A channel's uploads, a playlist, or one video."""

    source_type = "youtube"

    def fetch(self, context: ImportContext) -> None:
        """Fetch and store the list and its pages.

        It costs three units of the quota for a small channel, and two for every fifty videos more.

        Raises:
            ImportFailed: `bad_url`, `not_found`, or what `YoutubeApi` raises.
        """
        reference = addresses.read(context.run.url or "")
        if reference is None:
            raise ImportFailed("bad_url", "The address is no channel, playlist or video of YouTube.")
        api = YoutubeApi(context)
        stored = context.stored()
        if not stored:
            head = _fetch_head(api, reference)
            context.store(0, json.dumps(head, ensure_ascii=False).encode(), {"playlist": head["playlist"]})
            playlist, pages = head["playlist"], []
        else:
            playlist, pages = stored[0][1].get("playlist"), [meta for _, meta in stored[1:]]
        if playlist is None:
            if not pages:
                self._store_page(context, api, 1, [reference.id], None)
            return
        if pages and pages[-1].get("next") is None:
            return
        self._fetch_pages(context, api, reference, playlist, pages)

    def _fetch_pages(
        self,
        context: ImportContext,
        api: YoutubeApi,
        reference: Reference,
        playlist: str,
        pages: Sequence[DocumentMeta],
    ) -> None:
        # The pages behind those that are stored.
        seen = {video_id for meta in pages for video_id in meta.get("ids", [])}
        token = pages[-1].get("next") if pages else None
        number, requested, restarted = len(pages) + 1, set[str | None](), False
        # One item more than may be imported is enough: the runner then ends the run with `too_many_items`.
        while token not in requested and len(seen) <= context.settings.max_items:
            requested.add(token)
            try:
                page = api.page(playlist, token)
            except StalePage:
                if restarted:
                    raise
                # From the first page. Videos that are stored are not asked for again.
                requested, token, restarted = set(), None, True
                continue
            except FetchError as error:
                if error.code == "not_found" and reference.kind != "playlist" and token is None:
                    # YouTube's answer for a channel without videos.
                    return
                raise
            token = None if _is_known(context, reference, page.added) else page.next_token
            new_ids = [i for i in dict.fromkeys(page.video_ids) if i not in seen]
            if new_ids:
                self._store_page(context, api, number, new_ids, token)
                seen.update(new_ids)
                number += 1
            if token is None:
                return

    def _store_page(
        self, context: ImportContext, api: YoutubeApi, number: int, ids: list[str], next_token: str | None
    ) -> None:
        page: _Page = {"ids": ids, "videos": api.videos(ids)}
        body = json.dumps(page, ensure_ascii=False).encode()
        context.store(number, body, {"ids": ids, "next": next_token})

    def count(self, context: ImportContext) -> int | None:
        """Return the number of entries in the stored pages."""
        return sum(len(meta.get("ids", ())) for _, meta in context.stored())

    def rows(self, context: ImportContext) -> Iterator[Row]:
        """Yield the videos in the order of the list."""
        head = _load_head(context)
        context.facts["title"] = head["title"]
        about = {name: head.get(name) for name in ("title", "image", "link", "language")}
        context.facts["about"] = {name: value for name, value in about.items() if value}
        position = 0
        for number, _ in context.stored()[1:]:
            page = _load_page(context, number)
            videos = {video.get("id"): video for video in page["videos"]}
            for video_id in page["ids"]:
                position += 1
                key = external_id(context.run.namespace, video_id)
                yield row(Row(position, key), videos.get(video_id), head, context.options)


def _fetch_head(api: YoutubeApi, reference: Reference) -> ListHead:
    if reference.kind == "video":
        return {"kind": "video", "playlist": None, "title": "", "link": reference.url}
    found = api.playlist(reference.id) if reference.kind == "playlist" else api.channel(reference)
    if found is None:
        raise ImportFailed("not_found", "YouTube has no such channel or playlist, or it is private.")
    snippet = mapping(found.get("snippet"))
    playlist = reference.id
    if reference.kind != "playlist":
        related = mapping(mapping(found.get("contentDetails")).get("relatedPlaylists"))
        playlist = str(related.get("uploads") or "")
        if not playlist:
            raise ImportFailed("not_found", "The channel has no list of uploads.")
    return {
        "kind": reference.kind,
        "playlist": playlist,
        "title": values.one_line(str(snippet.get("title") or "")),
        "description": values.safe_text(str(snippet.get("description") or "")),
        "image": _image(snippet),
        "language": values.language(snippet.get("defaultLanguage") or ""),
        "link": reference.url,
    }


def _is_known(context: ImportContext, reference: Reference, added: list[str]) -> bool:
    """Whether a refresh need not read on behind this page, because the last one has read its entries.

    Uploads are listed newest first. A playlist may have any order, so it is always read to its end.
    """
    since = context.last_refresh.succeeded_at
    if since is None or reference.kind == "playlist" or not added:
        return False
    moments = [dates.moment(at) for at in added]
    return any(at is not None and at < since for at in moments)


def row(found: Row, video: Json | None, head: ListHead, options: Options) -> Row:
    """Fill the row from the video. A video that nobody can watch, or not yet, is skipped.

    Args:
        found: The row with its position and external id.
        video: As the API describes it; None when it has no such video.
        head: The list that the video is in.
        options: The run's options.
    """
    if video is None:
        found.skip = ("unavailable", "It is private or deleted.")
        return found
    snippet, details = mapping(video.get("snippet")), mapping(video.get("contentDetails"))
    status = mapping(video.get("status"))
    found.title = title = values.one_line(str(snippet.get("title") or ""))
    found.skip = _reason_to_skip(snippet, status, head)
    if found.skip is not None:
        return found
    description = values.safe_text(str(snippet.get("description") or ""))
    declared = values.language(snippet.get("defaultAudioLanguage") or snippet.get("defaultLanguage") or "")
    language = declared or head.get("language") or options.language
    fields: dict[str, object] = {
        "title": title,
        "description": description,
        "language": language or values.language_of(title + description),
        "media_type": "video",
        "kind": options.kind or "episode",
        "duration_sec": values.duration(details.get("duration") or ""),
        "release_date": dates.moment(snippet.get("publishedAt") or ""),
        "media_url": f"https://www.youtube.com/watch?v={video['id']}",
        "thumbnail_url": _image(snippet),
        "is_explicit": mapping(details.get("contentRating")).get("ytRating") == "ytAgeRestricted",
    }
    if isinstance(snippet.get("tags"), list):
        fields["tags"] = values.names(snippet["tags"], MAX_TAGS)
    found.values = {name: value for name, value in fields.items() if value not in (None, [])}
    found.extra = {"youtube": {"channelId": snippet.get("channelId"), "embeddable": status.get("embeddable")}}
    if options.series_id is None:
        found.series = _series(head, snippet)
    return found


def _reason_to_skip(snippet: Json, status: Json, head: ListHead) -> tuple[str, str] | None:
    """The code and sentence of a video that is not imported."""
    broadcast = str(snippet.get("liveBroadcastContent"))
    if broadcast in _NOT_YET:
        return "not_yet", _NOT_YET[broadcast]
    if status.get("privacyStatus") == "private":
        return "unavailable", "It is private."
    if status.get("privacyStatus") == "unlisted" and head["kind"] != "video":
        return "unlisted", "Its publisher does not list it."
    if status.get("uploadStatus", "processed") not in ("processed", "uploaded"):
        return "unavailable", f"YouTube's status of it is {status['uploadStatus']}."
    return None


def _series(head: ListHead, snippet: Json) -> SeriesRef | None:
    if head["kind"] == "playlist":
        title = head["title"]
        return SeriesRef(title, head.get("description", ""), head.get("image")) if title else None
    # A channel has videos of many series, so it names the series only of a program that has none.
    title = head["title"] or values.one_line(str(snippet.get("channelTitle") or ""))
    return SeriesRef(title, head.get("description") or "", head.get("image"), weak=True) if title else None


def _image(snippet: Json) -> str | None:
    """The address of the largest thumbnail."""
    sizes = mapping(snippet.get("thumbnails"))
    urls = (values.address(mapping(sizes.get(size)).get("url")) for size in _THUMBNAIL_SIZES)
    return next((url for url in urls if url), None)


def _load_head(context: ImportContext) -> ListHead:
    with context.open(0) as stream:
        head: ListHead = json.load(stream)
    return head


def _load_page(context: ImportContext, number: int) -> _Page:
    with context.open(number) as stream:
        page: _Page = json.load(stream)
    return page
