"""What a file is by its first bytes."""

import pytest

from indexer.importing.reading import media_types

HALF = b"\0" * 400


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (b"ID3\x04\0\0\0\0\0\x23TSSE" + HALF, "audio"),
        (b"\xff\xfb\x90\x64" + HALF, "audio"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom" + HALF, "audio"),
        (b"OggS\0\x02" + b"\0" * 22 + b"OpusHead" + HALF, "audio"),
        (b"RIFF\x24\0\0\0WAVEfmt " + HALF, "audio"),
        (b"fLaC\0\0\0\x22" + HALF, "audio"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + HALF, "video"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + HALF, "video"),
        (
            b"\x1aE\xdf\xa3\xa3B\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x88matroskaB" + HALF,
            "video",
        ),
        (b"RIFF\x24\0\0\0AVI LIST" + HALF, "video"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n", "video"),
    ],
)
def test_the_first_bytes_tell_audio_from_video(beginning: bytes, kind: str) -> None:
    found = media_types.detect(beginning)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    "beginning",
    [b"%PDF-1.7\n%", b"\x89PNG\r\n\x1a\n" + HALF, b"PK\x03\x04\x14\0" + HALF, b"<!DOCTYPE html><html><head>"],
)
def test_documents_pictures_and_archives_are_nothing_to_play(beginning: bytes) -> None:
    found = media_types.detect(beginning)
    assert found is not None
    assert found.kind is None
    assert not media_types.is_playable(found.mime, "https://cdn.example/file")


@pytest.mark.parametrize("beginning", [b"", b"hello world", b"\0" * 4096])
def test_bytes_that_tell_nothing(beginning: bytes) -> None:
    assert media_types.detect(beginning) is None
