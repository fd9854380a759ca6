"""API keys."""

from typing import Any

from deploy.local.searchnode.web import Call, route


@route("GET", "/keys", "keys.get")
def list_keys(call: Call) -> Any:
    return call.page(call.keys.all(), "api_key")


@route("POST", "/keys", "keys.create", 201)
def create_key(call: Call) -> Any:
    return call.keys.create(call.json())


@route("GET", "/keys/{key:str}", "keys.get")
def get_key(call: Call) -> Any:
    return call.keys.get(call.path["key"])


@route("PATCH", "/keys/{key:str}", "keys.update")
def update_key(call: Call) -> Any:
    return call.keys.update(call.path["key"], call.object())


@route("DELETE", "/keys/{key:str}", "keys.delete", 204)
def delete_key(call: Call) -> Any:
    call.keys.delete(call.path["key"])
