"""How a category is named in an address: by its id or by its slug."""

from sqlalchemy import ScalarSelect, select

from catalog.taxonomy.models import Category

# A text of more digits is no id.
_MAX_DIGITS = 16


def category_id(key: str) -> int | ScalarSelect[int]:
    """Return the id that stands for a category in a statement; nothing has it when there is no such category.

    Args:
        key: The id, in digits, or the slug.
    """
    if key.isascii() and key.isdigit() and len(key) <= _MAX_DIGITS:
        return int(key)
    return select(Category.id).where(Category.slug == key).scalar_subquery()
