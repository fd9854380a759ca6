"""Files of other projects are the released ones, listed with their licence; the pages stay small."""

import gzip

from tests.support import assets

STATIC = assets.ROOT / "api/web/static"


def test_every_file_of_another_project_is_the_listed_one() -> None:
    assert list(assets.differences()) == []


# Files that pages of staff alone load.
OF_STAFF = ("staff", "studio", "board", "follow", "choosing", "palette", "vendor/uPlot")


def test_scripts_and_styles_of_a_page_are_small() -> None:
    """A page may have 60 KB of scripts and 100 KB in all; what a page of results adds is measured in a browser.

    Listeners load nothing of staff, and staff nothing of listeners but the ground rules.
    """
    for of_staff in (False, True):
        scripts, all_files = (
            sum(
                len(gzip.compress(path.read_bytes()))
                for path in STATIC.rglob("*")
                if path.suffix in suffixes
                and path.relative_to(STATIC).as_posix().startswith(OF_STAFF) is of_staff
            )
            for suffixes in ({".js"}, {".js", ".css", ".svg"})
        )
        assert 0 < scripts < 45_000
        assert 0 < all_files < 55_000
