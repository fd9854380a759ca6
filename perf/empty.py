"""An empty handler on the same server: what a measurement is divided by."""

from litestar import Litestar, MediaType, get


@get("/", media_type=MediaType.JSON)
async def nothing() -> bytes:
    """A body of no interest."""
    return b"{}"


def app() -> Litestar:
    """The application."""
    return Litestar([nothing], openapi_config=None, logging_config=None)
