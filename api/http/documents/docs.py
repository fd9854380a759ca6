"""The documentation at /docs and /docs/errors. Its pages load nothing from other hosts."""

import base64
import hashlib
import html
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from litestar import MediaType, Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from api.http.errors import CODES

_FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
# Swagger UI needs styles in attributes and images in data: URLs; its only inline script is named by its hash.
_START = (
    'SwaggerUIBundle({url: "/openapi.json", dom_id: "#ui", deepLinking: true, persistAuthorization: true})'
)
_START_HASH = base64.b64encode(hashlib.sha256(_START.encode()).digest()).decode()
_POLICY = {
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; img-src 'self' data:; "
    f"style-src 'self' 'unsafe-inline'; script-src 'self' 'sha256-{_START_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
_PAGE = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Thmanyah Discovery API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="ui"></div><script src="/docs/swagger-ui-bundle.js"></script>
<script>{_START}</script>
</body></html>"""


@cache  # of the names in _FILES alone
def _asset(name: str) -> bytes:
    spec = find_spec("fastapi_swagger")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(name)
    return (Path(spec.origin).parent / "resources" / name).read_bytes()


@get("/docs", include_in_schema=False, media_type=MediaType.HTML, sync_to_thread=False)
def page() -> Response[str]:
    """Return the page of Swagger UI, which shows /openapi.json."""
    return Response(_PAGE, media_type=MediaType.HTML, headers=_POLICY)


@get("/docs/{name:str}", include_in_schema=False, sync_to_thread=False)
def asset(name: FromPath[str]) -> Response[bytes]:
    """Return a file of Swagger UI, or the page with the error codes.

    Raises:
        NotFoundException: There is no such page.
    """
    if name == "errors":
        return Response(_errors_page(), media_type=MediaType.HTML, headers=_POLICY)
    if name not in _FILES:
        raise NotFoundException
    headers = {"Cache-Control": "public, max-age=86400"}
    return Response(_asset(name), media_type=_FILES[name], headers=headers)


def _errors_page() -> bytes:
    rows = "".join(
        f'<tr id="{code}"><td><code>{code}</code></td><td>{status}</td><td>{html.escape(title)}</td></tr>'
        for code, (status, title) in CODES.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Error codes</title>'
        "<style>body{font:16px system-ui;margin:2rem auto;max-width:50rem;padding:0 1rem}"
        "td{padding:.3rem 1rem .3rem 0}:target{background:#ffd}</style></head><body><h1>Error codes</h1>"
        f"<table>{rows}</table></body></html>"
    ).encode()


def docs_routes() -> list[HTTPRouteHandler]:
    """Return the routes of the pages of the documentation."""
    return [page, asset]
