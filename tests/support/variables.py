"""The environment variables of the product: docs/settings.md lists them, and the classes here read them."""

from api.settings import ApiSettings
from catalog.core.settings import CatalogSettings
from indexer.importing.settings import ImportSettings
from indexer.pictures.settings import PictureSettings
from indexer.process.telemetry.settings import TracingSettings
from indexer.settings import IndexerSettings

MODELS = (ApiSettings, CatalogSettings, ImportSettings, IndexerSettings, PictureSettings, TracingSettings)
# What every process needs, because the default is an address on the same machine.
REQUIRED = {"THMANYAH_SECRET_KEY", "DATABASE_URL", "REDIS_CACHE_URL", "REDIS_QUEUE_URL", "MEILI_KEY"}


def known_variables() -> set[str]:
    """Every environment variable that the product reads."""
    return {str(field.validation_alias) for model in MODELS for field in model.model_fields.values()}
