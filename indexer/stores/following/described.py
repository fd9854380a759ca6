"""A changed program as caches hear of it."""

import msgspec

# A batch of more programs, or of more bytes, is not described: it supersedes every page.
MAX_DESCRIBED, MAX_BYTES = 200, 256 * 1024


class Described(msgspec.Struct, array_like=True, frozen=True):
    """What of a program decides which pages can show it, as it is now. Later versions add fields at the end only.

    Attributes:
        id: The program.
        is_visible: Whether an engine has it; the other fields say nothing when it has not.
        titled: The words of its title.
        others: The words of its other texts.
        begins: The words with which one of its texts or names begins.
        pairs: Words that may follow on each other, as `lemmas.pair` writes them.
        wholes: The names that it has, and its title, as words.
        category_id: These and the following are the values that filters and orders compare.
    """

    id: int
    is_visible: bool = False
    titled: list[str] = []
    others: list[str] = []
    begins: list[str] = []
    pairs: list[int] = []
    wholes: list[str] = []
    category_id: int | None = None
    series_id: int | None = None
    language: str = ""
    media_type: str = ""
    kind: str = ""
    tags: list[str] = []
    people: list[str] = []
    is_featured: bool = False
    duration_sec: int | None = None
    release_date: int | None = None
    view_count: int = 0
