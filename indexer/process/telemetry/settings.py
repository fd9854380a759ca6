"""OpenTelemetry's own variables, as far as the product looks at them. Its SDK reads them, and its others, by itself."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from catalog.core.settings import FROM_ENVIRONMENT

_PROTOCOL = "http/protobuf"
_QUEUE, _MAX_QUEUE = 2048, 1_000_000


class TracingSettings(BaseSettings):
    """Read from the environment, one variable for each field. A wrong value never keeps a process from starting."""

    model_config = FROM_ENVIRONMENT

    endpoint: str = Field(
        default="",
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Address of an OpenTelemetry collector, such as `http://collector:4318`; setting it turns traces on.",
    )
    traces_endpoint: str = Field(
        default="",
        validation_alias="OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        description="The same for traces alone, with its path: `http://collector:4318/v1/traces`.",
    )
    exporter: str = Field(
        default="",
        validation_alias="OTEL_TRACES_EXPORTER",
        description="`otlp` turns traces on, to `http://localhost:4318` without an address; `none` turns them off.",
    )
    disabled: str = Field(
        default="false",
        validation_alias="OTEL_SDK_DISABLED",
        description="`true` turns traces off, whatever else is set.",
    )
    protocol: str = Field(
        default=_PROTOCOL,
        validation_alias="OTEL_EXPORTER_OTLP_PROTOCOL",
        description="With another protocol than `http/protobuf` there are no traces; the log says so.",
    )
    headers: str = Field(
        default="",
        validation_alias="OTEL_EXPORTER_OTLP_HEADERS",
        description="Headers for the collector, such as `authorization=Bearer%20…`, separated by commas.",
        repr=False,
    )
    service: str = Field(
        default="",
        validation_alias="OTEL_SERVICE_NAME",
        description="Name of the service. Unset: `thmanyah-` and the command, such as `thmanyah-api`.",
    )
    resource: str = Field(
        default="",
        validation_alias="OTEL_RESOURCE_ATTRIBUTES",
        description="What else the spans of a process say of it: `deployment.environment.name=production,…`.",
    )
    sampler: str = Field(
        default="parentbased_always_on",
        validation_alias="OTEL_TRACES_SAMPLER",
        description="Which traces are recorded; `parentbased_traceidratio` takes a part of them.",
    )
    sampler_argument: str = Field(
        default="",
        validation_alias="OTEL_TRACES_SAMPLER_ARG",
        description="The part: `0.01` is one in a hundred.",
    )
    queue: int = Field(
        default=_QUEUE,
        validation_alias="OTEL_BSP_MAX_QUEUE_SIZE",
        description="Spans that may wait in a process for their export, from 512 to 1,000,000; further ones are dropped and counted.",
    )

    @field_validator("queue", mode="before")
    @classmethod
    def _fits(cls, given: object) -> object:
        return given if str(given).isdecimal() and 512 <= int(str(given)) <= _MAX_QUEUE else _QUEUE

    @property
    def asked_by(self) -> str:
        """The variable that asks for traces; "" when none does."""
        if self.disabled.strip().lower() == "true" or self.exporter.strip() == "none":
            return ""
        if self.exporter.strip():
            return "OTEL_TRACES_EXPORTER"
        if self.traces_endpoint:
            return "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
        return "OTEL_EXPORTER_OTLP_ENDPOINT" if self.endpoint else ""

    @property
    def unusable(self) -> str:
        """Why there can be no traces with these values; "" when nothing is wrong."""
        if self.exporter.strip() not in ("", "otlp"):
            return f"OTEL_TRACES_EXPORTER can be otlp or none, not {self.exporter[:40]}"
        if self.protocol.strip() not in ("", _PROTOCOL):
            return f"OTEL_EXPORTER_OTLP_PROTOCOL can be {_PROTOCOL} alone, not {self.protocol[:40]}"
        return ""
