"""The orders of lists: what `sort` may say, and what it means for documents."""

from typing import Literal

Order = tuple[str, Literal["asc", "desc"]]
# Value of `sort` -> the field of a document and the direction.
ORDERS: dict[str, Order] = {
    "newest": ("releaseDate", "desc"),
    "oldest": ("releaseDate", "asc"),
    "longest": ("durationSec", "desc"),
    "shortest": ("durationSec", "asc"),
    "popular": ("viewCount", "desc"),
}
SORTS: dict[str, Order | None] = {"relevance": None, **ORDERS}
