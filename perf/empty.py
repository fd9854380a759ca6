"""An application whose handler does nothing. `perf.bench` compares the product with it."""

from litestar import Litestar, MediaType, get


@get("/", media_type=MediaType.JSON)
async def nothing() -> bytes:
    """Return an empty JSON object."""
    return b"{}"


def app() -> Litestar:
    """Build the application. Granian calls this."""
    return Litestar([nothing], openapi_config=None, logging_config=None)
