"""What one word of the query may stand for: itself, longer words, misspellings, phrases.

A `Term` knows all of it; a `Subset` is the part of a term that one reading of the query uses.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from pyroaring import BitMap

from deploy.local.searchnode.postings import SHORT_PREFIX_BYTES
from deploy.local.searchnode.rank import typos

if TYPE_CHECKING:
    from deploy.local.searchnode.rank.context import Context

MAX_PREFIXES = 1_000
# A prefix with this many words that is also short is found as a whole, never word by word.
MANY_WORDS = 100
# A phrase's words in order; None stands for a stop word.
Phrase = tuple[str | None, ...]
_NOTHING = BitMap()
NONE, ONLY_EXACT, EVERY = 0, 1, 2


class Term:
    """A word, a phrase or several words written as one, and everything that may stand for it."""

    def __init__(
        self,
        context: "Context",
        text: str,
        *,
        budget: int = 0,
        is_prefix: bool = False,
        parts: tuple[str, ...] = (),
        phrase: Phrase | None = None,
        synonyms: tuple[Phrase, ...] = (),
    ) -> None:
        self.context, self.text, self.budget = context, text, budget
        self.is_prefix, self.parts, self.phrase, self.synonyms = is_prefix, parts, phrase, synonyms
        postings = context.index.postings
        self.exact = text if phrase is None and text in postings else None
        self.prefix_of: list[str] = []
        self.open_prefix = False
        self.derived = False
        self._subsets: dict[tuple[int, bool, bool, bool], Subset] = {}
        if is_prefix:
            longer = postings.prefixed(text, MAX_PREFIXES + 1)
            self.open_prefix = (
                len(longer) >= MANY_WORDS and len(text.encode()) <= SHORT_PREFIX_BYTES
            )
            if not self.open_prefix:
                self.prefix_of = [word for word in longer if word != text][:MAX_PREFIXES]

    @cached_property
    def misspelt(self) -> tuple[list[str], list[str]]:
        """Words one and two typos away."""
        self.derived = True
        if not self.budget:
            return [], []
        return typos.near(self.context.index, self.text, self.budget, is_prefix=self.is_prefix)

    @cached_property
    def split(self) -> tuple[str, str] | None:
        """The two words side by side that this one most often is in the index."""
        self.derived = True
        if self.phrase is not None:
            return None
        context, text, parts = self.context, self.text, self.parts
        found: tuple[str, str] | None = context.postings.once(
            ("split", text, parts, context.by_attribute),
            lambda: context.most_often_side_by_side(text, parts),
        )
        return found

    def let_go(self) -> None:
        """Forget the parts in use: only what was found to stand for the term is asked from now on."""
        self._subsets.clear()

    def known_words(self) -> list[str]:
        """The single words found to stand for it so far."""
        one, two = self.misspelt if self.derived else ([], [])
        return [*([self.exact] if self.exact else ()), *self.prefix_of, *one, *two]

    def known_phrases(self) -> list[Phrase]:
        """The phrases found to stand for it so far."""
        split = self.split if self.derived else None
        return [
            *([self.phrase] if self.phrase else ()),
            *self.synonyms,
            *([split] if split else ()),
        ]

    def subset(
        self, zero: int = EVERY, one: bool = True, two: bool = True, mandatory: bool = False
    ) -> "Subset":
        """The one object for this part of the term."""
        key = zero, one, two, mandatory
        known = self._subsets.get(key)
        if known is None:
            known = self._subsets[key] = Subset(self, zero, one, two, mandatory)
        return known


class Subset:
    """The part of a term in use, by the number of typos. Made by `Term.subset` only."""

    __slots__ = ("_documents", "_phrases", "_words", "mandatory", "one", "term", "two", "zero")

    def __init__(self, term: Term, zero: int, one: bool, two: bool, mandatory: bool) -> None:
        self.term, self.zero, self.one, self.two, self.mandatory = term, zero, one, two, mandatory
        self._words: list[tuple[str, bool]] | None = None
        self._phrases: list[Phrase] | None = None
        self._documents: BitMap | None = None

    @property
    def words(self) -> list[tuple[str, bool]]:
        """(word, is it a derived one): single words, without those of an open prefix."""
        if self._words is None:
            self._words = self._find_words()
        return self._words

    def _find_words(self) -> list[tuple[str, bool]]:
        term, joined = self.term, bool(self.term.parts)
        found: list[tuple[str, bool]] = []
        if self.zero and term.exact:
            found.append((term.exact, joined))
        if self.zero == EVERY:
            found += [(word, joined) for word in term.prefix_of]
        if self.one:
            found += [(word, True) for word in term.misspelt[0]]
        if self.two and term.budget > 1:
            found += [(word, True) for word in term.misspelt[1]]
        return found

    @property
    def phrases(self) -> list[Phrase]:
        """Phrases that stand for the term; its own and its synonyms always do."""
        if self._phrases is None:
            term = self.term
            self._phrases = [*([term.phrase] if term.phrase else ()), *term.synonyms]
            if self.one and term.split:
                self._phrases.append(term.split)
        return self._phrases

    @property
    def prefix(self) -> str | None:
        """The open prefix, when in use."""
        term = self.term
        in_use = self.zero == EVERY or (self.zero == ONLY_EXACT and term.exact is not None)
        return term.text if term.open_prefix and in_use else None

    @property
    def original_phrase(self) -> Phrase | None:
        """The phrase the query itself quoted."""
        return self.term.phrase if self.zero else None

    @property
    def exact(self) -> Phrase | None:
        """What the query says to the letter, as a phrase; None when the index has no such word."""
        term = self.term
        if term.parts or not self.zero:
            return None
        if term.phrase is not None:
            return term.phrase
        return (term.exact,) if term.exact else None

    @property
    def most_typos(self) -> int:
        """How many typos this part may cost; a split word costs one."""
        if self.term.budget == 0:
            return 1 if self.term.phrase is None else 0
        if self.two and self.term.budget > 1:
            return 2
        return 1 if self.one else 0

    def with_typos(self, count: int) -> "Subset":
        """Only what costs exactly `count` typos."""
        return self.term.subset(
            self.zero if count == 0 else NONE, self.one and count == 1, self.two and count == 2,
            self.mandatory,
        )  # fmt: skip

    def only_exact(self) -> "Subset":
        """Only what the query says to the letter; it cannot be dropped any more."""
        if self.exact is None:
            return self.term.subset(self.zero, self.one, self.two, True)
        return self.term.subset(ONLY_EXACT, False, False, True)

    def meet(self, other: "Subset") -> "Subset":
        """What both have."""
        return self.term.subset(
            min(self.zero, other.zero), self.one and other.one, self.two and other.two,
            self.mandatory,
        )  # fmt: skip

    @property
    def documents(self) -> BitMap:
        """Documents with anything that stands for it; not to be changed."""
        if self._documents is None:
            self._documents = self._find_documents()
        return self._documents

    def _find_documents(self) -> BitMap:
        context, prefix = self.term.context, self.prefix
        found = [context.documents(word, derived=derived) for word, derived in self.words]
        found += [context.phrase(phrase) for phrase in self.phrases]
        if prefix is not None:
            found.append(context.prefix_documents(prefix, derived=bool(self.term.parts)))
        return found[0] if len(found) == 1 else BitMap.union(_NOTHING, *found)
