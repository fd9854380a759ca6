"""Cuts a text into runs of one script each. The tokenizer cuts and folds each run by its own rules.

The first letter that belongs to a script names the run. Digits, punctuation and blanks belong to no
script and stay in the run in which they stand.
"""

import re
from collections.abc import Iterator
from functools import cache

# The Unicode blocks of each script, as ranges of a regular expression.
ARABIC = "\u0600-\u06ff\u0750-\u07ff\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff\U00010e60-\U00010e7f\U0001ee00-\U0001eeff"
LATIN = "A-Za-z\u0080-\u02af\u1d00-\u1dbf\u1e00-\u1eff\u2100-\u214f\u2c60-\u2c7f\ua720-\ua7ff\uab30-\uab6f"
_BLOCKS = {
    "latin": LATIN,
    "arabic": ARABIC,
    "cyrillic": "\u0400-\u0484\u0487-\u052f\u2de0-\u2dff\ua640-\ua69d\ua69f",
    "greek": "\u0370-\u03ff",
    "hebrew": "\u0590-\u05ff",
    "georgian": "\u10a0-\u10ff",
    "devanagari": "\u0900-\u097f\ua8e0-\ua8ff\u1cd0-\u1cff",
    "bengali": "\u0980-\u09ff",
    "gurmukhi": "\u0a00-\u0a7f",
    "gujarati": "\u0a80-\u0aff",
    "oriya": "\u0b00-\u0b7f",
    "tamil": "\u0b80-\u0bff",
    "telugu": "\u0c00-\u0c7f",
    "kannada": "\u0c80-\u0cff",
    "malayalam": "\u0d00-\u0d7f",
    "sinhala": "\u0d80-\u0dff",
    "thai": "\u0e00-\u0e7f",
    "myanmar": "\u1000-\u109f",
    "khmer": "\u1780-\u17ff\u19e0-\u19ff",
    "ethiopic": "\u1200-\u139f\u2d80-\u2ddf\uab00-\uab2f",
    "hangul": "\uac00-\ud7af\u1100-\u11ff\u3130-\u318f\u3200-\u32ff\ua960-\ua97f\ud7b0-\ud7ff\uff00-\uffef",
    "cj": "\u3040-\u30ff\u2e80-\u2e99\u2e9b-\u2ef3\u2f00-\u2fd5\u3005\u3007\u3021-\u3029\u3038-\u303b"
    "\u3400-\u4db5\u4e00-\u9fcc\uf900-\ufa6d\ufa70-\ufad9",
}


# Compiled when a text has such a letter: those of every script together take as long as the rest of the node's start.
@cache
def _which(but: str) -> "re.Pattern[str]":
    """Return what matches a letter of any script except `but`, and names its script."""
    return re.compile("|".join(f"(?P<{name}>[{blocks}])" for name, blocks in _BLOCKS.items() if name != but))


@cache
def _any(but: str) -> "re.Pattern[str]":
    """Return what finds a letter of any script except `but`: faster than `_which`, but nameless."""
    return re.compile(f"[{''.join(blocks for name, blocks in _BLOCKS.items() if name != but)}]")


def script_runs(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the runs of the text in order, each with whether it is in Arabic script."""
    if text.isascii():
        yield text, False
        return
    start, match = 0, _which("").search(text)
    while match is not None:
        script = match.lastgroup or ""
        following = _any(script).search(text, match.end())
        end = following.start() if following else len(text)
        yield text[start:end], script == "arabic"
        start, match = end, _which(script).match(text, end) if following else None
    if start < len(text):
        yield text[start:], False
