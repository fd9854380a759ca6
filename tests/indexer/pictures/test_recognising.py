"""Pictures are known by their first bytes; everything else is none."""

import pytest

from indexer.pictures.recognising import Picture, declared, recognise
from tests.support import files


@pytest.mark.parametrize(
    ("made", "ending", "mime"),
    [
        (files.png, "png", "image/png"),
        (files.jpeg, "jpg", "image/jpeg"),
        (files.webp, "webp", "image/webp"),
        (files.avif, "avif", "image/avif"),
    ],
)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1400, 900), (12000, 3)])
def test_a_picture_and_its_size(made: object, ending: str, mime: str, width: int, height: int) -> None:
    assert callable(made)
    assert recognise(made(width, height)) == Picture(ending, mime, width, height)


@pytest.mark.parametrize(
    "other",
    [
        b"",
        b"\x89PNG",
        files.png()[:16],
        files.jpeg()[:6],
        files.webp()[:14],
        files.avif()[:24],
        files.png(0, 5),
        files.SVG,
        b"<?xml version='1.0'?>" + files.SVG,
        files.GIF,
        files.wav(),
        b"BM" + bytes(60),
        b"II*\0" + bytes(60),
        b"<!doctype html><script>alert(1)</script>",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40),
        b"\xff\xff\xff\xffftypavif" + bytes(40),
    ],
)
def test_what_is_no_picture(other: bytes) -> None:
    assert recognise(other) is None


def test_no_more_is_read_than_a_header_may_have() -> None:
    assert recognise(files.jpeg(640, 480, before=600_000)) == Picture("jpg", "image/jpeg", 640, 480)
    # Each byte of a file that is made for it takes time.
    endless = files.jpeg(640, 480, before=1_000_000)
    assert recognise(endless) is None
    assert declared(endless) == "image/jpeg"
    assert declared(files.GIF) is None
