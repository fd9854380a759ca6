"""The words of the latest changes, and which of them a word of a query may mean."""

from array import array
from collections import OrderedDict

from rapidfuzz.distance import OSA

# Terms whose words are kept, and the length from which a word of a query may have one typo, and two: as the index's settings
# say.
_MAX_TERMS = 10_000
ONE_TYPO, TWO_TYPOS = 4, 8
# So few new words are compared one by one.
_FEW = 24


def typos(word: str) -> int:
    """Return how many typos a word of a query may have."""
    return 0 if len(word) < ONE_TYPO else 1 if len(word) < TWO_TYPOS else 2


def _letters(word: str) -> int:
    found = 0
    for letter in word:
        found |= 1 << (ord(letter) & 63)
    return found


class _Found:
    """The words that a term may mean among those that had come when it was looked for last."""

    __slots__ = ("known", "words")

    def __init__(self) -> None:
        self.words: set[str] = set()
        self.known = 0


class Vocabulary:
    """Words in the order in which they came."""

    def __init__(self) -> None:
        """Begin empty."""
        self._words: list[str] = []
        self._letters = array("Q")
        self._found: OrderedDict[tuple[str, int], _Found] = OrderedDict()

    def __len__(self) -> int:
        return len(self._words)

    def add(self, word: str) -> None:
        """Take a word that is new."""
        self._words.append(word)
        self._letters.append(_letters(word))

    def clear(self) -> None:
        """Forget everything."""
        self._words.clear()
        self._letters = array("Q")
        self._found.clear()

    def meant(self, text: str, most_typos: int) -> set[str]:
        """Return the words that begin with a text, but for typos. They may be some that are in no change any more.

        Args:
            text: A word of a query.
            most_typos: How many typos there may be: 0, 1 or 2.
        """
        key = text, most_typos
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = _Found()
            if len(self._found) > _MAX_TERMS:
                self._found.popitem(last=False)
        else:
            self._found.move_to_end(key)
        if found.known < len(self._words):
            self._look(text, most_typos, found)
        return found.words

    def _look(self, text: str, most_typos: int, found: _Found) -> None:
        # Here: the scheduler imports this module, and compares nothing.
        import numpy as np

        new = range(found.known, len(self._words))
        if len(new) > _FEW:
            # Each typo takes away one letter at the most.
            letters = np.frombuffer(self._letters, np.uint64)[found.known :]
            missing = np.bitwise_count(np.uint64(_letters(text)) & ~letters)
            near = (np.flatnonzero(missing <= most_typos) + found.known).tolist()
            del letters
        else:
            near = list(new)
        words = self._words
        found.words.update(words[n] for n in near if begins(words[n], text, most_typos))
        found.known = len(words)


def begins(word: str, text: str, most_typos: int) -> bool:
    """Return whether a word begins with a text, but for typos. One typo does not change the first letter.

    Args:
        word: A word of a document.
        text: A word of a query.
        most_typos: How many typos there may be: 0, 1 or 2.
    """
    if word.startswith(text):
        return True
    if not most_typos or (most_typos == 1 and word[0] != text[0]):
        return False
    sizes = range(len(text) - most_typos, min(len(text) + most_typos, len(word)) + 1)
    return any(
        OSA.distance(text, word[:size], score_cutoff=most_typos) <= most_typos for size in sizes if size > 0
    )
