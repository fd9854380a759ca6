"""The four calls of the YouTube Data API v3 that imports make. Each costs one unit of the daily quota.

`search.list` is never called: it costs a hundred units and does not list every video.
https://developers.google.com/youtube/v3/docs
"""

import json
from typing import NamedTuple
from urllib.parse import urlencode

from catalog.imports.youtube import Reference
from indexer.importing.errors import FetchError, ImportFailed
from indexer.importing.reading.nested import Json, mapping, mappings
from indexer.importing.sources.base import ImportContext

PAGE = 50
_MAX_BYTES = 8_000_000
# Reasons in error answers: https://developers.google.com/youtube/v3/docs/errors
_NO_QUOTA = {"quotaExceeded", "dailyLimitExceeded"}
_TOO_FAST = {"rateLimitExceeded", "userRateLimitExceeded"}
_BAD_KEY = {
    "keyInvalid",
    "API_KEY_INVALID",
    "accessNotConfigured",
    "ipRefererBlocked",
    "forbidden",
    "SERVICE_DISABLED",
    "API_KEY_SERVICE_BLOCKED",
    "keyExpired",
}


class StalePage(ImportFailed):
    """The token of a page is no longer valid: the list has to be read from its first page."""

    def __init__(self) -> None:
        super().__init__("stale_page", "The list changed while it was read.", retryable=True)


class PlaylistPage(NamedTuple):
    """At most fifty entries of a playlist.

    Attributes:
        video_ids: The entries' videos.
        added: When each entry was added, as the API writes it.
        next_token: Token of the page behind this one; None of the last page.
    """

    video_ids: list[str]
    added: list[str]
    next_token: str | None


class YoutubeApi:
    """The API for one run. Each call takes its unit of the quota before it is made.

    Every method raises what `Fetcher.fetch` raises, QuotaExhausted, and ImportFailed (`bad_api_key`).
    """

    def __init__(self, context: ImportContext) -> None:
        """Use the key of the settings.

        Raises:
            ImportFailed: `no_api_key`.
        """
        self.context = context
        self._key = context.settings.youtube_key.get_secret_value()
        if not self._key:
            raise ImportFailed("no_api_key", "No key for the YouTube Data API is set: YOUTUBE_API_KEY.")

    def channel(self, reference: Reference) -> Json | None:
        """Return a channel with its title and its playlist of uploads; None when there is none."""
        name = {"channel": "id", "handle": "forHandle", "user": "forUsername"}[reference.kind]
        return self._first("channels", part="snippet,contentDetails", **{name: reference.id})

    def playlist(self, playlist_id: str) -> Json | None:
        """Return a playlist with its title and description; None when there is none."""
        return self._first("playlists", part="snippet", id=playlist_id)

    def page(self, playlist_id: str, token: str | None) -> PlaylistPage:
        """Return one page of a playlist: the first one, or the page of the token.

        Raises:
            StalePage: The token is no longer valid.
        """
        parameters = {"part": "snippet,contentDetails", "playlistId": playlist_id, "maxResults": str(PAGE)}
        answer = self._ask("playlistItems", **parameters, **({"pageToken": token} if token else {}))
        entries = [
            (str(video_id), str(mapping(item.get("snippet")).get("publishedAt") or ""))
            for item in mappings(answer.get("items"))
            if (video_id := mapping(item.get("contentDetails")).get("videoId"))
        ]
        next_token = answer.get("nextPageToken")
        return PlaylistPage(
            [video_id for video_id, _ in entries],
            [added for _, added in entries],
            str(next_token) if next_token else None,
        )

    def videos(self, ids: list[str]) -> list[Json]:
        """Return the videos among at most fifty ids that are neither private nor deleted."""
        part = "snippet,contentDetails,status"
        answer = self._ask("videos", part=part, id=",".join(ids), maxResults=str(PAGE))
        return mappings(answer.get("items"))

    def _first(self, resource: str, **parameters: str) -> Json | None:
        found = mappings(self._ask(resource, **parameters).get("items"))
        return found[0] if found else None

    def _ask(self, resource: str, **parameters: str) -> Json:
        self.context.spend(1)
        base = self.context.settings.youtube_url.rstrip("/")
        fetched = self.context.fetcher.fetch(
            f"{base}/{resource}?{urlencode(parameters)}",
            max_bytes=_MAX_BYTES,
            accept="application/json",
            # In a header and not in the address, because addresses end up in logs.
            headers={"X-Goog-Api-Key": self._key},
            explain=self._explain,
        )
        try:
            answer: object = json.loads(fetched.body)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise FetchError("broken_response", "YouTube's answer is not JSON.", retryable=True)
        return answer

    def _explain(self, status: int, body: bytes) -> ImportFailed | None:
        reasons = _reasons(body)
        if reasons & _NO_QUOTA:
            return self.context.use_up_quota()
        if reasons & _TOO_FAST:
            return FetchError("rate_limited", "YouTube asks us to slow down.", retryable=True)
        if "invalidPageToken" in reasons:
            return StalePage()
        if status == 404 or reasons & {"playlistItemsNotAccessible", "playlistNotFound"}:
            return FetchError("not_found", "YouTube has no such list or video, or it is private.")
        if reasons & _BAD_KEY or status in (401, 403):
            return ImportFailed("bad_api_key", "YouTube does not accept the key.")
        return None


def _reasons(body: bytes) -> set[str]:
    """The reasons of an error answer: in `errors`, and in `details`, where newer services name them."""
    try:
        answer: object = json.loads(body)
    except (ValueError, RecursionError):
        return set()
    error = mapping(mapping(answer).get("error"))
    entries = [*mappings(error.get("errors")), *mappings(error.get("details"))]
    return {str(entry.get("reason")) for entry in entries}
