"""Letters that Arabic writes joined to the next word: and (و ف), in or by (ب), for (ل), like (ك), the (ال).

An engine keeps بالقهوة and قهوة apart. A word loses its joined letters only when enough of it is left; whether what is
left is a word, the lexicon knows.
"""

# The longest first, so that a word loses all it has. لل is ل with ال.
_BEFORE_ARTICLE = ("وبال", "وكال", "فبال", "وال", "بال", "فال", "كال", "ولل", "فلل", "لل", "ال")
_SINGLE = "وفبلك"
# Letters that must be left.
_LEAST = 2
_LEAST_OF_SINGLE = 3
ARTICLE = "ال"


def is_arabic(word: str) -> bool:
    """Return whether a word begins in Arabic script."""
    return "\u0600" <= word[:1] <= "\u06ff"


def bare(word: str) -> str:
    """Return the word without its article."""
    return word[2:] if word.startswith(ARTICLE) and len(word) > _LEAST + 2 else word


def without(word: str) -> list[str]:
    """Return what the word may be without letters joined to it, the most letters left first.

    >>> without("وبالقهوه")
    ['بالقهوه', 'قهوه']
    """
    if not is_arabic(word):
        return []
    found = []
    if word[0] in _SINGLE and len(word) > _LEAST_OF_SINGLE:
        found.append(word[1:])
        if word[1] in _SINGLE and len(word) > _LEAST_OF_SINGLE + 1 and word[0] in "وف":
            found.append(word[2:])
    for prefix in _BEFORE_ARTICLE:
        if word.startswith(prefix) and len(word) >= len(prefix) + _LEAST:
            found.append(word[len(prefix) :])
            break
    return sorted(dict.fromkeys(found), key=len, reverse=True)
