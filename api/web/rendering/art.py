"""The picture of a program or series that has none: a pattern and two colours, always the same for the same thing."""

import zlib
from typing import NamedTuple

# How many classes `static/art.css` has, and how many patterns `static/motifs.svg`.
TONES, MOTIFS = 12, 8


class Art(NamedTuple):
    """The numbers of a pair of colours and of a pattern."""

    tone: int
    motif: int


def art(name: str) -> Art:
    """Return the art of what has this name: programs of a series share the art of the series."""
    digest = zlib.crc32(name.encode())
    return Art(digest % TONES, digest // TONES % MOTIFS)
