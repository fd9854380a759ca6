"""What one term of the query may stand for: itself, longer words, misspellings, phrases, synonyms.

A `Term` knows all of it. A `Subset` is the part of a term that one reading of the query uses, by the
number of typos. `parse.py` makes terms, `graph.py` and the ranking rules use subsets.
"""

from functools import cached_property

from pyroaring import BitMap

from deploy.searchnode.index.inverted_index import SHORT_PREFIX_BYTES
from deploy.searchnode.rank import typos
from deploy.searchnode.rank.lookup.context import Context, Phrase
from deploy.searchnode.rank.lookup.postings import PostingList, merged

# Longer words that a prefix may stand for.
MAX_PREFIXED = 1_000
# A short prefix with at least this many words is looked up as a whole, never word by word.
_MANY_WORDS = 100
# Postings of words with at most this many are narrowed down together.
_RARE = 200
_NO_DOCUMENTS = BitMap()
# How much of what a term stands for without a typo belongs to a subset.
NOTHING, ONLY_EXACT, EVERYTHING = 0, 1, 2


class Term:
    """A word, a quoted phrase or several words written as one, and all that may stand for it."""

    def __init__(
        self,
        context: Context,
        text: str,
        *,
        budget: int = 0,
        is_prefix: bool = False,
        parts: tuple[str, ...] = (),
        phrase: Phrase | None = None,
        synonyms: tuple[Phrase, ...] = (),
    ) -> None:
        """Make a term; misspellings and splits are found when they are first asked for.

        Args:
            context: The search's view of the index.
            text: The word; for a phrase its words with blanks.
            budget: How many typos the word may have.
            is_prefix: Longer words that start with the text stand for it too.
            parts: The words of the query that the text joins (`data base` as `database`).
            phrase: The words, if the query quotes them.
            synonyms: Phrases that the settings name as synonyms.
        """
        self.context, self.text, self.budget = context, text, budget
        self.is_prefix, self.parts, self.phrase, self.synonyms = is_prefix, parts, phrase, synonyms
        words = context.words
        self.exact = text if phrase is None and text in words else None
        self.longer_words: list[str] = []
        # Is it a short prefix of so many words that they are looked up as a whole?
        self.open_prefix = False
        # Were misspellings or splits asked for? Highlights show only what a search looked for.
        self._derived = False
        self._subsets: dict[tuple[int, bool, bool, bool], Subset] = {}
        if is_prefix:
            longer = words.words_with_prefix(text, MAX_PREFIXED + 1)
            self.open_prefix = len(longer) >= _MANY_WORDS and len(text.encode()) <= SHORT_PREFIX_BYTES
            if not self.open_prefix:
                self.longer_words = [word for word in longer if word != text][:MAX_PREFIXED]

    @cached_property
    def misspelt(self) -> tuple[list[str], list[str]]:
        """The words of the index with one typo, and those with two."""
        self._derived = True
        if not self.budget:
            return [], []
        return typos.misspellings(self.context.index, self.text, self.budget, is_prefix=self.is_prefix)

    @cached_property
    def split(self) -> tuple[str, str] | None:
        """The two halves of the word that most often stand side by side in the index."""
        self._derived = True
        if self.phrase is not None:
            return None
        context, text, parts = self.context, self.text, self.parts
        return context.words.splits.get(
            (text, parts, context.by_attribute), lambda: context.most_frequent_split(text, parts)
        )

    def release(self) -> None:
        """Drop the subsets after the search. What was found to stand for the term stays known."""
        self._subsets.clear()

    def found_words(self) -> list[str]:
        """Return the single words that the search found to stand for the term."""
        one, two = self.misspelt if self._derived else ([], [])
        return [*([self.exact] if self.exact else ()), *self.longer_words, *one, *two]

    def found_phrases(self) -> list[Phrase]:
        """Return the phrases that the search found to stand for the term."""
        split = self.split if self._derived else None
        return [*([self.phrase] if self.phrase else ()), *self.synonyms, *([split] if split else ())]

    def subset(
        self, zero: int = EVERYTHING, one: bool = True, two: bool = True, mandatory: bool = False
    ) -> "Subset":
        """Return the subset with these parts; equal parts are the same object.

        Args:
            zero: NOTHING, ONLY_EXACT or EVERYTHING of what has no typo.
            one: What has one typo belongs to it.
            two: What has two typos belongs to it.
            mandatory: The matching strategy may not drop the term.
        """
        key = zero, one, two, mandatory
        known = self._subsets.get(key)
        if known is None:
            known = self._subsets[key] = Subset(self, zero, one, two, mandatory)
        return known


class Subset:
    """The part of a term that a reading uses. Made by `Term.subset` only, which explains the fields."""

    __slots__ = ("_documents", "_phrases", "_words", "mandatory", "one", "term", "two", "zero")

    def __init__(self, term: Term, zero: int, one: bool, two: bool, mandatory: bool) -> None:
        """Make the part of a term.

        Args:
            term: The term.
            zero: NOTHING, ONLY_EXACT or EVERYTHING of what has no typo.
            one: What has one typo belongs to it.
            two: What has two typos belongs to it.
            mandatory: The matching strategy may not drop the term.
        """
        self.term, self.zero, self.one, self.two, self.mandatory = term, zero, one, two, mandatory
        self._words: list[tuple[str, bool]] | None = None
        self._phrases: list[Phrase] | None = None
        self._documents: BitMap | None = None

    @property
    def words(self) -> list[tuple[str, bool]]:
        """(word, is it derived) of the single words, without those of an open prefix.

        A derived word is a misspelling or several words of the query written as one.
        """
        if self._words is None:
            self._words = self._find_words()
        return self._words

    def _find_words(self) -> list[tuple[str, bool]]:
        term, joined = self.term, bool(self.term.parts)
        found: list[tuple[str, bool]] = []
        if self.zero and term.exact:
            found.append((term.exact, joined))
        if self.zero == EVERYTHING:
            found += [(word, joined) for word in term.longer_words]
        if self.one:
            found += [(word, True) for word in term.misspelt[0]]
        if self.two and term.budget > 1:
            found += [(word, True) for word in term.misspelt[1]]
        return found

    @property
    def phrases(self) -> list[Phrase]:
        """The phrases that stand for the term: its own and its synonyms in every subset, and the split."""
        if self._phrases is None:
            term = self.term
            self._phrases = [*([term.phrase] if term.phrase else ()), *term.synonyms]
            if self.one and term.split:
                self._phrases.append(term.split)
        return self._phrases

    @property
    def prefix(self) -> str | None:
        """The open prefix, if it belongs to the subset."""
        term = self.term
        in_use = self.zero == EVERYTHING or (self.zero == ONLY_EXACT and term.exact is not None)
        return term.text if term.open_prefix and in_use else None

    @property
    def original_phrase(self) -> Phrase | None:
        """The phrase that the query quotes, if the term is one."""
        return self.term.phrase if self.zero else None

    @property
    def exact(self) -> Phrase | None:
        """The term to the letter, as a phrase; None when the index has no such word."""
        term = self.term
        if term.parts or not self.zero:
            return None
        if term.phrase is not None:
            return term.phrase
        return (term.exact,) if term.exact else None

    @property
    def max_typos(self) -> int:
        """The most typos that something in the subset may have; a split counts as one typo."""
        if self.term.budget == 0:
            return 1 if self.term.phrase is None else 0
        if self.two and self.term.budget > 1:
            return 2
        return 1 if self.one else 0

    def with_typos(self, count: int) -> "Subset":
        """Return the part that has exactly `count` typos."""
        return self.term.subset(
            self.zero if count == 0 else NOTHING,
            self.one and count == 1,
            self.two and count == 2,
            self.mandatory,
        )

    def only_exact(self) -> "Subset":
        """Return the part that is the query to the letter; it may not be dropped any more."""
        if self.exact is None:
            return self.term.subset(self.zero, self.one, self.two, True)
        return self.term.subset(ONLY_EXACT, False, False, True)

    def intersection(self, other: "Subset") -> "Subset":
        """Return the part that both subsets of the same term have."""
        return self.term.subset(
            min(self.zero, other.zero), self.one and other.one, self.two and other.two, self.mandatory
        )

    @property
    def documents(self) -> BitMap:
        """The documents with anything that stands for the term; not to be changed."""
        if self._documents is None:
            self._documents = self._find_documents()
        return self._documents

    def _find_documents(self) -> BitMap:
        context, prefix = self.term.context, self.prefix
        found = [context.documents(word, derived=derived) for word, derived in self.words]
        found += [context.phrase(phrase) for phrase in self.phrases]
        if prefix is not None:
            found.append(context.prefix_documents(prefix, derived=bool(self.term.parts)))
        return found[0] if len(found) == 1 else BitMap.union(_NO_DOCUMENTS, *found)

    def postings(self, *, with_prefix: bool = True) -> PostingList:
        """Return where its single words stand, in order, in the documents of the context's scope.

        The words of an open prefix are among them unless `with_prefix` is False.
        """
        context, prefix = self.term.context, self.prefix if with_prefix else None
        if prefix is None and len(self.words) == 1:
            return context.postings(self.words[0][0])
        key = self, prefix
        known = context.scope.known_postings(key)
        return context.scope.remember(key, self._merge(prefix)) if known is None else known

    def _merge(self, prefix: str | None) -> PostingList:
        context = self.term.context
        found, rare = [], []
        for word, _ in self.words:
            # A frequent word is narrowed down by itself, because other terms may ask for it too.
            if context.words.count(word) > _RARE:
                found.append(context.postings(word))
            else:
                rare.append(context.words.view(word))
        if prefix is not None:
            found.append(context.prefix_postings(prefix))
        if rare:
            found.append(context.scope.narrow(merged(rare)))
        return merged(found) if found else []
