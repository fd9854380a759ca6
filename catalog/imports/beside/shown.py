"""The statement that reads chapters and transcripts of programs that listeners may see."""

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from catalog.imports.models import ImportedProgram, ProgramChapter
from catalog.programs.models import Program
from catalog.programs.queries import IDS, VISIBLE

_CHAPTERS = (
    select(
        func.jsonb_agg(
            aggregate_order_by(
                func.jsonb_build_array(ProgramChapter.start_sec, ProgramChapter.title),
                ProgramChapter.position,
            )
        )
    )
    .where(ProgramChapter.program_id == Program.id)
    .correlate(Program)
    .scalar_subquery()
)
# Of the visible programs among `:ids`: the links that their source names, and their chapters as [seconds, title], or NULL.
BESIDE = (
    select(Program.id, ImportedProgram.extra, _CHAPTERS.label("chapters"))
    .join(ImportedProgram, ImportedProgram.program_id == Program.id)
    .where(Program.id == IDS, *VISIBLE)
)
