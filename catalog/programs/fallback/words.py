"""Words of a query, and the forms in which a text may have them. No SQL but patterns of regular expressions."""

import re
import unicodedata
from collections.abc import Sequence

from catalog.core.text import fold

# A search engine reads no more words of a query either.
MAX_WORDS = 10
# Letters of a word that are looked at.
MAX_LETTERS = 60
# How long a word must be to be searched with a mistake. A shorter word with a wrong letter resembles too many
# words; the patterns of a longer word grow too large.
LETTERS_FOR_TYPOS = range(4, 25)
# The article and prepositions that Arabic writes together with the next word.
_PREFIXES = ("ال", "و", "ب", "ل", "وال", "بال", "لل")
# Any letter or digit, in a regular expression of PostgreSQL.
_LETTER = "[[:alnum:]]"
# Unicode categories of marks that belong to a word: combining marks, and controls such as the joiner.
_MARKS = ("Mn", "Cf")


def split(text: str) -> list[str]:
    """Return the words of a query, each once: letters, digits and the marks that belong to them."""
    spaced = "".join(
        c if c.isalnum() or unicodedata.category(c) in _MARKS else " "
        for c in unicodedata.normalize("NFKC", text).lower()
    )
    by_fold = {fold(word): word for word in spaced.split()}
    return [word[:MAX_LETTERS] for folded, word in by_fold.items() if folded][:MAX_WORDS]


def beginnings(word: str) -> list[str]:
    """Return the beginnings by which a word of a text counts as this word.

    An Arabic word of three letters or more also counts with an article or preposition, and without its own
    article: `قهوة` finds `القهوة` and `بالقهوة`, `القهوة` finds `قهوة`.
    """
    if not "\u0600" <= word[0] <= "\u06ff" or len(word) < 3:
        return [word]
    bare = word.removeprefix("ال") if len(word) > 4 else word
    return list(dict.fromkeys([word, bare, *(prefix + bare for prefix in _PREFIXES)]))


def begins(names: Sequence[str], words: Sequence[str]) -> bool:
    """Return whether each word begins a word of one of the names, as the condition `name_has` says it in SQL.

    Args:
        names: Texts as they are written.
        words: As `split` returns them.
    """
    texts = [fold(name) for name in names]
    folded = ("|".join(re.escape(fold(beginning)) for beginning in beginnings(word)) for word in words)
    return all(any(re.search(rf"(?:^|[\W_])(?:{one})", text) for text in texts) for one in folded)


def mistyped(word: str) -> list[str]:
    """Return patterns for the beginnings of this word with one mistake.

    In place of one letter there may be none, another or two (`sea`: `s[[:alnum:]]{0,2}a` and so on), or two
    neighbouring letters may have changed places (`sae`).
    """
    letters = fold(word)
    patterns = [f"{letters[:n]}{_LETTER}{{0,2}}{letters[n + 1 :]}" for n in range(len(letters))]
    for n in range(len(letters) - 1):
        patterns.append(f"{letters[:n]}{letters[n + 1]}{letters[n]}{letters[n + 2 :]}")
    return patterns


def allows_typo(word: str) -> bool:
    """Return whether the word is searched with a mistake."""
    return len(fold(word)) in LETTERS_FOR_TYPOS
