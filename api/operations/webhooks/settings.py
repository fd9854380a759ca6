"""Settings of webhooks: where messages may be sent, and how long that may take."""

from pydantic import Field
from pydantic_settings import BaseSettings

from catalog.core.settings import FROM_ENVIRONMENT


class WebhookSettings(BaseSettings):
    """Read from the environment; every field has one variable."""

    model_config = FROM_ENVIRONMENT

    ports: str = Field(
        default="443,8443",
        validation_alias="WEBHOOK_PORTS",
        description="Ports that webhooks may connect to, separated by commas.",
    )
    trusted: str = Field(
        default="",
        validation_alias="WEBHOOK_TRUSTED",
        description="Private addresses that webhooks may reach all the same, as exact `address:port` pairs separated by commas.",
    )
    connect_timeout: float = Field(
        default=5,
        gt=0,
        validation_alias="WEBHOOK_CONNECT_TIMEOUT",
        description="Seconds to wait for a connection to an endpoint's server.",
    )
    timeout: float = Field(
        default=15,
        gt=0,
        le=30,
        validation_alias="WEBHOOK_TIMEOUT",
        description="Seconds that an endpoint's server may take for a message, from the connection to its answer.",
    )
