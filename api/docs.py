"""Interactive documentation that needs nothing from the internet."""

import html
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from api.errors import CODES

_FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Thmanyah Discovery API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="ui"></div><script src="/docs/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "/openapi.json", dom_id: "#ui", deepLinking: true, persistAuthorization: true})</script>
</body></html>"""


@cache
def _asset(name: str) -> bytes:
    spec = find_spec("fastapi_swagger")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(name)
    return (Path(spec.origin).parent / "resources" / name).read_bytes()


@get("/docs", include_in_schema=False, media_type=MediaType.HTML, sync_to_thread=False)
def page() -> str:
    """Swagger UI over /openapi.json."""
    return _PAGE


@get("/docs/{name:str}", include_in_schema=False, sync_to_thread=False)
def asset(name: FromPath[str]) -> Response[bytes]:
    """Swagger UI's own files, and the list of error codes."""
    if name == "errors":
        return Response(_errors_page(), media_type=MediaType.HTML)
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


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def schema(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """The OpenAPI document."""
    return Response(request.app.state.openapi(), headers={"Cache-Control": "public, max-age=60"})


@get("/", include_in_schema=False, sync_to_thread=False)
def root() -> Response[None]:
    """The front door leads to the documentation."""
    return Response(None, status_code=302, headers={"Location": "/docs"})


DOCS_ROUTES = [page, asset, schema, root]
