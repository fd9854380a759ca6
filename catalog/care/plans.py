"""How PostgreSQL executes the product's own statements: EXPLAIN (ANALYZE, BUFFERS), with what looks wrong marked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable, text

from catalog.programs import queries
from catalog.programs.fallback import statements
from catalog.programs.fallback import words as query_words
from catalog.programs.listing import statements as listing
from catalog.programs.listing.filters import EditorFilter, Period, conditions

# A sequential scan over fewer rows is the fastest way to read them.
MANY_ROWS = 1_000
# An estimate that is wrong by this factor, over at least so many rows, leads to wrong plans.
WRONG_FACTOR, WRONG_ROWS = 10, 100
_TOTAL = 10_000
# Searches and lists run without sequential scans, as they do when no engine answers.
_WITHOUT_SCANS = frozenset({"search", "typos", "suggest", "browse", "editorial_search"})


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a plan: its depth, what it does, and what is wrong with it (empty: nothing)."""

    depth: int
    said: str
    marks: tuple[str, ...]


def _sample(connection: Connection) -> Mapping[str, Any]:
    row = connection.execute(
        text(
            "SELECT p.id, p.slug, p.title, p.series_id, coalesce(r.actor, '-') AS actor, "
            "coalesce((SELECT t.name FROM tags t JOIN program_tags l ON l.tag_id = t.id "
            "  WHERE l.program_id = p.id LIMIT 1), '-') AS tag, "
            "coalesce((SELECT t.name FROM people t JOIN program_people l ON l.person_id = t.id "
            "  WHERE l.program_id = p.id LIMIT 1), '-') AS person "
            "FROM programs p LEFT JOIN program_revisions r ON r.program_id = p.id AND r.rev = p.rev "
            "WHERE p.status = 'published' ORDER BY p.id LIMIT 1"
        )
    ).one_or_none()
    if row is None:
        absent = {"slug": "-", "title": "حكاية", "actor": "-", "tag": "-", "person": "-"}
        return absent | {"id": 0, "series_id": 0}
    return dict(row._mapping)


Made = tuple[Executable, dict[str, object]]
_Maker = Callable[[Mapping[str, Any], str], Made]


def _editorial(chosen: Callable[[Mapping[str, Any]], EditorFilter], sort: str = "-updatedAt") -> _Maker:
    return lambda row, _: (listing.page(conditions(chosen(row)), sort, None, 50), {})


def _editorial_search(words: Sequence[str]) -> Made:
    wanted = [*conditions(EditorFilter()), listing.having(words)]
    return listing.ranked(words, wanted, None, 21), {}


# Name -> the statement and its parameters, made from the words a person gave, or from a program of the catalogue.
STATEMENTS: dict[str, _Maker] = {
    "lookup": lambda row, _: (queries.VISIBLE_BY_IDS, {"ids": [row["id"]]}),
    "slug": lambda row, _: (queries.VISIBLE_BY_SLUG, {"slug": row["slug"]}),
    "search": lambda row, q: (
        statements.search(query_words.split(q or row["title"]), [], None, (0, 20), _TOTAL),
        {},
    ),
    "typos": lambda row, q: (
        statements.search(query_words.split(q or row["title"]), [], None, (0, 20), _TOTAL, typos=True),
        {},
    ),
    "browse": lambda row, _: (statements.browse([], ("releaseDate", "desc"), None, 21, _TOTAL), {}),
    "suggest": lambda row, q: (statements.suggest_titles(query_words.split(q or row["title"]), 8), {}),
    "series": lambda row, _: (queries.series_programs(row["series_id"] or 0, 0, 20), {}),
    "categories": lambda row, _: (queries.shown_categories(), {}),
    "editorial": _editorial(lambda _: EditorFilter()),
    "editorial_search": lambda row, q: _editorial_search(query_words.split(q or row["title"])),
    "editorial_tag": _editorial(lambda row: EditorFilter(tag=(row["tag"],))),
    "editorial_person": _editorial(lambda row: EditorFilter(person=(row["person"],))),
    "editorial_series": _editorial(lambda row: EditorFilter(series_id=(row["series_id"] or 0,))),
    "editorial_author": _editorial(lambda row: EditorFilter(edited_by=row["actor"])),
    "editorial_changed": _editorial(lambda _: EditorFilter(changed=True)),
    "editorial_unsearchable": _editorial(lambda _: EditorFilter(searchable=False)),
    "editorial_scheduled": _editorial(lambda _: EditorFilter(planned=Period(after=0))),
    "editorial_trash": _editorial(lambda _: EditorFilter(trashed=True), "-deletedAt"),
    "popular": lambda row, _: (queries.popular_ids(100), {}),
}


def explain(connection: Connection, name: str, q: str = "") -> tuple[list[Step], float]:
    """Execute a statement of the product and return its plan.

    Args:
        connection: In a transaction; the statements only read.
        name: A key of STATEMENTS.
        q: The words of a search; without them, the title of a program.

    Returns:
        The steps, and the milliseconds that planning and execution took.
    """
    statement, parameters = STATEMENTS[name](_sample(connection), q)
    compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]  # every statement here is a SELECT
    connection.execute(text("SET LOCAL statement_timeout = 60000"))
    if name in _WITHOUT_SCANS:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
    found = connection.exec_driver_sql(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {compiled}", compiled.construct_params(parameters)
    ).scalar_one()[0]
    return list(_steps(found["Plan"], 0)), found["Planning Time"] + found["Execution Time"]


def _steps(node: Mapping[str, Any], depth: int) -> Iterator[Step]:
    loops = node["Actual Loops"]
    actual = node["Actual Rows"] * loops
    read = actual + node.get("Rows Removed by Filter", 0) * loops
    of = node.get("Index Name") or node.get("Relation Name") or ""
    buffers = node.get("Shared Hit Blocks", 0) + node.get("Shared Read Blocks", 0)
    marks = []
    if node["Node Type"] == "Seq Scan" and read >= MANY_ROWS:
        marks.append(f"sequential scan of {read:.0f} rows")
    planned = node["Plan Rows"] * max(1, loops)
    low, high = sorted((max(1, planned), max(1, actual)))
    # A LIMIT above ends a step early: fewer rows than planned say nothing.
    if actual > planned and high >= WRONG_ROWS and high >= WRONG_FACTOR * low:
        marks.append(f"{planned:.0f} rows were expected, {actual:.0f} came")
    said = (
        f"{node['Node Type']} {of}: {actual:.0f} rows, {node['Actual Total Time'] * max(1, loops):.2f} ms, "
        f"{buffers} buffers"
    )
    yield Step(depth, said, tuple(marks))
    for child in node.get("Plans", ()):
        yield from _steps(child, depth + 1)
