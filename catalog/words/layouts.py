"""Undoes a wrong keyboard layout: Arabic typed with the English layout switched on, and the reverse.

`data/layouts.tsv` has the keys of the US and the Arabic (101) layout, as Windows (KBDUS, KBDA1) and the Unicode CLDR
keyboard `ar-t-k0-windows` have them.
"""

from importlib.resources import files


def _keys() -> list[tuple[str, str]]:
    lines = (files("catalog.words") / "data" / "layouts.tsv").read_text(encoding="utf-8").splitlines()
    return [
        (latin, arabic) for latin, arabic in (line.split("\t") for line in lines if not line.startswith("# "))
    ]


_KEYS = _keys()
_TO_ARABIC = str.maketrans(dict(_KEYS))
_TO_LATIN = {arabic: latin for latin, arabic in reversed(_KEYS)}
_LONGEST = max(map(len, _TO_LATIN))
# A word with more لا than so many ways allow is read as typed with one key.
_MAX_FORMS = 8


def to_arabic(text: str) -> str:
    """Return the text as its keys write it with the Arabic layout."""
    return text.translate(_TO_ARABIC)


def to_latin(text: str) -> tuple[str, ...]:
    """Return the text as its keys write it with the US layout, with every way to have typed لا: one key, or two."""
    found, at = [""], 0
    while at < len(text):
        for length in range(_LONGEST, 0, -1):
            piece = text[at : at + length]
            if piece in _TO_LATIN or length == 1:
                keys = [_TO_LATIN.get(piece, piece)]
                if len(piece) > 1 and len(found) < _MAX_FORMS:
                    keys.append("".join(_TO_LATIN.get(letter, letter) for letter in piece))
                found = [before + key for key in keys for before in found]
                at += len(piece)
                break
    return tuple(found)
