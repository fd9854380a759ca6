"""What an editor chooses for an import, as fields of a form: read from it, and filled in again."""

from collections.abc import Mapping

from api.editorial import taxonomy
from api.editorial.taxonomy_schemas import CategoryList, CategoryOut
from api.http.query import MAX_LIMIT
from api.web.signin.asking import ask
from api.web.signin.staff import StaffRequest
from api.web.studio.given import WrongField, listed, number

# The fields of a form, which have the names of the API's options.
FIELDS = (
    *("policy", "language", "mediaType", "kind", "categoryId", "seriesId", "tags", "dayFirst"),
    *("detectMedia", "mapping", "delimiter"),
)
_DAY_FIRST = {"yes": True, "no": False}


async def categories(request: StaffRequest) -> list[CategoryOut]:
    """Return the categories to choose from: all of them."""
    found: list[CategoryOut] = []
    after = 0
    while True:
        page = await ask(request, taxonomy.list_categories, CategoryList, after=after, limit=MAX_LIMIT)
        found += page.data
        if not page.meta.next_cursor:
            return found
        after = found[-1].id


def chosen(form: Mapping[str, str], kept: Mapping[str, object] | None = None) -> dict[str, object]:
    """Return the options that a form chooses, by JSON name.

    Args:
        form: Its fields.
        kept: The options until now: those that the form does not have stay.

    Raises:
        Problem: A field cannot be read.
    """
    found: dict[str, object] = {name: value for name, value in (kept or {}).items() if name not in FIELDS}
    found["policy"] = form.get("policy") or "draft"
    for name in ("language", "mediaType", "kind", "delimiter"):
        if value := form.get(name, "").strip():
            found[name] = value
    for name in ("categoryId", "seriesId"):
        if (value_id := number(form.get(name, ""), f"options.{name}")) is not None:
            found[name] = value_id
    if tags := listed(form.get("tags", "")):
        found["tags"] = tags
    if (day_first := _DAY_FIRST.get(form.get("dayFirst", ""))) is not None:
        found["dayFirst"] = day_first
    if form.get("detectMedia"):
        found["detectMedia"] = True
    if mapping := _mapping(form.get("mapping", "")):
        found["mapping"] = mapping
    return found


def _mapping(text: str) -> dict[str, str]:
    """Return column -> field, of lines such as `Name = title`.

    Raises:
        WrongField: A line has no equals sign.
    """
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        column, sign, target = line.rpartition("=")
        if not sign or not column.strip():
            raise WrongField(
                "options.mapping", "Each line must be a column, =, and a field, such as: Name = title"
            )
        found[column.strip()] = target.strip()
    return found


def filled(options: Mapping[str, object]) -> dict[str, str]:
    """Return options as the fields of a form show them."""
    found = {name: str(value) for name, value in options.items() if isinstance(value, str | int)}
    tags, mapping = options.get("tags"), options.get("mapping")
    if isinstance(tags, list):
        found["tags"] = "، ".join(map(str, tags))
    if isinstance(mapping, Mapping):
        found["mapping"] = "\n".join(f"{column} = {target}" for column, target in mapping.items())
    if "dayFirst" in options:
        found["dayFirst"] = "yes" if options["dayFirst"] else "no"
    return found
