"""Which addresses name a channel, a playlist or a video of YouTube."""

import pytest

from catalog.imports import youtube
from tests.support.youtube import CHANNEL, PLAYLIST

URL = f"https://www.youtube.com/channel/{CHANNEL}"


@pytest.mark.parametrize(
    ("given", "kind", "name"),
    [
        (URL, "channel", CHANNEL),
        (f"{URL}/videos?view=0", "channel", CHANNEL),
        (CHANNEL, "channel", CHANNEL),
        ("https://www.youtube.com/@Thmanyah", "handle", "@thmanyah"),
        ("youtube.com/@ثمانية/streams", "handle", "@ثمانية"),
        ("https://m.youtube.com/%40thmanyah", "handle", "@thmanyah"),
        ("http://youtube.com/user/thmanyahOld", "user", "thmanyahOld"),
        (f"https://www.youtube.com/playlist?list={PLAYLIST}", "playlist", PLAYLIST),
        (f"https://music.youtube.com/playlist?list={PLAYLIST}&si=x", "playlist", PLAYLIST),
        ("https://www.youtube.com/watch?v=vid00000001&list=PLx&t=3s", "video", "vid00000001"),
        ("https://youtu.be/vid00000001?si=x", "video", "vid00000001"),
        ("https://www.youtube.com/shorts/vid00000001", "video", "vid00000001"),
        ("https://www.youtube.com/live/vid00000001", "video", "vid00000001"),
        ("https://www.youtube-nocookie.com/embed/vid00000001", "video", "vid00000001"),
    ],
)
def test_addresses(given: str, kind: str, name: str) -> None:
    found = youtube.read(given)
    assert found is not None
    assert (found.kind, found.id) == (kind, name)
    assert youtube.read(found.url) == found


@pytest.mark.parametrize(
    "given",
    [
        "",
        "https://www.youtube.com/",
        "https://www.youtube.com/feeds/videos.xml?channel_id=" + CHANNEL,
        "https://www.youtube.com/c/thmanyah",
        "https://evil.example/channel/" + CHANNEL,
        "https://youtu.be/",
        "https://www.youtube.com/watch?v=short",
        "https://www.youtube.com.evil.example/@thmanyah",
        "@x",
        "http://[",
        "ftp://www.youtube.com/@thmanyah",
    ],
)
def test_what_is_no_place_on_youtube(given: str) -> None:
    assert youtube.read(given) is None
