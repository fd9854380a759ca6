"""The parameters of a search: checks them as requests send them. `search.py` and the routes call it."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from deploy.searchnode.errors import ApiError, NotSupported, snake_case
from deploy.searchnode.text.locales import LOCALES
from deploy.searchnode.values import Json, JsonObject


class SearchParameters(msgspec.Struct, frozen=True, rename="camel"):
    """The parameters of a search with their defaults; the names are those of Meilisearch's API."""

    q: str | None = None
    offset: int = 0
    limit: int = 20
    page: int | None = None
    hits_per_page: int | None = None
    # A text or a list, which `filters/` checks.
    filter: object = None
    facets: list[str] | None = None
    sort: list[str] | None = None
    matching_strategy: str = "last"
    attributes_to_retrieve: list[str] = msgspec.field(default_factory=lambda: ["*"])
    attributes_to_search_on: list[str] | None = None
    attributes_to_highlight: list[str] | None = None
    attributes_to_crop: list[str] | None = None
    # In words.
    crop_length: int = 10
    crop_marker: str = "…"
    highlight_pre_tag: str = "<em>"
    highlight_post_tag: str = "</em>"
    show_matches_position: bool = False
    show_ranking_score: bool = False
    show_ranking_score_details: bool = False
    # 0 to 1.
    ranking_score_threshold: float | None = None
    distinct: str | None = None
    # Codes of three letters.
    locales: list[str] | None = None

    @property
    def languages(self) -> tuple[str, ...] | None:
        """The locales as a tuple; None when the request names none."""
        return tuple(self.locales) if self.locales else None


class _Parameter(NamedTuple):
    """What a parameter may be: its types, and whether null stands for the default."""

    types: tuple[type, ...]
    nullable: bool = True


_NUMBER, _TEXT, _LIST, _FLAG = (int,), (str,), (list,), (bool,)
PARAMETERS = {
    "q": _Parameter(_TEXT),
    "offset": _Parameter(_NUMBER, nullable=False),
    "limit": _Parameter(_NUMBER, nullable=False),
    "page": _Parameter(_NUMBER),
    "hitsPerPage": _Parameter(_NUMBER),
    "filter": _Parameter((object,)),
    "facets": _Parameter(_LIST),
    "sort": _Parameter(_LIST),
    "matchingStrategy": _Parameter(_TEXT, nullable=False),
    "attributesToRetrieve": _Parameter(_LIST),
    "attributesToSearchOn": _Parameter(_LIST),
    "attributesToHighlight": _Parameter(_LIST),
    "attributesToCrop": _Parameter(_LIST),
    "cropLength": _Parameter(_NUMBER, nullable=False),
    "cropMarker": _Parameter(_TEXT, nullable=False),
    "highlightPreTag": _Parameter(_TEXT, nullable=False),
    "highlightPostTag": _Parameter(_TEXT, nullable=False),
    "showMatchesPosition": _Parameter(_FLAG, nullable=False),
    "showRankingScore": _Parameter(_FLAG, nullable=False),
    "showRankingScoreDetails": _Parameter(_FLAG, nullable=False),
    "rankingScoreThreshold": _Parameter((int, float)),
    "distinct": _Parameter(_TEXT),
    "locales": _Parameter(_LIST),
}
UNSUPPORTED = {"vector", "hybrid", "retrieveVectors", "media", "personalize", "showPerformanceDetails"}
_LARGEST = 2**64 - 1


def _code(name: str) -> str:
    """Return the error code of a wrong parameter."""
    return f"invalid_search_{snake_case(name)}"


def check(body: Json) -> SearchParameters:
    """Check the body of a search request.

    Raises:
        ApiError: With the code of the first wrong parameter.
        NotSupported: It asks for a feature that the node does not have.
    """
    if not isinstance(body, dict):
        raise ApiError("bad_request", "Invalid value type: expected an object.")
    checked: JsonObject = {}
    for name, value in body.items():
        if name in UNSUPPORTED:
            # Clients send these parameters with their defaults, which ask for nothing.
            if value in (None, False):
                continue
            raise NotSupported(f"`{name}`")
        if name not in PARAMETERS:
            raise ApiError("bad_request", f"Unknown field `{name}`.")
        if value is not None:
            checked[name] = _checked(name, value)
        elif not PARAMETERS[name].nullable:
            raise ApiError(_code(name), f"Invalid value type at `.{name}`: found null.")
    return msgspec.convert(checked, SearchParameters)


def _checked(name: str, value: Json) -> Json:
    types = PARAMETERS[name].types
    if not isinstance(value, types) or (isinstance(value, bool) and types is not _FLAG):
        raise ApiError(_code(name), f"Invalid value type at `.{name}`.")
    if types is _NUMBER and isinstance(value, int) and not 0 <= value <= _LARGEST:
        raise ApiError(_code(name), f"Invalid value at `.{name}`: must be a positive integer.")
    if name == "matchingStrategy" and value not in ("last", "all", "frequency"):
        raise ApiError(_code(name), "Must be one of last, all, frequency.")
    if name == "rankingScoreThreshold" and isinstance(value, int | float) and not 0 <= value <= 1:
        raise ApiError(_code(name), "Must be between 0 and 1.")
    if types is _LIST and isinstance(value, list):
        texts = [text for text in value if isinstance(text, str)]
        if len(texts) < len(value):
            raise ApiError(_code(name), f"Invalid value type at `.{name}[0]`: expected a string.")
        if name == "locales":
            return _languages(texts)
    return value


def _languages(names: list[str]) -> Json:
    """Return the codes of three letters.

    Raises:
        ApiError: A language is unknown.
    """
    unknown = [name for name in names if name not in LOCALES]
    if unknown:
        raise ApiError(_code("locales"), f"Unsupported locale `{unknown[0]}`.")
    return [LOCALES[name] for name in names]


def from_query(query: Mapping[str, str]) -> JsonObject:
    """Return the parameters of a GET as the body of a POST has them.

    Raises:
        ApiError: With the code of the first wrong parameter.
        NotSupported: One asks for a feature that the node does not have.
    """
    body: JsonObject = {}
    for name, text in query.items():
        if name in PARAMETERS:
            # Checked here too, so that the first wrong value is reported, as Meilisearch does.
            body[name] = _checked(name, _read(name, text))
        elif name in UNSUPPORTED and text != "false":
            raise NotSupported(f"`{name}`")
        elif name not in UNSUPPORTED:
            raise ApiError("bad_request", f"Unknown parameter `{name}`.")
    return body


def _read(name: str, text: str) -> Json:
    """Return the value that the text of a query parameter stands for."""
    wrong = ApiError(_code(name), f"Invalid value in parameter `{name}`: `{text}`.")
    types = PARAMETERS[name].types
    if types is _NUMBER:
        if not (text.isascii() and text.isdecimal()):
            raise wrong
        return int(text)
    if types is _LIST:
        return [*text.split(",")]
    if types is _FLAG:
        if text not in ("true", "false"):
            raise wrong
        return text == "true"
    if name == "rankingScoreThreshold":
        try:
            return float(text)
        except ValueError:
            raise wrong from None
    return text
