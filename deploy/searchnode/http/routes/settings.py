"""Routes of settings: all at once, and each by an address of its own."""

from collections.abc import Mapping

import msgspec

from deploy.searchnode.errors import ApiError, NotSupported
from deploy.searchnode.http.call import Call
from deploy.searchnode.http.routing import Route
from deploy.searchnode.index import settings_change
from deploy.searchnode.index.settings import DEFAULTS, NAME_BY_PATH, UNSUPPORTED, kebab_case
from deploy.searchnode.values import Json, JsonObject

_UNSUPPORTED_PATHS = {kebab_case(name) for name in UNSUPPORTED}


def get_settings(call: Call) -> object:
    """Answer all settings of an index."""
    return call.index.settings


def _enqueue(call: Call, requested: Json) -> object:
    """Check a change of settings and enqueue it."""
    change = settings_change.validate(requested)
    return call.node.enqueue("settingsUpdate", call.uid, settings_change.task_details(change), change)


def update_settings(call: Call) -> object:
    """Enqueue a change of several settings."""
    return _enqueue(call, call.json())


def reset_settings(call: Call) -> object:
    """Enqueue that all settings take their defaults."""
    reset: JsonObject = dict.fromkeys(DEFAULTS)
    return call.node.enqueue("settingsUpdate", call.uid, settings_change.reset_details(), reset)


def _name(call: Call) -> str:
    """Return the setting that the address names.

    Raises:
        ApiError: There is no such setting.
        NotSupported: The node does not have this setting.
    """
    path = call.path["setting"]
    if path in _UNSUPPORTED_PATHS:
        raise NotSupported(f"the setting `{path}`")
    name = NAME_BY_PATH.get(path)
    if name is None:
        raise ApiError("not_found", f"No setting `{path}`.")
    return name


def get_setting(call: Call) -> object:
    """Answer one setting."""
    name = _name(call)
    settings: Mapping[str, object] = call.index.settings
    value = settings[name]
    # None would be an answer without content.
    return msgspec.Raw(b"null") if value is None else value


def set_setting(call: Call) -> object:
    """Enqueue a change of one setting."""
    return _enqueue(call, {_name(call): call.json()})


def reset_setting(call: Call) -> object:
    """Enqueue that one setting takes its default."""
    reset: JsonObject = {_name(call): None}
    return call.node.enqueue("settingsUpdate", call.uid, reset, reset)


_ALL, _SINGLE = "/indexes/{uid:str}/settings", "/indexes/{uid:str}/settings/{setting:str}"
ROUTES = (
    Route("GET", _ALL, "settings.get", get_settings),
    Route("PATCH", _ALL, "settings.update", update_settings, 202),
    Route("DELETE", _ALL, "settings.update", reset_settings, 202),
    Route("GET", _SINGLE, "settings.get", get_setting),
    Route("PUT", _SINGLE, "settings.update", set_setting, 202),
    Route("PATCH", _SINGLE, "settings.update", set_setting, 202),
    Route("DELETE", _SINGLE, "settings.update", reset_setting, 202),
)
