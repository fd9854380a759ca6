"""A local YouTube Data API: answers shaped like the real ones, quota and page tokens included."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.sites import Answer, Site

CHANNEL = "UC" + "thmanyah-channel-00001"
UPLOADS = "UU" + CHANNEL[2:]
PLAYLIST = "PL" + "fnjan0123456789abcdef"
KEY = "a key of the tests"


def video_id(n: int) -> str:
    """Return the id of the n-th video."""
    return f"vid{n:08d}"


@dataclass
class Tube:
    """One channel whose uploads are `videos`, newest first, and playlists of some of them."""

    videos: list[dict[str, Any]] = field(default_factory=list)
    playlists: dict[str, list[str]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    # Answers given instead, once each, by resource.
    refusals: dict[str, list[Answer]] = field(default_factory=dict)
    page_size: int = 50

    def serve(self, site: Site) -> None:
        """Answer the API's addresses on this site."""
        for resource in ("channels", "playlists", "playlistItems", "videos"):
            site.pages[f"/youtube/v3/{resource}"] = self.answer

    def upload(self, n: int, title: str | None = None, **more: Any) -> dict[str, Any]:
        """The newest video; keys of `more` are merged into the parts of their name."""
        video: dict[str, Any] = {
            "kind": "youtube#video",
            "etag": f"etag-{n}",
            "id": video_id(n),
            "snippet": {
                "publishedAt": f"2024-01-01T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z",
                "channelId": CHANNEL,
                "title": title or f"حلقة {n}",
                "description": f"وصف {n}",
                "channelTitle": "ثمانية",
                "tags": ["فنجان", "بودكاست"],
                "liveBroadcastContent": "none",
                "defaultAudioLanguage": "ar",
                "thumbnails": {
                    "default": {"url": f"https://i.ytimg.example/{n}/default.jpg"},
                    "maxres": {"url": f"https://i.ytimg.example/{n}/maxres.jpg"},
                },
            },
            "contentDetails": {"duration": "PT1H2M3S", "caption": "false", "contentRating": {}},
            "status": {"uploadStatus": "processed", "privacyStatus": "public", "embeddable": True},
        }
        for part, values in more.items():
            video[part] |= values
        self.videos.insert(0, video)
        return video

    def units(self) -> int:
        """Return the quota that was used: each call costs one unit."""
        return len(self.calls)

    def answer(self, path: str, headers: dict[str, str]) -> Answer:
        """Answer one request as the Data API does."""
        parts = urlsplit(path)
        resource = parts.path.rpartition("/")[2]
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.calls.append((resource, query))
        assert "key" not in query
        if headers.get("x-goog-api-key") != KEY:
            return refusal(400, "badRequest", details="API_KEY_INVALID")
        if self.refusals.get(resource):
            return self.refusals[resource].pop(0)
        answer = getattr(self, f"_{resource}")(query)
        return answer if isinstance(answer, tuple) else (200, {}, json.dumps(answer).encode())

    def _channels(self, query: dict[str, str]) -> dict[str, Any]:
        known = (
            query.get("id") == CHANNEL
            or query.get("forHandle") == "@thmanyah"
            or query.get("forUsername") == "thmanyahOld"
        )
        item = {
            "kind": "youtube#channel",
            "id": CHANNEL,
            "snippet": {"title": "ثمانية", "description": "قناة", "defaultLanguage": "ar"},
            "contentDetails": {"relatedPlaylists": {"likes": "", "uploads": UPLOADS}},
        }
        # A search that finds nothing has no items at all.
        return {"kind": "youtube#channelListResponse"} | ({"items": [item]} if known else {})

    def _playlists(self, query: dict[str, str]) -> dict[str, Any]:
        known = query["id"] in self.playlists
        item = {"id": query["id"], "snippet": {"title": "فنجان", "description": "حوارات", "thumbnails": {}}}
        return {"kind": "youtube#playlistListResponse", "items": [item] if known else []}

    def _playlistItems(self, query: dict[str, str]) -> Any:
        wanted = query["playlistId"]
        listed = [v["id"] for v in self.videos] if wanted == UPLOADS else self.playlists.get(wanted)
        if not listed:
            return refusal(404, "playlistNotFound")
        assert query["maxResults"] == "50"
        start = int(query.get("pageToken", "PAGE0").removeprefix("PAGE"))
        page, held = listed[start : start + self.page_size], {v["id"]: v for v in self.videos}
        following = start + self.page_size
        return {
            "kind": "youtube#playlistItemListResponse",
            "items": [
                {
                    "snippet": {
                        "title": held[i]["snippet"]["title"] if i in held else "Deleted video",
                        "publishedAt": held[i]["snippet"]["publishedAt"] if i in held else None,
                    },
                    "contentDetails": {"videoId": i},
                }
                for i in page
            ],
            "pageInfo": {"totalResults": len(listed), "resultsPerPage": self.page_size},
        } | ({"nextPageToken": f"PAGE{following}"} if following < len(listed) else {})

    def _videos(self, query: dict[str, str]) -> dict[str, Any]:
        wanted = query["id"].split(",")
        assert len(wanted) <= 50
        found = [v for v in self.videos if v["id"] in wanted]
        return {"kind": "youtube#videoListResponse", "items": found}


def refusal(status: int, reason: str, *, details: str | None = None) -> Answer:
    """An error answer as Google's services give it."""
    error: dict[str, Any] = {
        "code": status,
        "message": "…",
        "errors": [{"message": "…", "domain": "youtube", "reason": reason}],
    }
    if details:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": details}]
    return status, {"Content-Type": "application/json"}, json.dumps({"error": error}).encode()
