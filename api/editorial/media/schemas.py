"""The JSON of files: what is found at an address, and pictures that are kept."""

from typing import Annotated, Literal

import msgspec

from api.http.schemas import Body, Model
from indexer.importing.fetching.address import MAX_URL

FileKind = Literal["audio", "video", "picture", "other"]
PROBLEMS = (
    "bad_encoding",
    "bad_url",
    "broken_response",
    "forbidden_address",
    "forbidden_port",
    "forbidden_scheme",
    "gone",
    "not_found",
    "rate_limited",
    "redirect_loop",
    "refused",
    "server_error",
    "tls_failed",
    "too_many_redirects",
    "too_slow",
    "unexpected_status",
    "unreachable",
    "unresolvable",
    "wrong_kind",
)
_PROBLEM = "Why a program cannot have the file: one of " + ", ".join(PROBLEMS) + ". Null: it can."


class FileCheckIn(Body):
    """An address to look at."""

    url: Annotated[
        str,
        msgspec.Meta(max_length=MAX_URL, description="The address.", examples=["https://cdn.example/1.mp3"]),
    ]
    use: Annotated[
        Literal["media", "picture"],
        msgspec.Meta(description="What a program would have it for.", examples=["media"]),
    ]


class FileCheckOut(Model):
    """What is at an address."""

    url: Annotated[
        str, msgspec.Meta(description="Behind every redirect.", examples=["https://cdn.example/1.mp3"])
    ]
    problem: Annotated[str | None, msgspec.Meta(description=_PROBLEM, examples=["not_found"])]
    detail: Annotated[
        str | None,
        msgspec.Meta(description="The problem in a sentence.", examples=["The server has no such document."]),
    ]
    kind: Annotated[
        FileKind | None, msgspec.Meta(description="By its first bytes, else by its declared type.")
    ]
    content_type: Annotated[str | None, msgspec.Meta(examples=["audio/mpeg"])]
    bytes: Annotated[
        int | None,
        msgspec.Meta(
            description="Of the whole file; null when the server does not say.", examples=[57_400_000]
        ),
    ]
    seekable: Annotated[
        bool | None, msgspec.Meta(description="Whether the server sends parts, so that a player can jump.")
    ]
    width: Annotated[int | None, msgspec.Meta(description="Of a picture, in pixels.", examples=[1400])]
    height: Annotated[int | None, msgspec.Meta(examples=[1400])]


class FileCheckAnswer(Model):
    """What is at an address."""

    data: FileCheckOut


class PictureOut(Model):
    """A picture that is kept."""

    url: Annotated[
        str,
        msgspec.Meta(
            description="Where everybody gets it.",
            examples=["https://www.example.com/pictures/0123456789abcdef0123456789abcdef.png"],
        ),
    ]
    content_type: Annotated[str, msgspec.Meta(examples=["image/png"])]
    bytes: Annotated[int, msgspec.Meta(examples=[48_213])]
    width: Annotated[int, msgspec.Meta(examples=[1400])]
    height: Annotated[int, msgspec.Meta(examples=[1400])]


class PictureAnswer(Model):
    """A picture that is kept."""

    data: PictureOut
