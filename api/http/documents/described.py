"""Query parameters for the OpenAPI document, of routes that read their query strings by hand.

A route names them in `opt["parameters"]`. `api.http.query.QueryString` reads them.
"""

from api.http.query import DEFAULT_LIMIT, MAX_CURSOR, MAX_ID, MAX_LIMIT, MAX_VALUE, MAX_VALUES

# A parameter of the OpenAPI document: JSON.
Parameter = dict[str, object]


def query(name: str, about: str, example: object, **schema: object) -> Parameter:
    """Return a parameter of a query string.

    Args:
        name: Its name.
        about: What it does.
        example: A value; None has no example.
        **schema: The JSON schema of the value.
    """
    found: Parameter = {
        "name": name,
        "in": "query",
        "required": False,
        "description": about,
        "schema": schema,
    }
    return found if example is None else found | {"example": example}


def seconds(name: str, about: str, example: int) -> Parameter:
    """Return a parameter that is a number of seconds.

    Args:
        name: Its name.
        about: What it does.
        example: A value.
    """
    return query(name, about, example, type="integer", minimum=0, maximum=10**7)


def day(name: str, about: str, example: str) -> Parameter:
    """Return a parameter that is a day, or a moment (ISO 8601).

    Args:
        name: Its name.
        about: What it does.
        example: A value.
    """
    return query(name, about, example, type="string")


def zone(default: str) -> Parameter:
    """Return the parameter `tz`; `default` is the zone of a request that names none."""
    about = "The time zone of dates, and of times without an offset."
    return query("tz", about, "Africa/Cairo", type="string", default=default)


def several(name: str, about: str, example: object, **item: object) -> Parameter:
    """Return a parameter that may be repeated.

    Args:
        name: Its name.
        about: What it does.
        example: One value.
        **item: The JSON schema of one value.
    """
    schema = {"type": "array", "maxItems": MAX_VALUES, "items": item}
    about = f"{about} Repeat it, or separate values with commas."
    return query(name, about, [example], **schema) | {"style": "form", "explode": True}


def names(name: str, about: str, example: str) -> Parameter:
    """Return a parameter of names, which may be repeated. A comma in a name is sent with a backslash before it.

    Args:
        name: Its name.
        about: What it does.
        example: One value.
    """
    return several(name, about, example, type="string", maxLength=MAX_VALUE, pattern=r"^([^,\\]|\\,)*$")


def ids(name: str, about: str, example: int) -> Parameter:
    """Return a parameter of ids, which may be repeated.

    Args:
        name: Its name.
        about: What it does.
        example: One value.
    """
    return several(name, about, example, type="integer", minimum=1, maximum=MAX_ID)


def languages() -> Parameter:
    """Return the parameter `language`, which may be repeated."""
    about = "Only these languages."
    return several("language", about, "ar", type="string", maxLength=20, pattern="^[A-Za-z0-9-]*$")


LIMIT = query(
    "limit", "Size of a page.", DEFAULT_LIMIT, type="integer", minimum=1, maximum=MAX_LIMIT, default=20
)
CURSOR = query("cursor", "meta.nextCursor of the page before.", None, type="string", maxLength=MAX_CURSOR)
