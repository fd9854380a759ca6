"""Titles typed in the other script: on the wrong keyboard layout, as Arabizi, and names that people spell both ways.

The tables are the bench's own and not the product's, so that a fault of the product's tables shows.
"""

import random
from functools import cache
from pathlib import Path

# The keys of the Arabic (101) layout beside those of a US layout. The key of لا writes two letters.
_US = "qwertyuiop[]asdfghjkl;'zxcvnm,./`HYN"
_ARABIC_101 = "ضصثقفغعهخحجدشسيبلاتنمكطئءؤرىةوزظذأإآ"
_TO_US = dict(zip(_ARABIC_101, _US, strict=True))
_TO_ARABIC = {us: ar for us, ar in zip(_US, _ARABIC_101, strict=True) if us.islower() or not us.isalpha()}
_LAM_ALEF_KEY = "b"
_MARKS = dict.fromkeys([*range(0x064B, 0x0653), 0x0640, 0x0670])

# How chat spells consonants; where there are several ways, the more usual ones are repeated.
_CONSONANTS: dict[str, tuple[str, ...]] = {
    "ب": ("b",),
    "ت": ("t",),
    "ث": ("th",),
    "ج": ("g", "j"),
    "ح": ("7", "7", "7", "h"),
    "خ": ("5", "kh", "kh"),
    "د": ("d",),
    "ذ": ("z", "th"),
    "ر": ("r",),
    "ز": ("z",),
    "س": ("s",),
    "ش": ("sh",),
    "ص": ("s", "s", "9"),
    "ض": ("d",),
    "ط": ("t", "t", "6"),
    "ظ": ("z",),
    "ع": ("3",),
    "غ": ("gh", "gh", "8"),
    "ف": ("f",),
    "ق": ("q", "q", "2", "g"),
    "ك": ("k",),
    "ل": ("l",),
    "م": ("m",),
    "ن": ("n",),
    "ه": ("h",),
    "ء": ("2",),
    "ئ": ("2", "e"),
    "ؤ": ("2", "o"),
}
_LONG_VOWELS = {"و": ("o", "ou", "u"), "ي": ("i", "ee", "e"), "ا": ("a", "a", "aa")}
_SHORT_VOWELS = "aaaeeio"


def arabic_on_us_layout(chance: random.Random, title: str) -> str | None:
    """Return what a US layout writes when the title is typed as on an Arabic one."""
    bare = title.translate(_MARKS)
    if chance.random() < 0.5:
        bare = bare.replace("لا", _LAM_ALEF_KEY)
    found = "".join(_TO_US.get(c, c) for c in bare)
    return found if found.isascii() else None


def latin_on_arabic_layout(title: str) -> str:
    """Return what an Arabic layout writes when the title is typed as on a US one."""
    return "".join("لا" if c == _LAM_ALEF_KEY else _TO_ARABIC.get(c, c) for c in title.lower())


def arabizi(chance: random.Random, words: tuple[str, ...]) -> str | None:
    """Return the words in the Latin letters and digits of chat; None where a letter has no such spelling.

    Short vowels are not in the text, so they are guessed: one between each two consonants, but at most two
    consonants stand together.
    """
    found = [_arabizi_word(chance, word, n + 1 < len(words)) for n, word in enumerate(words)]
    return " ".join(word for word in found if word) if all(found) else None


def _arabizi_word(chance: random.Random, word: str, followed: bool) -> str | None:
    word = word.translate(_MARKS)
    found = ""
    if word.startswith("ال") and len(word) > 3:
        found, word = chance.choice(("al", "el")), word[2:]
    # Whether the last sound was a consonant that still may be followed by a short vowel.
    open_consonant = False
    for n, letter in enumerate(word):
        first, last = n == 0, n + 1 == len(word)
        vowel_next = not last and word[n + 1] in "اويىةأإآ"
        if letter in "أآ":
            found, open_consonant = found + "a", False
        elif letter == "إ":
            found, open_consonant = found + chance.choice("ei"), False
        elif letter == "ا":
            found, open_consonant = found + chance.choice(_LONG_VOWELS["ا"]), False
        elif letter == "ى":
            found, open_consonant = found + "a", False
        elif letter == "ة":
            found += chance.choice(("et", "at", "a")) if followed else "a"
            open_consonant = False
        elif letter in "وي" and not first and not vowel_next:
            found += chance.choice(_LONG_VOWELS[letter]) if not last or letter == "و" else "i"
            open_consonant = False
        elif letter in "وي":
            found, open_consonant = found + {"و": "w", "ي": "y"}[letter], not vowel_next
        elif letter in _CONSONANTS:
            if open_consonant:
                found += chance.choice(_SHORT_VOWELS)
            found += chance.choice(_CONSONANTS[letter])
            # A vowel was written just before this consonant: the next one may follow it at once.
            open_consonant = not open_consonant and not vowel_next
        else:
            return None
    return found


@cache
def _names() -> dict[str, tuple[str, ...]]:
    """The spellings in the other script of a word of a name, lower case; both directions."""
    found: dict[str, tuple[str, ...]] = {}
    text = Path(__file__).with_name("names.tsv").read_text(encoding="utf-8")
    for line in text.splitlines():
        arabic, _, latin = line.partition("\t")
        spellings = tuple(latin.split())
        found[arabic] = spellings
        for spelling in spellings:
            found.setdefault(spelling, (arabic,))
    return found


def in_other_script(chance: random.Random, name: str) -> str | None:
    """Return a name as it is spelled in the other script; None where a word of it is not in the table."""
    words = name.lower().translate(_MARKS).split()
    # The article of a name is joined in Arabic and stands apart, or with a hyphen, in Latin.
    found = []
    for word in words:
        bare, article = word, ""
        for arabic, latin in (("ال", "al "), ("al-", "ال"), ("el-", "ال")):
            if word.startswith(arabic) and word not in _names():
                bare, article = word.removeprefix(arabic), latin
        spellings = _names().get(bare)
        if spellings is None:
            return None
        found.append(article + chance.choice(spellings))
    return " ".join(found) if len(found) > 1 else None
