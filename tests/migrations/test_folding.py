"""Indexes keep the entries that the first functions computed, so that those of today give the same."""

import psycopg
import pytest

from catalog.schema import migrate
from tests.support.databases import plain

pytestmark = pytest.mark.slow

FIRST_FUNCTIONS = "20261125_01"
# Each character of the Basic Multilingual Plane but NUL and surrogates, alone where the functions have rules for it.
CHARACTERS = [chr(number) for number in (*range(1, 0xD800), *range(0xE000, 0x10000))]
ALONE = [c for c in CHARACTERS if c < "\u0700" or "\u1e00" <= c < "\u2100" or c >= "\ufb00"]
TEXTS = [
    *ALONE,
    *(f"a{c}" for c in ALONE),
    *(" ".join(CHARACTERS[at : at + 100]) for at in range(0, len(CHARACTERS), 100)),
    "",
    "قِصَّةُ الأُمَّةِ ١٢٣ ۴۵۶ إلى مؤسسة شيءٍ ئ آ ٱ ى ی ک ـــ",
    "Ünïcödé Café ﬁ ﻻ Ⅷ half-way to a.b/c_d@e:f",
]


def test_text_is_folded_and_cut_into_words_as_by_the_first_functions(
    database_url: str, empty_url: str
) -> None:
    migrate.upgrade(empty_url, FIRST_FUNCTIONS)
    assert _results(database_url) == _results(empty_url)


def _results(url: str) -> list[tuple[str, str, str]]:
    statement = """
        SELECT value, catalog_fold(value), catalog_words(value, value || ' b')::text
        FROM unnest(%s::text[]) WITH ORDINALITY AS given (value, number) ORDER BY number
    """
    with psycopg.connect(plain(url)) as connection:
        return connection.execute(statement, [TEXTS]).fetchall()
