"""What a document says in other spellings than its texts have: the extra words by which a search finds it."""

from collections.abc import Iterable

from catalog.words.joined import bare, without
from catalog.words.spelling import respelled, spell, split


def folded(text: str) -> str | None:
    """Return the text in the spelling of comparison; None where the engine's own folding does the same."""
    return spell(text) if respelled(text) else None


def other_forms(named: Iterable[str], described: str) -> list[str]:
    """Return words that the texts have in another form.

    Args:
        named: The title and the names: their words count in the spelling of comparison, and without joined letters.
        described: The description: its words count in the spelling of comparison.
    """
    forms: dict[str, None] = {}
    for text in named:
        different = respelled(text)
        for word in split(text):
            if different:
                forms[word] = None
            # The engine itself takes off an article that nothing else is joined to.
            forms.update(dict.fromkeys(rest for rest in without(word) if rest != bare(word)))
    if respelled(described):
        for piece in described.split():
            if respelled(piece):
                forms.update(dict.fromkeys(split(piece)))
    return list(forms)
