"""What Meilisearch does and this node does not: one table, with the reason for each.

Every row is answered with the error `unsupported`; the README has the same table.
"""

import re
from typing import Any, NamedTuple


class LeftOut(NamedTuple):
    """A thing left out. `methods` and `path` are its addresses, `field` what asks for it elsewhere."""

    what: str
    why: str
    methods: str = ""
    path: str = ""
    field: str = ""


TABLE = (
    LeftOut("CSV documents", "the sender speaks JSON and NDJSON", field="Content-Type: text/csv"),
    LeftOut("federated search", "the product has one index", field="federation"),
    LeftOut("batches", "one task is one batch here; tasks tell the same", "GET", "/batches"),
    LeftOut("one batch", "one task is one batch here; tasks tell the same", "GET", "/batches/{batch:str}"),
    LeftOut("tenant tokens", "no tenants share an index; they are refused like any unknown key"),
    LeftOut("embedders and vectors", "the product searches words",
            field="embedders, vector, hybrid, retrieveVectors"),
    LeftOut("similar documents", "needs vectors", "GET POST", "/indexes/{uid:str}/similar"),
    LeftOut("chat", "no language model takes part in the product", "GET POST", "/chats", "chat"),
    LeftOut("foreign keys", "documents are whole", field="foreignKeys"),
    LeftOut("personalization, media, performance details", "not used",
            field="personalize, media, showPerformanceDetails"),
    LeftOut("geographic filters and sorting", "programs have no place",
            field="_geo among filterableAttributes or sortableAttributes"),
    LeftOut("editing documents by function", "the record is PostgreSQL", "POST",
            "/indexes/{uid:str}/documents/edit"),
    LeftOut("`skipCreation`", "the sender replaces documents whole", field="skipCreation"),
    LeftOut("dumps", "the index is made anew from PostgreSQL", "POST", "/dumps"),
    LeftOut("snapshots", "the index is made anew from PostgreSQL", "POST", "/snapshots"),
    LeftOut("webhooks", "the sender asks for its tasks", "GET POST", "/webhooks"),
    LeftOut("network", "one machine", "GET PATCH", "/network"),
    LeftOut("exports", "the index is made anew from PostgreSQL", "POST", "/export"),
    LeftOut("experimental features", "none is used", "GET PATCH", "/experimental-features"),
    LeftOut("metrics", "the product has its own", "GET", "/metrics"),
    LeftOut("changing the log", "set when started", "POST DELETE", "/logs/stream"),
    LeftOut("renaming an index", "two indexes can be swapped", field="rename"),
    LeftOut("compacting", "SQLite reuses the room", "POST", "/indexes/{uid:str}/compact"),
    LeftOut("listing fields", "the settings name them", "POST", "/indexes/{uid:str}/fields"),
)  # fmt: skip


def addresses() -> list[tuple[str, str, str]]:
    """(method, path, what) of every address left out."""
    return [
        (method, row.path, row.what) for row in TABLE for method in row.methods.split()
    ]  # fmt: skip


def row_of(method: str, path: str, body: Any, content_type: str = "") -> LeftOut | None:
    """The row that a request falls under, if any."""
    plain = path.partition("?")[0]
    for row in TABLE:
        pattern = re.sub(r"\{[a-z]+:str\}", "[^/]+", row.path)
        if row.path and method in row.methods.split() and re.fullmatch(pattern, plain):
            return row
        if row.field.startswith("Content-Type: ") and row.field.endswith(content_type or "-"):
            return row
        names = {name.strip() for name in row.field.split(",")}
        if isinstance(body, dict) and any(body.get(name) for name in names if name):
            return row
    return None


def markdown() -> str:
    """The table as the README has it."""
    lines = ["| left out | asked by | because |", "|---|---|---|"]
    for row in TABLE:
        asked = f"`{row.methods} {row.path}`" if row.path else ""
        field = f"`{row.field}`" if row.field else ""
        asked = ", ".join(part for part in (asked, field) if part)
        lines.append(f"| {row.what} | {asked.replace(':str', '')} | {row.why} |")
    return "\n".join(lines)
