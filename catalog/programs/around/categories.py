"""How a category is named in an address: by its id or by its slug."""

from sqlalchemy import ScalarSelect, select

from catalog.taxonomy.models import Category

# A text of more digits is no id.
_MAX_DIGITS = 16


def category_id(key: str) -> ScalarSelect[int]:
    """Return the id that stands for a category in a statement; nothing has it when there is no such active category.

    Args:
        key: The id, in digits, or the slug.
    """
    is_id = key.isascii() and key.isdigit() and len(key) <= _MAX_DIGITS
    wanted = Category.id == int(key) if is_id else Category.slug == key
    return select(Category.id).where(wanted, Category.is_active).scalar_subquery()
