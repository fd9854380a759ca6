"""JSON values as types: what documents, settings, requests and tasks are made of. Every room uses it."""

from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
JsonObject: TypeAlias = dict[str, Json]
# A document as the sender sent it: a JSON object with any attributes.
Document: TypeAlias = JsonObject
