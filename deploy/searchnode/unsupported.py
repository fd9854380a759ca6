"""What Meilisearch does and this node does not: one table, with the reason for each feature.

Every feature is answered with the error code `unsupported`. `http/app.py` makes the routes of the
addresses, README.md has the same table, and the recorded tests read which steps fall under it.
"""

import re
from typing import Literal, NamedTuple

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Feature(NamedTuple):
    """A feature that is not supported.

    `methods` and `path` are its addresses; `fields` the fields of a body, the settings or the header
    that ask for it elsewhere, separated by commas.
    """

    what: str
    why: str
    methods: tuple[Method, ...] = ()
    path: str = ""
    fields: str = ""


_REBUILT = "the index is rebuilt from PostgreSQL"
_ONE_BATCH = "every task is a batch of its own, and tasks say the same"
_CURATED = "editors pin programs in the product"
TABLE = (
    Feature("CSV documents", "the sender uses JSON and NDJSON", fields="Content-Type: text/csv"),
    Feature("federated search", "the product has one index", fields="federation"),
    Feature("batches", _ONE_BATCH, ("GET",), "/batches"),
    Feature("one batch", _ONE_BATCH, ("GET",), "/batches/{batch:str}"),
    Feature("tenant tokens", "no tenants share an index; such tokens are refused like unknown keys"),
    Feature(
        "embedders and vectors",
        "the product searches words",
        fields="embedders, vector, hybrid, retrieveVectors",
    ),
    Feature("similar documents", "they need vectors", ("GET", "POST"), "/indexes/{uid:str}/similar"),
    Feature("chat", "the product uses no language model", ("GET", "POST"), "/chats", "chat"),
    Feature("foreign keys", "every document is complete", fields="foreignKeys"),
    Feature(
        "personalization, media, performance details",
        "the product does not use them",
        fields="personalize, media, showPerformanceDetails",
    ),
    Feature(
        "geographic filters and sorting",
        "programs have no location",
        fields="_geo among filterableAttributes or sortableAttributes",
    ),
    Feature(
        "editing documents by function",
        "documents change in PostgreSQL",
        ("POST",),
        "/indexes/{uid:str}/documents/edit",
    ),
    Feature("`skipCreation`", "the sender replaces whole documents", fields="skipCreation"),
    Feature("dumps", _REBUILT, ("POST",), "/dumps"),
    Feature("snapshots", _REBUILT, ("POST",), "/snapshots"),
    Feature("making webhooks", "the sender asks for the state of its tasks", ("POST",), "/webhooks"),
    Feature("one webhook", "there are none", ("GET", "PATCH", "DELETE"), "/webhooks/{uuid:str}"),
    Feature("search rules", _CURATED, ("POST", "DELETE"), "/dynamic-search-rules"),
    Feature("one search rule", _CURATED, ("GET", "PATCH", "DELETE"), "/dynamic-search-rules/{uid:str}"),
    Feature("rendering templates", "they belong to embedders", ("POST",), "/render-template"),
    Feature("network", "the node is one server", ("GET", "PATCH"), "/network"),
    Feature("exports", _REBUILT, ("POST",), "/export"),
    Feature("experimental features", "the product uses none", ("GET", "PATCH"), "/experimental-features"),
    Feature("metrics", "the product has metrics of its own", ("GET",), "/metrics"),
    Feature("changing the log", "its level is fixed", ("POST", "DELETE"), "/logs/stream"),
    Feature("renaming an index", "two indexes can be swapped", fields="rename"),
    Feature("compacting", "SQLite reuses free space", ("POST",), "/indexes/{uid:str}/compact"),
    Feature("listing fields", "the settings name them", ("POST",), "/indexes/{uid:str}/fields"),
)


def addresses() -> list[tuple[Method, str, str]]:
    """Return (method, path, feature) of every address that is not supported."""
    return [(method, feature.path, feature.what) for feature in TABLE for method in feature.methods]


def feature_of(method: str, path: str, body: object, content_type: str = "") -> Feature | None:
    """Return the unsupported feature that a request asks for; None when it asks for none.

    Args:
        method: The method of the request.
        path: Its path, with or without a query string.
        body: Its body, decoded.
        content_type: The type of the body.
    """
    plain = path.partition("?")[0]
    for feature in TABLE:
        pattern = re.sub(r"\{[a-z]+:str\}", "[^/]+", feature.path)
        if feature.path and method in feature.methods and re.fullmatch(pattern, plain):
            return feature
        if feature.fields.startswith("Content-Type: ") and feature.fields.endswith(content_type or "-"):
            return feature
        names = {name.strip() for name in feature.fields.split(",")}
        if isinstance(body, dict) and any(body.get(name) for name in names if name):
            return feature
    return None


def markdown() -> str:
    """Return the table as README.md has it."""
    lines = ["| not supported | asked for by | because |", "|---|---|---|"]
    for feature in TABLE:
        address = f"`{' '.join(feature.methods)} {feature.path}`" if feature.path else ""
        fields = f"`{feature.fields}`" if feature.fields else ""
        asked_for = ", ".join(part for part in (address, fields) if part)
        lines.append(f"| {feature.what} | {asked_for.replace(':str', '')} | {feature.why} |")
    return "\n".join(lines)
