"""Which words an API process reads when there are more than it keeps."""

from sqlalchemy import insert
from sqlalchemy.orm import Session

from catalog.vocabulary import queries
from catalog.vocabulary.models import VocabularyWord


def test_of_the_rarest_words_a_share_of_every_script_is_kept(session: Session) -> None:
    frequent = [{"word": f"often{n}", "programs": 9, "sounds": []} for n in range(20)]
    rare = [
        {"word": f"{letter}{n}", "programs": 1, "sounds": [n, n + 1]} for letter in "zم" for n in range(1_000)
    ]
    session.execute(insert(VocabularyWord), frequent + rare)
    kept = 1_020
    rarest = session.execute(queries.RAREST, {"kept": kept}).one()
    assert tuple(rarest) == (1, 20, 2_000)
    share = queries.SHARES * (kept - rarest.above) // rarest.alike
    after, found = "", []
    while True:
        asked = {"after": after, "rarest": rarest.programs, "share": share, "limit": 300}
        row = session.execute(queries.WORDS, asked).one()
        if row.words is None:
            break
        words, after = row.words.split(" "), row.last
        assert after == words[-1]
        assert len(row.programs.split()) == len(row.sounds_of_each.split()) == len(words)
        assert sum(map(int, row.sounds_of_each.split())) == len(row.sounds.split())
        found += words
    assert found == sorted(set(found))
    assert {row["word"] for row in frequent} <= set(found)
    shares = [sum(word.startswith(letter) for word in found) for letter in "zم"]
    assert all(400 < number < 600 for number in shares), shares


def test_every_word_is_kept_while_there_is_room(session: Session) -> None:
    session.execute(insert(VocabularyWord), [{"word": "coffee", "programs": 1, "sounds": []}])
    assert session.execute(queries.RAREST, {"kept": 1}).all() == []
    row = session.execute(queries.WORDS, {"after": "", "rarest": 0, "share": 0, "limit": 300}).one()
    assert (row.words, row.programs, row.sounds, row.sounds_of_each, row.last) == (
        "coffee",
        "1",
        "",
        "0",
        "coffee",
    )
