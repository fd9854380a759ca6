"""Routes of API keys: list, create, read, change, delete."""

from deploy.searchnode.http.call import Call
from deploy.searchnode.http.routing import Route


def list_keys(call: Call) -> object:
    """Answer a page of the keys, the newest first."""
    return call.page(call.keys.all(), "api_key")


def create_key(call: Call) -> object:
    """Create a key and answer it with its secret."""
    return call.keys.create(call.json())


def get_key(call: Call) -> object:
    """Answer a key by its uid or its secret."""
    return call.keys.get(call.path["key"])


def update_key(call: Call) -> object:
    """Change the name or the description of a key."""
    return call.keys.update(call.path["key"], call.json_object())


def delete_key(call: Call) -> object:
    """Delete a key."""
    call.keys.delete(call.path["key"])
    return None


ROUTES = (
    Route("GET", "/keys", "keys.get", list_keys),
    Route("POST", "/keys", "keys.create", create_key, 201),
    Route("GET", "/keys/{key:str}", "keys.get", get_key),
    Route("PATCH", "/keys/{key:str}", "keys.update", update_key),
    Route("DELETE", "/keys/{key:str}", "keys.delete", delete_key, 204),
)
