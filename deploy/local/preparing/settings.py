"""Checks the variables of all processes, so that a wrong one shows once, and not in their logs."""

from typing import cast

from pydantic_settings import BaseSettings

from api.settings import ApiSettings
from catalog.core.settings import CatalogSettings
from indexer.importing.settings import ImportSettings
from indexer.pictures.settings import PictureSettings
from indexer.settings import IndexerSettings

_SETTINGS: tuple[type[BaseSettings], ...] = (
    CatalogSettings,
    IndexerSettings,
    ApiSettings,
    ImportSettings,
    PictureSettings,
)


def check() -> dict[str, str]:
    """Read all settings as the processes will; return those that the stack itself needs, by their variables.

    Raises:
        pydantic.ValidationError: A variable is wrong.
    """
    # An empty one is as good as none, because the stack replaces it.
    read = {settings: settings(_env_ignore_empty=True) for settings in _SETTINGS}
    return {"REDIS_PREFIX": cast("IndexerSettings", read[IndexerSettings]).redis_prefix}
