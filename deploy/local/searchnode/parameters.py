"""The parameters of a search, checked."""

from typing import Any

from deploy.local.searchnode.errors import ApiError, unsupported
from deploy.local.searchnode.text.locales import LOCALES

# parameter -> (default, allowed types)
PARAMETERS: dict[str, tuple[Any, tuple[type, ...]]] = {
    "q": (None, (str,)), "offset": (0, (int,)), "limit": (20, (int,)),
    "page": (None, (int,)), "hitsPerPage": (None, (int,)), "filter": (None, (object,)),
    "facets": (None, (list,)), "sort": (None, (list,)), "matchingStrategy": ("last", (str,)),
    "attributesToRetrieve": (["*"], (list,)), "attributesToSearchOn": (None, (list,)),
    "attributesToHighlight": (None, (list,)), "attributesToCrop": (None, (list,)),
    "cropLength": (10, (int,)), "cropMarker": ("…", (str,)), "highlightPreTag": ("<em>", (str,)),
    "highlightPostTag": ("</em>", (str,)), "showMatchesPosition": (False, (bool,)),
    "showRankingScore": (False, (bool,)), "showRankingScoreDetails": (False, (bool,)),
    "rankingScoreThreshold": (None, (int, float)), "distinct": (None, (str,)),
    "locales": (None, (list,)),
}  # fmt: skip
LEFT_OUT = {"vector", "hybrid", "retrieveVectors", "media", "personalize", "showPerformanceDetails"}
NUMERIC = {"offset", "limit", "page", "hitsPerPage", "cropLength"}
LISTED = {"attributesToRetrieve", "attributesToHighlight", "attributesToCrop", "attributesToSearchOn",
          "facets", "sort", "locales"}  # fmt: skip
_LARGEST = 2**64 - 1
FLAGS = {"showRankingScore", "showRankingScoreDetails", "showMatchesPosition"}


def code(name: str) -> str:
    """The error code of a wrong parameter."""
    return "invalid_search_" + "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def check(body: Any) -> dict[str, Any]:
    """The request with its defaults; raises ApiError naming the first wrong parameter."""
    if not isinstance(body, dict):
        raise ApiError("bad_request", "Invalid value type: expected an object.")
    request = {name: default for name, (default, _) in PARAMETERS.items()}
    for name, value in body.items():
        if name in LEFT_OUT:
            # What asks for nothing may be there: clients send it with their defaults.
            if value in (None, False):
                continue
            raise unsupported(f"`{name}`")
        if name not in PARAMETERS:
            raise ApiError("bad_request", f"Unknown field `{name}`.")
        if value is not None:
            request[name] = _checked(name, value)
        elif PARAMETERS[name][0] is not None and name != "attributesToRetrieve":
            raise ApiError(code(name), f"Invalid value type at `.{name}`: found null.")
    return request


def _checked(name: str, value: Any) -> Any:
    allowed: tuple[type[Any], ...]
    allowed = PARAMETERS[name][1]
    right = isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))
    if not right:
        raise ApiError(code(name), f"Invalid value type at `.{name}`.")
    if name in NUMERIC and not 0 <= value <= _LARGEST:
        raise ApiError(code(name), f"Invalid value at `.{name}`: must be a positive integer.")
    if isinstance(value, list) and name != "filter" and not all(isinstance(v, str) for v in value):
        raise ApiError(code(name), f"Invalid value type at `.{name}[0]`: expected a string.")
    if name == "matchingStrategy" and value not in ("last", "all", "frequency"):
        raise ApiError(code(name), "Must be one of last, all, frequency.")
    if name == "locales":
        return _languages(value)
    if name == "rankingScoreThreshold" and not 0 <= value <= 1:
        raise ApiError(code(name), "Must be between 0 and 1.")
    return value


def _languages(names: list[str]) -> list[str]:
    """The three-letter codes. Raises ApiError for one that is unknown."""
    unknown = [name for name in names if name not in LOCALES]
    if unknown:
        raise ApiError(code("locales"), f"Unsupported locale `{unknown[0]}`.")
    return [LOCALES[name] for name in names]


def from_query(query: dict[str, str]) -> dict[str, Any]:
    """The parameters of a GET, as the body of a POST has them. Raises ApiError."""
    body: dict[str, Any] = {}
    for name, text in query.items():
        if name in PARAMETERS:
            # Wrong values are told in the order in which they come.
            body[name] = _checked(name, _read(name, text))
        elif name in LEFT_OUT and text != "false":
            raise unsupported(f"`{name}`")
        elif name not in LEFT_OUT:
            raise ApiError("bad_request", f"Unknown parameter `{name}`.")
    return body


def _read(name: str, text: str) -> Any:
    wrong = ApiError(code(name), f"Invalid value in parameter `{name}`: `{text}`.")
    if name in NUMERIC:
        if not (text.isascii() and text.isdecimal()):
            raise wrong
        return int(text)
    if name in LISTED:
        return text.split(",")
    if name in FLAGS:
        if text not in ("true", "false"):
            raise wrong
        return text == "true"
    if name == "rankingScoreThreshold":
        try:
            return float(text)
        except ValueError:
            raise wrong from None
    return text
