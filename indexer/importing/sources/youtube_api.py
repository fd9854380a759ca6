"""The four calls of the YouTube Data API v3 that imports make, one unit of the quota each.

`search.list` is never called: it costs a hundred units and leaves videos out.
"""

import json
from typing import Any
from urllib.parse import urlencode

from catalog.imports.youtube import Place
from indexer.importing.errors import FetchError, ImportFailed
from indexer.importing.sources.base import Work

PAGE = 50
_MAX_BYTES = 8_000_000
_NO_QUOTA = {"quotaExceeded", "dailyLimitExceeded"}
_SLOWER = {"rateLimitExceeded", "userRateLimitExceeded"}
_BAD_KEY = {"keyInvalid", "API_KEY_INVALID", "accessNotConfigured", "ipRefererBlocked", "forbidden", "SERVICE_DISABLED",
            "API_KEY_SERVICE_BLOCKED", "keyExpired"}  # fmt: skip


class StalePage(ImportFailed):
    """The token of a page is no longer good: begin with the first page."""

    def __init__(self) -> None:
        super().__init__("stale_page", "The list has changed while it was read.", retryable=True)


class YoutubeApi:
    """Asks for one run, and counts what that costs before it asks."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self._key = work.settings.youtube_key.get_secret_value()
        if not self._key:
            raise ImportFailed(
                "no_api_key", "No key for the YouTube Data API is set: YOUTUBE_API_KEY."
            )

    def channel(self, place: Place) -> dict[str, Any] | None:
        """A channel with its title and its playlist of uploads; None when there is none."""
        name = {"channel": "id", "handle": "forHandle", "user": "forUsername"}[place.kind]
        return self._first("channels", part="snippet,contentDetails", **{name: place.id})

    def playlist(self, playlist_id: str) -> dict[str, Any] | None:
        """A playlist's own title and description; None when there is none."""
        return self._first("playlists", part="snippet", id=playlist_id)

    def page(self, playlist_id: str, token: str | None) -> tuple[list[str], list[str], str | None]:
        """Fifty entries of a playlist: (video ids, when each was added, token of the next page)."""
        asked = {"part": "snippet,contentDetails", "playlistId": playlist_id, "maxResults": PAGE}
        answer = self._ask("playlistItems", **asked, **({"pageToken": token} if token else {}))
        found = [
            (str(details.get("videoId")), str((item.get("snippet") or {}).get("publishedAt") or ""))
            for item in _items(answer)
            if (details := item.get("contentDetails") or {}).get("videoId")
        ]
        following = answer.get("nextPageToken")
        return [i for i, _ in found], [at for _, at in found], str(following) if following else None

    def videos(self, ids: list[str]) -> list[dict[str, Any]]:
        """At most fifty videos; private and deleted ones are missing."""
        part = "snippet,contentDetails,status"
        return _items(self._ask("videos", part=part, id=",".join(ids), maxResults=PAGE))

    def _first(self, resource: str, **asked: Any) -> dict[str, Any] | None:
        found = _items(self._ask(resource, **asked))
        return found[0] if found else None

    def _ask(self, resource: str, **asked: Any) -> dict[str, Any]:
        self.work.spend(1)
        base = self.work.settings.youtube_url.rstrip("/")
        fetched = self.work.fetcher.fetch(
            f"{base}/{resource}?{urlencode(asked)}",
            max_bytes=_MAX_BYTES,
            accept="application/json",
            # In a header: an address ends up in logs.
            headers={"X-Goog-Api-Key": self._key},
            explain=self._explain,
        )
        try:
            answer = json.loads(fetched.body)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise FetchError("broken_response", "YouTube's answer is not JSON.", retryable=True)
        return answer

    def _explain(self, status: int, body: bytes) -> ImportFailed | None:
        reasons = _reasons(body)
        if reasons & _NO_QUOTA:
            return self.work.spent_all()
        if reasons & _SLOWER:
            return FetchError("rate_limited", "YouTube asks us to slow down.", retryable=True)
        if "invalidPageToken" in reasons:
            return StalePage()
        if status == 404 or reasons & {"playlistItemsNotAccessible", "playlistNotFound"}:
            return FetchError("not_found", "YouTube does not have it, or it is private.")
        if reasons & _BAD_KEY or status in (401, 403):
            return ImportFailed("bad_api_key", "YouTube does not accept the key.")
        return None


def _items(answer: dict[str, Any]) -> list[dict[str, Any]]:
    listed = answer.get("items")
    return [i for i in listed if isinstance(i, dict)] if isinstance(listed, list) else []


def _reasons(body: bytes) -> set[str]:
    """The reasons of an error answer, in its old form and its new one."""
    try:
        error = json.loads(body)["error"]
        listed = [*(error.get("errors") or ()), *(error.get("details") or ())]
        return {str(entry.get("reason")) for entry in listed}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return set()
