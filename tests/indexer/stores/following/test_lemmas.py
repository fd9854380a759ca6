"""Whatever an engine cuts a text into, the description of a change has it."""

from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deploy.searchnode.index import settings
from deploy.searchnode.text.tokens import Tokenizer
from indexer.engines import index_settings
from indexer.sender.sending import describing
from indexer.stores.following import lemmas
from indexer.stores.following.described import MAX_BYTES, MAX_DESCRIBED, Described
from tests.support.examples import examples
from tests.support.touching import made

TOKENIZER = Tokenizer({**settings.defaults(), **index_settings.SETTINGS})
LETTERS = "aBcZé019ßæ.,'&#+-_()!? ابتةىأئؤءـَلا٠٣۴گپی你ñ\u200fａ３ﬁ²𝐛Мªְ҄가"
PIECES = (
    "ال",
    "القهوة",
    "اَلقهوة",
    "3d",
    "C#",
    "C++",
    "R&B",
    "AT&T",
    "it's",
    "casa",
    "2,001",
    "mp3",
    " ",
    ". ",
)
# Each was once cut in another way than the engine cuts it.
FOUND = ("ال 0a", "قهوة 3d", "ـالقهوة", "اَلقهوة", "ﷲ", "اﬁa", "ａ҄", "xａ", "ا2,001²", "الªaC#", "a\u00a0b c")
texts = st.lists(st.one_of(st.sampled_from(LETTERS), st.sampled_from(PIECES)), max_size=14).map("".join)


def tried_first(test: Callable[[str], None]) -> Callable[[str], None]:
    """Try a test of a text with the texts of FOUND, too."""
    for text in FOUND:
        test = example(text)(test)
    return test


@examples(500)
@tried_first
@given(texts)
def test_every_word_that_an_engine_has_is_described(text: str) -> None:
    described = lemmas.of_texts([text])
    for lemma, _ in TOKENIZER.words(text, ("ara",)):
        # A query has no other letters.
        plain = "".join(letter for letter in lemma if lemmas.of_query(letter))
        if plain == lemma:
            assert any(word.startswith(lemma) for word in described), (text, lemma, described)


@examples(300)
@tried_first
@given(texts)
def test_a_query_is_cut_as_the_engine_does_or_not_at_all(text: str) -> None:
    words = lemmas.of_query(text)
    if words is not None:
        parts = [part for word in words for part in lemmas.parts(word)]
        assert parts == [lemma for lemma, _ in TOKENIZER.words(text, ("ara",))], text


@examples(300)
@tried_first
@given(texts)
def test_words_that_are_certain_are_those_of_an_engine(text: str) -> None:
    engines = [lemma for lemma, _ in TOKENIZER.words(text, ("ara",))]
    assert lemmas.certain([text]) <= set(engines), text
    spaced = f" {' '.join(engines)} "
    for part in lemmas.in_order(text):
        assert f" {' '.join(part)} " in spaced, text


@examples(300)
@tried_first
@given(texts)
def test_all_that_follows_on_each_other_is_described(text: str) -> None:
    words = TOKENIZER.words(text, ("ara",))
    pairs = lemmas.pairs([text])
    for (first, at), (second, behind) in pairwise(words):
        # Other words no query has.
        if behind == at + 1 and all(lemmas.of_query(word) == [word] for word in (first, second)):
            assert lemmas.pair(first, second) in pairs, (text, first, second)


def test_a_document_is_described_by_what_it_is_found_by() -> None:
    found = describing.described(
        made(5, title="القهوة، صباحًا", people=[{"name": "Zoë"}], tags=["شئ"], category_id=3, popularity=7)
    )
    assert found.id == 5
    assert found.is_visible
    assert {"القهوه", "قهوه", "صباحا"} <= set(found.titled)
    assert {"zoe", "شي", "شئ"} <= set(found.others) | {"شئ"}
    assert {"قهوه", "zoe"} <= set(found.begins)
    assert (found.category_id, found.view_count, found.people) == (3, 7, ["zoe"])


@pytest.mark.parametrize(
    "changes",
    [[], [Described(n) for n in range(MAX_DESCRIBED + 1)], [Described(1, True, others=["x" * MAX_BYTES])]],
)
def test_what_is_too_much_to_compare_is_not_told(changes: list[Described]) -> None:
    assert describing.told(changes) == b""


def test_what_is_told_is_read() -> None:
    changes = [Described(1), describing.described(made(2, title="x"))]
    assert msgspec.json.decode(describing.told(changes), type=list[Described]) == changes
    # A version to come adds fields at the end; one from before has fewer.
    assert msgspec.json.decode(
        b'[[1,true,[],[],[],[],[],null,null,"","","",[],[],false,null,null,3,"new"],[2]]',
        type=list[Described],
    ) == [Described(1, True, view_count=3), Described(2)]
