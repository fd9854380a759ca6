"""How pairs of programs that may be the same are found and read. Functions return statements; the caller runs them."""

from sqlalchemy import Select, TextClause, or_, select, text

from catalog.merging.models import MergeProposal

# How far two programs may be apart: the release dates in days, the durations in seconds or as a share of the
# longer one. An episode's audio and video come out days apart, and one may have more advertisements.
MAX_DAYS, MAX_SECONDS, MAX_SHARE = 3, 60, 0.05
# A title with fewer letters, or shared by more programs, does not identify a program: "1", "Trailer".
MIN_TITLE, MAX_SHARED = 4, 20

_FIND = """
WITH fresh AS (
  SELECT p.* FROM import_items i JOIN programs p ON p.id = i.program_id
  WHERE i.run_id = :run AND i.outcome IN ('created', 'updated') AND p.deleted_at IS NULL
    AND p.release_date IS NOT NULL AND length(catalog_fold(p.title)) >= :min_title
)
INSERT INTO merge_proposals (program_id, other_id, reasons)
SELECT least(f.id, o.id), greatest(f.id, o.id), jsonb_build_object(
  'secondsApart', o.apart::bigint, 'durationDiffers', abs(o.duration_sec - f.duration_sec))
FROM fresh f CROSS JOIN LATERAL (
  SELECT s.id, s.duration_sec, abs(extract(epoch FROM s.release_date - f.release_date)) AS apart
  FROM (
    SELECT id, duration_sec, release_date, source_type, external_id FROM programs
    WHERE md5(catalog_fold(title)) = md5(catalog_fold(f.title)) AND deleted_at IS NULL AND id <> f.id
    LIMIT :max_shared
  ) s
  WHERE abs(extract(epoch FROM s.release_date - f.release_date)) <= :max_apart
    AND coalesce(abs(s.duration_sec - f.duration_sec), 0)
        <= greatest(:max_seconds, :max_share * greatest(s.duration_sec, f.duration_sec))
    AND NOT (s.source_type IS NOT DISTINCT FROM f.source_type AND starts_with(s.external_id, :prefix))
  ORDER BY apart, s.id LIMIT 1
) o
ORDER BY 1, 2
ON CONFLICT (program_id, other_id) DO NOTHING
RETURNING id
"""


def propose(run_id: int, namespace: str) -> TextClause:
    """Insert proposals for the programs that a run wrote, and return the ids of the new proposals.

    A program is paired with a program of another source that has the same folded title and a close release date
    and duration. A pair that was proposed before is not proposed again.

    Args:
        run_id: The import run.
        namespace: Of the run; programs with the same source type and namespace are of the same source.
    """
    return text(_FIND).bindparams(
        run=run_id,
        prefix=f"{namespace}:",
        min_title=MIN_TITLE,
        max_shared=MAX_SHARED,
        max_apart=MAX_DAYS * 86_400,
        max_seconds=MAX_SECONDS,
        max_share=MAX_SHARE,
    )


def proposals(after: int, limit: int, state: str | None) -> Select[MergeProposal]:
    """Return proposals, by id.

    Args:
        after: Only proposals with a higher id.
        limit: How many at most.
        state: Only proposals in this state; None means any.
    """
    query = select(MergeProposal).where(MergeProposal.id > after)
    if state is not None:
        query = query.where(MergeProposal.state == state)
    return query.order_by(MergeProposal.id).limit(limit)


def open_of(program_id: int) -> Select[MergeProposal]:
    """Return the open proposals that name the program."""
    return select(MergeProposal).where(
        MergeProposal.state == "open",
        or_(MergeProposal.program_id == program_id, MergeProposal.other_id == program_id),
    )
