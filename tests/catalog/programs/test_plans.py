"""Every index earns its place: its query's plan on 50,000 rows names it, and scans no table."""

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Connection, NullPool, create_engine, text
from sqlalchemy import Engine as Database

from catalog.programs.around import related, trends
from catalog.programs.around.draw import draw
from catalog.programs.around.subjects import subjects
from catalog.programs.fallback import statements
from catalog.programs.fallback import words as query_words
from catalog.programs.listing import statements as listing
from catalog.programs.listing.filters import EditorFilter, Period, conditions
from catalog.programs.listing.orders import Place
from catalog.programs.models import Program
from catalog.taxonomy.models import Person, Series, Tag
from tests.support.databases import new_database

pytestmark = pytest.mark.slow

ROWS = 50_000
LISTED = "status = 'published' AND deleted_at IS NULL"
ORDER = "ORDER BY release_date DESC NULLS LAST, id DESC LIMIT 20"

PLANNED = "programs_planned_order_idx"
# From 2020 on, without an end that matters.
MONTH = Period(after=1_577_836_800, before=32_503_680_000)

QUERIES = {
    "programs_status_release_date_idx": "SELECT * FROM programs WHERE status = 'published' ORDER BY release_date DESC LIMIT 20",
    "programs_category_release_date_idx": f"SELECT * FROM programs WHERE category_id = 3 AND {LISTED} {ORDER}",
    "programs_language_release_date_idx": f"SELECT * FROM programs WHERE language = 'fr' AND {LISTED} {ORDER}",
    "programs_media_type_release_date_idx": f"SELECT * FROM programs WHERE media_type = 'video' AND {LISTED} {ORDER}",
    "programs_kind_release_date_idx": f"SELECT * FROM programs WHERE kind = 'trailer' AND {LISTED} {ORDER}",
    "programs_series_order_idx": "SELECT * FROM programs WHERE series_id = 7 AND deleted_at IS NULL ORDER BY season NULLS FIRST, episode NULLS FIRST, id LIMIT 20",
    "programs_featured_release_date_idx": f"SELECT * FROM programs WHERE is_featured AND {LISTED} {ORDER}",
    "programs_view_count_idx": f"SELECT id FROM programs WHERE {LISTED} ORDER BY view_count DESC, id LIMIT 100",
    "programs_duration_sec_idx": f"SELECT * FROM programs WHERE {LISTED} AND duration_sec BETWEEN 100 AND 110 ORDER BY duration_sec, id LIMIT 20",
    "programs_published_at_idx": f"SELECT * FROM programs WHERE {LISTED} ORDER BY published_at DESC, id LIMIT 20",
    "programs_published_id_idx": f"SELECT id FROM programs WHERE {LISTED} AND id > 100000 ORDER BY id LIMIT 5000",
    "programs_bucket_idx": f"SELECT id, rev FROM programs WHERE {LISTED} AND id % 256 BETWEEN 17 AND 18",
    "programs_scheduled_publish_at_idx": "SELECT id FROM programs WHERE status = 'scheduled' AND deleted_at IS NULL AND scheduled_publish_at <= now()",
    "programs_expire_at_idx": f"SELECT id FROM programs WHERE {LISTED} AND expire_at IS NOT NULL AND expire_at <= now()",
    "programs_updated_at_idx": "SELECT * FROM programs WHERE deleted_at IS NULL ORDER BY updated_at DESC, id DESC LIMIT 20",
    "programs_status_updated_at_idx": "SELECT * FROM programs WHERE status = 'in_review' AND deleted_at IS NULL ORDER BY updated_at DESC, id DESC LIMIT 20",
    "programs_created_at_idx": "SELECT * FROM programs WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 20",
    "programs_category_id_idx": "SELECT id FROM programs WHERE category_id = 17",
    "programs_deleted_at_idx": "SELECT id FROM programs WHERE deleted_at IS NOT NULL AND deleted_at < now() - interval '30 days'",
    "programs_title_trgm_idx": "SELECT id FROM programs WHERE catalog_fold(title) LIKE '%' || catalog_fold('الحكاية ١٢٣٤٥') || '%'",
    "programs_folded_title_idx": "SELECT id FROM programs WHERE md5(catalog_fold(title)) = md5(catalog_fold('الحكاية ٧')) AND deleted_at IS NULL",
    "programs_words_idx": f"SELECT id FROM programs WHERE {LISTED} AND catalog_words(title, description) @@ to_tsquery('simple', catalog_fold('١٢٣٤:*'))",
    "programs_language_idx": "SELECT id FROM programs WHERE language = 'ur' AND deleted_at IS NULL",
    "programs_kind_idx": "SELECT id FROM programs WHERE kind = 'short' AND deleted_at IS NULL",
    "programs_media_type_idx": "SELECT count(*) FROM programs WHERE media_type = 'video' AND deleted_at IS NULL",
    "programs_featured_idx": "SELECT id FROM programs WHERE is_featured AND deleted_at IS NULL",
    "programs_title_order_idx": "SELECT * FROM programs WHERE deleted_at IS NULL ORDER BY catalog_fold(left(title, 60)), id LIMIT 20",
    "programs_release_order_idx": "SELECT * FROM programs WHERE deleted_at IS NULL ORDER BY coalesce(release_date, '-infinity'::timestamptz) DESC, id DESC LIMIT 20",
    "programs_published_order_idx": "SELECT * FROM programs WHERE deleted_at IS NULL ORDER BY coalesce(published_at, '-infinity'::timestamptz), id LIMIT 20",
    "programs_planned_order_idx": "SELECT id FROM programs WHERE deleted_at IS NULL AND scheduled_publish_at BETWEEN now() AND now() + interval '1 hour'",
    "programs_expires_idx": "SELECT id FROM programs WHERE deleted_at IS NULL AND status IN ('scheduled', 'published') AND expire_at BETWEEN now() AND now() + interval '1 hour'",
    "programs_views_order_idx": "SELECT * FROM programs WHERE deleted_at IS NULL ORDER BY view_count DESC, id DESC LIMIT 20",
    "program_revisions_actor_idx": "SELECT program_id FROM program_revisions WHERE actor = 'account:7'",
    "series_title_trgm_idx": "SELECT id FROM series WHERE catalog_fold(title) ~ '(^|[^[:alnum:]])(قهوه|القهوه)'",
    "people_name_trgm_idx": "SELECT id FROM people WHERE catalog_fold(name) ~ '(^|[^[:alnum:]])(q123|الq123)'",
    "tags_name_trgm_idx": "SELECT id FROM tags WHERE catalog_fold(name) = catalog_fold('T7')",
    "programs_slug_key": "SELECT * FROM programs WHERE slug = 'p77'",
    "programs_pkey": "SELECT * FROM programs WHERE id = 77",
    "programs_source_type_external_id_key": "SELECT id FROM programs WHERE source_type = 'rss' AND external_id = 'e77'",
    "program_tags_tag_id_program_id_idx": "SELECT program_id FROM program_tags WHERE tag_id = 5",
    "program_people_person_id_program_id_idx": "SELECT program_id FROM program_people WHERE person_id = 5",
    "program_slugs_pkey": "SELECT program_id FROM program_slugs WHERE slug = 'p77'",
    "index_dirty_claim_idx": "SELECT program_id, rev, seq, marked_at FROM index_dirty WHERE target_id = 2 AND NOT parked ORDER BY seq LIMIT 4000",
    "program_slugs_program_id_idx": "SELECT slug FROM program_slugs WHERE program_id = 77",
}

FILL = [
    "INSERT INTO categories (slug, name_ar, name_en) SELECT 'c' || n, 'ت', 'C' FROM generate_series(1, 50) n",
    "INSERT INTO series (slug, title, language) SELECT 's' || n, 'S', 'en' FROM generate_series(1, 500) n",
    "INSERT INTO tags (slug, name) SELECT 't' || n, 't' || n FROM generate_series(1, 300) n",
    "INSERT INTO people (slug, name) SELECT 'q' || n, 'q' || n FROM generate_series(1, 300) n",
    # Names nobody uses yet: enough of them that reading all of them is not the cheapest.
    "INSERT INTO series (slug, title, language) SELECT 'u' || n, 'U' || n, 'en' FROM generate_series(1, 5000) n",
    "INSERT INTO tags (slug, name) SELECT 'u' || n, 'u' || n FROM generate_series(1, 5000) n",
    "INSERT INTO people (slug, name) SELECT 'u' || n, 'u' || n FROM generate_series(1, 5000) n",
    f"""INSERT INTO programs (slug, title, language, media_type, kind, duration_sec, release_date, category_id, series_id,
         season, episode, is_featured, status, scheduled_publish_at, expire_at, published_at, view_count, source_type,
         external_id, created_at, updated_at, deleted_at)
       SELECT 'p' || n, 'الحكاية ' || n, (ARRAY['ar', 'en', 'ar', 'en', 'fr'])[1 + n % 5], CASE WHEN n % 3 = 0 THEN 'video' ELSE 'audio' END,
         (ARRAY['episode', 'film', 'documentary', 'trailer'])[1 + n % 4], n % 7200, timestamptz '2020-01-01' + n * interval '10 minutes',
         1 + n % 50, 1 + n % 500, 1, n % 40, n % 100 = 0,
         CASE WHEN n % 20 = 0 THEN 'draft' WHEN n % 500 = 1 THEN 'scheduled' WHEN n % 200 = 3 THEN 'in_review' ELSE 'published' END,
         CASE WHEN n % 500 = 1 THEN now() + n * interval '1 second' END, CASE WHEN n % 300 = 7 THEN now() + n * interval '1 second' END,
         timestamptz '2020-01-01' + n * interval '10 minutes', (n * 7919) % 100000, 'rss', 'e' || n,
         timestamptz '2020-01-01' + n * interval '10 minutes', timestamptz '2020-01-01' + n * interval '11 minutes',
         CASE WHEN n % 400 = 9 THEN now() END
       FROM generate_series(1, {ROWS}) n""",
    "INSERT INTO program_slugs (slug, program_id) SELECT slug, id FROM programs",
    "INSERT INTO program_tags (program_id, tag_id) SELECT id, 1 + id % 300 FROM programs",
    "INSERT INTO program_people (program_id, person_id, role) SELECT id, 1 + id % 300, 'host' FROM programs",
    "INSERT INTO program_revisions (program_id, rev, action, actor, snapshot) SELECT id, 1, 'create', 'account:' || id % 500, '{}' FROM programs",
    "INSERT INTO changed_programs (program_id) SELECT id FROM programs WHERE id % 1000 = 5",
    """INSERT INTO program_trends (program_id, day, week, viewed_at)
       SELECT id, random() * 40, random() * 40, now() - random() * interval '30 hours' FROM programs WHERE id % 2 = 0""",
    # A rebuild has marked everything; the live index waits for little.
    "DELETE FROM index_dirty",
    "INSERT INTO index_dirty (target_id, program_id, rev) SELECT 2, id, rev FROM programs",
    "INSERT INTO index_dirty (target_id, program_id, rev) SELECT 1, id, rev FROM programs WHERE id <= 50",
]

# Indexes of programs that hold no rule, with the statements that make them.
SECONDARY = """SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = 'programs'::regclass AND NOT indisunique"""


@pytest.fixture(scope="module")
def large() -> Iterator[Database]:
    """One catalogue of 50,000 programs for all tests of this module."""
    with new_database(os.environ["TEST_POSTGRES"]) as url:
        engine = create_engine(url, poolclass=NullPool)
        with engine.begin() as filling:
            # No triggers, no foreign keys' checks, and indexes made at the end: a third of the time.
            filling.execute(text("SET session_replication_role = replica"))
            indexes = filling.execute(text(SECONDARY)).all()
            for name, _ in indexes:
                filling.execute(text(f"DROP INDEX {name}"))
            for statement in FILL:
                filling.execute(text(statement))
            for _, definition in indexes:
                filling.execute(text(definition))
            filling.execute(text("ANALYZE"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as vacuuming:
            vacuuming.execute(text("VACUUM ANALYZE programs"))
            vacuuming.close()
        yield engine
        engine.dispose()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def plan(connection: Connection, statement: str, parameters: Any = None) -> list[dict[str, Any]]:
    """The steps PostgreSQL would take."""
    if parameters is None:
        statement = statement.replace("%", "%%")
    explained = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
    found = explained.scalar_one()
    found = found if isinstance(found, list) else json.loads(str(found))
    return list(nodes(found[0]["Plan"]))


@pytest.mark.parametrize("index", QUERIES)
def test_the_index_serves_its_query(large: Database, index: str) -> None:
    with large.connect() as connection:
        steps = plan(connection, QUERIES[index])
    assert index in [step.get("Index Name") for step in steps], QUERIES[index]
    assert "Seq Scan" not in [step["Node Type"] for step in steps]


@pytest.mark.parametrize("typos", [False, True])
def test_a_search_without_an_engine_reads_what_has_its_words(large: Database, typos: bool) -> None:
    words = query_words.split("حكاية ١٢٣٤٥")
    statement = statements.search(words, [], None, (0, 20), 10_000, typos=typos)
    with large.connect() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        compiled = statement.compile(connection)
        steps = plan(connection, str(compiled), compiled.params)
        ids, total = connection.execute(statement).one()
        expected = set(
            connection.scalars(
                text(
                    f"SELECT id FROM programs WHERE {LISTED} AND (expire_at IS NULL OR expire_at > now()) "
                    "AND title LIKE 'الحكاية 12345%'"
                )
            )
        )
    assert "Seq Scan" not in [step["Node Type"] for step in steps]
    # Only rows that have both words are read, whatever one word alone has.
    assert "BitmapAnd" in [step["Node Type"] for step in steps]
    named = {step.get("Index Name") for step in steps}
    names = {"series_title_trgm_idx", "people_name_trgm_idx", "tags_name_trgm_idx"}
    assert {"programs_words_idx", *({"programs_title_trgm_idx"} if typos else names)} <= named
    assert expected <= set(ids)
    assert total == len(expected) or typos


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (subjects(Series, Series.slug == "s7", counted=True), "programs_series_order_idx"),
        (subjects(Person, Person.slug == "q7", counted=True), "program_people_person_id_program_id_idx"),
        (subjects(Tag, Tag.slug.in_(["t7", "t8"])), "program_tags_tag_id_program_id_idx"),
    ],
)
def test_a_series_a_person_and_a_tag_are_read_by_indexes(large: Database, statement: Any, index: str) -> None:
    with large.connect() as connection:
        compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})
        steps = plan(connection, str(compiled), compiled.params)
        assert len(connection.execute(statement).all()) >= 1
    assert index in [step.get("Index Name") for step in steps]
    # The few categories may be read whole.
    scanned = {step["Relation Name"] for step in steps if step["Node Type"] == "Seq Scan"}
    assert scanned <= {"categories"}


def test_what_is_related_without_an_engine_reads_indexes(large: Database) -> None:
    statement = related.related_to(77, 2, 24)
    with large.connect() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        compiled = statement.compile(connection)
        steps = plan(connection, str(compiled), compiled.params)
        ids = {row.id for row in connection.execute(statement)}
    assert "Seq Scan" not in [step["Node Type"] for step in steps if step.get("Relation Name") == "programs"]
    assert "programs_series_order_idx" in [step.get("Index Name") for step in steps]
    # Two neighbours on each side, and 24 of a person, of a tag and of a category; here some of them are the same.
    assert 4 < len(ids) <= 4 + 3 * 24
    assert 77 not in ids


@pytest.mark.parametrize(
    ("window", "languages", "category"), [("24h", (), None), ("7d", ("ar", "en"), None), ("24h", (), "c7")]
)
def test_what_is_viewed_lately_is_read_in_the_order_of_an_index(
    large: Database, window: str, languages: tuple[str, ...], category: str | None
) -> None:
    statement = trends.trending(trends.WINDOWS[window], languages, category, 12)
    with large.connect() as connection:
        compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})
        steps = plan(connection, str(compiled), compiled.params)
        found = connection.execute(statement).all()
    assert f"program_trends_{trends.WINDOWS[window].sum}_idx" in [step.get("Index Name") for step in steps]
    assert "Seq Scan" not in [step["Node Type"] for step in steps if step.get("Relation Name") == "programs"]
    assert len(found) == 12


@pytest.mark.parametrize(
    ("conditions", "most"),
    [
        ((), 100),
        ((Program.kind == "film", Program.language == "ar"), 1_100),
        ((Program.duration_sec == 7_001,), 1_200),
    ],
)
def test_a_program_by_chance_is_found_by_reading_few_rows(
    large: Database, conditions: Sequence[ColumnElement[bool]], most: int
) -> None:
    with large.connect() as connection:
        compiled = draw(conditions).compile(connection)
        text_of = f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}"
        explained = connection.exec_driver_sql(text_of, compiled.params).scalar_one()
        read = [
            step
            for step in nodes(explained[0]["Plan"])
            if step.get("Relation Name") == "programs" and step["Actual Loops"]
        ]
        assert len(connection.execute(draw(conditions)).all()) == 1
    assert "Seq Scan" not in [step["Node Type"] for step in read]
    assert sum(step["Actual Loops"] * max(1, step["Actual Rows"]) for step in read) < most


@pytest.mark.parametrize("sort", ["-updatedAt", "title", "-releaseDate", "viewCount"])
@pytest.mark.parametrize(
    "chosen",
    [
        EditorFilter(status=("in_review", "archived")),
        EditorFilter(series_id=(7, 8)),
        EditorFilter(category_id=(7,)),
        EditorFilter(language=("ur",)),
        EditorFilter(kind=("short",)),
        EditorFilter(tag=("T7",)),
        EditorFilter(person=("q7", "q8")),
        EditorFilter(title="الحكاية ١٢٣٤٥"),
        EditorFilter(created=Period(after=1_590_000_000, before=1_590_010_000)),
        EditorFilter(released=Period(before=1_577_900_000)),
        EditorFilter(planned=Period(after=0)),
        EditorFilter(created_by="account:7"),
        EditorFilter(edited_by="account:7"),
        EditorFilter(changed=True),
        EditorFilter(pending=True),
        EditorFilter(searchable=False),
        EditorFilter(trashed=True),
    ],
    ids=str,
)
def test_a_list_of_editors_reads_what_its_filter_chooses(
    large: Database, chosen: EditorFilter, sort: str
) -> None:
    chosen_names = [
        name for name in chosen.__slots__ if getattr(chosen, name) != getattr(EditorFilter(), name)
    ]
    statement = listing.page(conditions(chosen), sort, None, 21)
    with large.connect() as connection:
        compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})
        steps = plan(connection, str(compiled), compiled.params)
        rows = connection.execute(statement).all()
    # Few categories, pending revisions and targets may be read whole.
    assert not [s for s in steps if s["Node Type"] == "Seq Scan" and s["Relation Name"] == "programs"]
    assert rows or chosen_names[0] in ("language", "kind", "pending")


@pytest.mark.parametrize(
    ("chosen", "sort", "index"),
    [
        (EditorFilter(status=("scheduled", "published"), expiring=MONTH), "expireAt", "programs_expires_idx"),
        (EditorFilter(status=("scheduled", "in_review"), planned=MONTH), "scheduledPublishAt", PLANNED),
    ],
)
def test_the_calendar_reads_its_days_in_the_order_of_an_index(
    large: Database, chosen: EditorFilter, sort: str, index: str
) -> None:
    after = Place("2020-01-01T00:00:00+00:00", 7)
    for place in (None, after):
        statement = listing.page(conditions(chosen), sort, place, 51, valued=chosen.gives_values(sort))
        with large.connect() as connection:
            # Of few rows a sort is the cheapest.
            connection.execute(text("SET LOCAL enable_sort = off"))
            compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})
            steps = plan(connection, str(compiled), compiled.params)
            rows = connection.execute(statement).mappings().all()
        assert index in [step.get("Index Name") for step in steps]
        # No sort of all that the period has, for each page again.
        keys = [str(s["Sort Key"]) for s in steps if s["Node Type"] == "Sort"]
        assert not [key for key in keys if "programs." in key], keys
        assert len(rows) == 51


@pytest.mark.parametrize("sort", [None, "-updatedAt"])
def test_a_search_of_editors_reads_what_has_its_words(large: Database, sort: str | None) -> None:
    words = query_words.split("حكاية ١٢٣٤٥")
    wanted = [*conditions(EditorFilter(status=("draft", "published"))), listing.having(words)]
    statement = listing.page(wanted, sort, None, 21) if sort else listing.ranked(words, wanted, None, 21)
    with large.connect() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})
        steps = plan(connection, str(compiled), compiled.params)
        found = connection.execute(statement).all()
    assert not [s for s in steps if s["Node Type"] == "Seq Scan" and s.get("Relation Name") == "programs"]
    assert {"programs_words_idx"} <= {step.get("Index Name") for step in steps}
    assert 12345 in [row.id for row in found]


def test_every_index_of_programs_is_justified(large: Database) -> None:
    with large.connect() as connection:
        found = set(connection.scalars(text("SELECT indexname FROM pg_indexes WHERE tablename = 'programs'")))
    assert found == {name for name in QUERIES if name.startswith("programs_")}
    assert len(found) >= 15
