"""The templates, as the framework's template engine, and the headers of the documents that they make."""

from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template import TemplateConfig

from api.answers.answer import MEDIA, Media
from api.answers.encodings import Header
from api.web.rendering import static
from api.web.rendering.art import art

# No inline script or style, nothing from elsewhere. Pictures and media are where the publishers of programs keep them.
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    b"manifest-src 'self'; img-src 'self' http: https:; media-src 'self' http: https:; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HTML_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", _POLICY),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
HTML = Media("html", HTML_HEADERS, compressed=True)
MEDIA[HTML.name] = HTML


def template_config() -> TemplateConfig[JinjaTemplateEngine]:
    """Return the template engine of the pages. A name that a template does not know is an error."""
    environment = Environment(
        loader=FileSystemLoader(Path(str(files("api.web"))) / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"static": static.address, "art": art}
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment))
