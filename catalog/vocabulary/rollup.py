"""Counts the words of programs that were marked: what a program has now is counted in, what it had is counted out.

Programs that listeners see and all others that are not deleted are counted apart.

Called by the scheduler's clock every second. One roll-up works at a time; a step that was interrupted is repeated and
counts nothing twice, because the words that a program was counted with are stored in the same transaction.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.programs import queries
from catalog.programs.models import Program
from catalog.taxonomy.models import Person, ProgramPerson, ProgramTag, Series, Tag
from catalog.vocabulary.models import VocabularyMark, VocabularyProgram, VocabularyWord
from catalog.words.joined import bare
from catalog.words.keys import sound_hash, sounds
from catalog.words.spelling import split

# Programs of one transaction.
BATCH = 500
# Nobody types a longer word; an index entry has to fit on a page.
_LONGEST = 60
_TEXTS = (
    select(
        Program.id,
        Program.title,
        and_(*queries.VISIBLE).label("is_visible"),
        Series.title.label("series"),
        select(func.array_agg(Person.name))
        .select_from(Person)
        .join(ProgramPerson, ProgramPerson.person_id == Person.id)
        .where(ProgramPerson.program_id == Program.id)
        .correlate(Program)
        .scalar_subquery()
        .label("people"),
        select(func.array_agg(Tag.name))
        .select_from(Tag)
        .join(ProgramTag, ProgramTag.tag_id == Tag.id)
        .where(ProgramTag.program_id == Program.id)
        .correlate(Program)
        .scalar_subquery()
        .label("tags"),
    )
    .select_from(Program)
    .outerjoin(Series, Series.id == Program.series_id)
    .where(Program.deleted_at.is_(None))
)
# A row that a writer has locked is left for the next step, instead of waiting in the way of the writer.
_SETTLED = text(
    "DELETE FROM vocabulary_marks m USING ("
    "  SELECT k.program_id FROM vocabulary_marks k "
    "  JOIN unnest(CAST(:ids AS bigint[]), CAST(:seqs AS bigint[])) AS claimed (program_id, seq) "
    "    ON claimed.program_id = k.program_id AND claimed.seq = k.seq "
    "  ORDER BY k.program_id FOR UPDATE OF k SKIP LOCKED) s WHERE m.program_id = s.program_id"
)


class _Counted(NamedTuple):
    """The words of a program, and whether listeners see it."""

    words: set[str]
    is_visible: bool


_NOTHING = _Counted(set(), is_visible=False)


def words(texts: Iterable[str]) -> set[str]:
    """Return the words of some texts in the spelling of comparison, those with an article also without it."""
    found: set[str] = set()
    for part in texts:
        for word in split(part):
            if len(word) <= _LONGEST:
                found.update((word, bare(word)))
    return found


def roll_up(session: Session, batch: int = BATCH) -> int:
    """Work off some marks in the session's transaction; return how many there were.

    Args:
        session: The caller commits.
        batch: How many marks at most.
    """
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(hashtext('vocabulary'))")):
        return 0
    marks = session.execute(
        select(VocabularyMark.program_id, VocabularyMark.seq).order_by(VocabularyMark.seq).limit(batch)
    ).all()
    if not marks:
        return 0
    ids = [mark.program_id for mark in marks]
    now = {
        row.id: _Counted(
            words([row.title, row.series or "", *(row.people or ()), *(row.tags or ())]), row.is_visible
        )
        for row in session.execute(_TEXTS.where(Program.id.in_(ids)))
    }
    rows = session.execute(select(VocabularyProgram).where(VocabularyProgram.program_id.in_(ids))).scalars()
    before = {row.program_id: _Counted(set(row.words), row.is_visible) for row in rows}
    # By whether listeners see the program.
    changes: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for program_id in ids:
        new, old = now.get(program_id, _NOTHING), before.get(program_id, _NOTHING)
        changes[new.is_visible].update(new.words)
        changes[old.is_visible].subtract(old.words)
    _remember(session, ids, now)
    _count(session, changes[True], changes[False])
    session.execute(_SETTLED, {"ids": ids, "seqs": [mark.seq for mark in marks]})
    return len(marks)


def is_any_marked() -> ColumnElement[bool]:
    """Return the condition that there is something for `roll_up`."""
    return select(VocabularyMark.program_id).exists()


def _remember(session: Session, ids: Sequence[int], now: dict[int, _Counted]) -> None:
    session.execute(delete(VocabularyProgram).where(VocabularyProgram.program_id.in_(set(ids) - now.keys())))
    if now:
        row = insert(VocabularyProgram)
        session.execute(
            row.on_conflict_do_update(
                index_elements=["program_id"],
                set_={"words": row.excluded.words, "is_visible": row.excluded.is_visible},
            ),
            [
                {"program_id": program_id, "words": sorted(of.words), "is_visible": of.is_visible}
                for program_id, of in now.items()
            ],
        )


def _count(session: Session, visible: Counter[str], drafts: Counter[str]) -> None:
    """Add to the numbers of words; listeners' words have changed only if the visible ones have.

    Args:
        session: The transaction.
        visible: Word -> in how many more visible programs it is.
        drafts: The same for the programs that listeners do not see.
    """
    changed = sorted(word for word in visible.keys() | drafts.keys() if visible[word] or drafts[word])
    if not changed:
        return
    row = insert(VocabularyWord)
    session.execute(
        row.on_conflict_do_update(
            index_elements=["word"],
            set_={
                "programs": VocabularyWord.programs + row.excluded.programs,
                "drafts": VocabularyWord.drafts + row.excluded.drafts,
            },
        ),
        [
            {
                "word": word,
                "programs": visible[word],
                "drafts": drafts[word],
                "sounds": [sound_hash(key) for key in sounds(word)],
            }
            for word in changed
        ],
    )
    session.execute(delete(VocabularyWord).where(VocabularyWord.programs <= 0, VocabularyWord.drafts <= 0))
    if any(visible.values()):
        session.execute(text("UPDATE vocabulary_state SET version = version + 1"))
