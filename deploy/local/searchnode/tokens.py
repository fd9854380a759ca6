"""Words of a text with their positions, folded as charabia folds Arabic and Latin.

Arabic: marks and tatweel go, alef, ya and ta marbuta take one form, a leading ال is a word of its
own. Latin: lower case without accents. A sentence break puts eight positions between words.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

HARD_BREAK = 8
MAX_POSITION = 65_535
_WORD = re.compile(r"[^\W_]+(?:[\u064b-\u065f\u0670\u0640]+[^\W_]*)*")
_HARD = re.compile(r"[.,;:!?()\[\]{}|/\\\n\r\t\"«»“”…،؛؟_]")
_DROP = re.compile("[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640]")
_ARABIC = str.maketrans(
    {**dict.fromkeys("أإآٱ", "ا"), "ى": "ي", "ی": "ي", "ئ": "ي", "ؤ": "و", "ة": "ه", "ک": "ك"}
)
_IS_ARABIC = re.compile("[\u0600-\u06ff]")


@lru_cache(maxsize=200_000)
def normalise(word: str) -> str:
    """The form under which a word is kept and looked for."""
    if word.isascii():
        return word.lower()
    if _IS_ARABIC.search(word):
        return _DROP.sub("", unicodedata.normalize("NFKC", word)).translate(_ARABIC)
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@dataclass(frozen=True, slots=True)
class Token:
    """A word, where it stands among words, and where it stands in the text."""

    word: str
    position: int
    start: int
    end: int


def tokenise(text: str) -> list[Token]:
    """The words of `text` in order."""
    tokens: list[Token] = []
    position, last_end = 0, 0
    for match in _WORD.finditer(text):
        start, end = match.span()
        if tokens:
            position += HARD_BREAK if _HARD.search(text, last_end, start) else 1
        last_end = end
        raw = match.group()
        if raw.startswith("ال") and len(raw) > 3:
            tokens.append(Token("ال", position, start, start + 2))
            position, start, raw = position + 1, start + 2, raw[2:]
        word = normalise(raw)
        if word:
            tokens.append(Token(word, position, start, end))
        if position >= MAX_POSITION:
            break
    return tokens


def words(text: str) -> list[tuple[str, int]]:
    """(word, position) pairs: what the index keeps."""
    return [(token.word, token.position) for token in tokenise(text)]
