"""Recordings of nothing, and how a server sends the part that a player asks for."""

import io
import re
import wave


def silence(seconds: int) -> bytes:
    """A recording of nothing, as WAV."""
    with io.BytesIO() as file:
        with wave.open(file, "wb") as recording:
            recording.setnchannels(1)
            recording.setsampwidth(1)
            recording.setframerate(8000)
            recording.writeframes(b"\x80" * 8000 * seconds)
        return file.getvalue()


def part(whole: bytes, wanted: str | None) -> tuple[int, dict[str, str], bytes]:
    """The part of a recording that a player asks for; without parts it cannot go to a moment."""
    begin = int(re.findall(r"\d+", wanted or "bytes=0-")[0])
    headers = {"Content-Type": "audio/wav", "Accept-Ranges": "bytes"}
    headers["Content-Range"] = f"bytes {begin}-{len(whole) - 1}/{len(whole)}"
    return 206, headers, whole[begin:]
