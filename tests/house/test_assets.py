"""Files of other projects are the released ones, listed with their licence; the pages stay small."""

import gzip

from tests.support import assets

STATIC = assets.ROOT / "api/web/static"


def test_every_file_of_another_project_is_the_listed_one() -> None:
    assert list(assets.differences()) == []


def test_scripts_and_styles_of_a_page_are_small() -> None:
    """A page may have 60 KB of scripts and 100 KB in all; what a page of results adds is measured in a browser."""
    scripts, all_files = (
        sum(len(gzip.compress(path.read_bytes())) for path in STATIC.rglob("*") if path.suffix in suffixes)
        for suffixes in ({".js"}, {".js", ".css", ".svg"})
    )
    assert scripts < 60_000
    assert all_files < 80_000
