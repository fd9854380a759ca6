"""What people do to a title when they type it: mistakes, spellings, letters joined to words.

Every function takes a source of chance and returns the changed text, or None where the text cannot be changed so.
"""

import itertools
import random

from catalog.core.text import fold

# Shorter words are left alone: with a mistake they resemble too many others.
SHORTEST_MISTYPED = 4
_ARABIC_LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
_LATIN_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_VARIANTS = {"أ": "اإ", "إ": "اأ", "آ": "اأ", "ا": "أ", "ة": "ه", "ه": "ة", "ى": "ي", "ي": "ى"}
_HARAKAT = "\u064e\u064f\u0650\u0651\u0652"
# With the article: و ف ك ب stand before it; ل takes its alef away.
_JOINED = "وفبلك"
_DIGITS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹")


def _is_arabic(word: str) -> bool:
    return "\u0600" <= word[0] <= "\u06ff"


def _mistyped(chance: random.Random, word: str) -> str:
    """Return the word with one letter dropped, doubled, replaced, added, or swapped with its neighbour."""
    letters = _ARABIC_LETTERS if _is_arabic(word) else _LATIN_LETTERS
    while True:
        at, letter = chance.randrange(len(word)), chance.choice(letters)
        found = chance.choice(
            [
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
            ]
        )
        if fold(found) != fold(word):
            return found


def typos(chance: random.Random, words: tuple[str, ...], count: int) -> str | None:
    """Return the words with a mistake in `count` of them.

    Args:
        chance: Which words, which letters, which mistakes.
        words: The words of a title.
        count: How many words get a mistake, one each.
    """
    long = [n for n, word in enumerate(words) if len(word) >= SHORTEST_MISTYPED and word.isalpha()]
    if len(long) < count:
        return None
    wrong = set(chance.sample(long, count))
    return " ".join(_mistyped(chance, word) if n in wrong else word for n, word in enumerate(words))


def two_thirds(title: str) -> str | None:
    """Return the first two thirds of a title, which may end within a word."""
    if len(title) < 9:
        return None
    return title[: -(-len(title) * 2 // 3)].rstrip()


def variants(chance: random.Random, title: str) -> str | None:
    """Return the title with forms of alef, ta marbuta and final ya that people mix."""

    def spelled(word: str) -> str:
        letters = list(word)
        for n, letter in enumerate(letters):
            last = n + 1 == len(letters)
            # An alef within a word, a ha or a ya that is not the last letter: nobody writes these otherwise.
            if (letter in "ىيةه" and not last) or (letter == "ا" and n > 0):
                continue
            if letter in _VARIANTS and chance.random() < 0.7:
                letters[n] = chance.choice(_VARIANTS[letter])
        return "".join(letters)

    found = " ".join(spelled(word) for word in title.split())
    return found if found != title else None


def vowel_marks(chance: random.Random, title: str) -> str:
    """Return the title with vowel marks on a third of its letters."""
    return "".join(
        c + chance.choice(_HARAKAT) if c in _ARABIC_LETTERS and chance.random() < 0.35 else c for c in title
    )


def joined_letter(chance: random.Random, words: tuple[str, ...]) -> str | None:
    """Return the words, one of them with و ف ب ل ك (or لل) written joined to it."""
    able = [n for n, word in enumerate(words) if len(word) > 2 and _is_arabic(word) and word.isalpha()]
    if not able:
        return None
    at, letter = chance.choice(able), chance.choice(_JOINED)
    word = words[at]
    word = "لل" + word[2:] if letter == "ل" and word.startswith("ال") else letter + word
    return " ".join([*words[:at], word, *words[at + 1 :]])


def without_article(chance: random.Random, words: tuple[str, ...]) -> str | None:
    """Return the words, one of them without its ال."""
    able = [n for n, word in enumerate(words) if word.startswith("ال") and len(word) > 4]
    if not able:
        return None
    at = chance.choice(able)
    return " ".join([*words[:at], words[at][2:], *words[at + 1 :]])


def run_together(chance: random.Random, words: tuple[str, ...]) -> str | None:
    """Return the words with two neighbours written as one."""
    able = [
        n
        for n, (one, two) in enumerate(itertools.pairwise(words))
        if len(one) > 1 and len(two) > 1 and one.isalpha() and two.isalpha()
    ]
    if not able:
        return None
    at = chance.choice(able)
    return " ".join([*words[:at], words[at] + words[at + 1], *words[at + 2 :]])


def other_digits(chance: random.Random, title: str) -> str | None:
    """Return the title with its digits in another script: Western, Arabic-Indic or Persian."""
    scripts = [n for n, digits in enumerate(_DIGITS) if any(c in digits for c in title)]
    if not scripts:
        return None
    target = _DIGITS[chance.choice([n for n in range(len(_DIGITS)) if n not in scripts] or [0])]
    return title.translate({ord(c): target[n] for digits in _DIGITS for n, c in enumerate(digits)})
