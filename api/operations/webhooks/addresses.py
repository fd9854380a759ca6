"""Which addresses an endpoint may have. What its name resolves to is checked anew before each message (`sending.py`)."""

from ipaddress import ip_address

from api.operations.webhooks.settings import WebhookSettings
from api.settings import ApiSettings
from catalog.core.errors import FieldError, ValidationFailed
from indexer.importing.errors import FetchError
from indexer.importing.fetching.address import Guard, parse


def require_allowed(settings: ApiSettings, url: str) -> None:
    """Check the address of an endpoint without looking its name up.

    Args:
        settings: Say whether plain HTTP is allowed.
        url: The address.

    Raises:
        ValidationFailed: It has a form that is not sent to, or names a private IP address or another port.
    """
    try:
        _check(url, needs_https=settings.environment == "production")
    except FetchError as error:
        raise ValidationFailed([FieldError("url", error.code, error.detail)]) from None


def _check(url: str, *, needs_https: bool) -> None:
    parts = parse(url)
    if parts.fragment is not None:
        raise FetchError("bad_url", "The address must not have a fragment.")
    if parts.scheme != "https" and needs_https:
        raise FetchError("forbidden_scheme", "Only https addresses are sent to.")
    host = str(parts.host).strip("[]")
    settings = WebhookSettings()
    guard = Guard.of(settings.ports, settings.trusted, lambda *_: [host])
    if _is_ip(host):
        guard.check(url)
    else:
        # What the name stands for is not asked here: it may be a trusted address.
        guard.require_port(parts)


def _is_ip(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
