"""The OpenAPI document of the last release, as far as its clients are promised something: `make release-contract` writes it.

One line for each path and each schema, so that a release's changes are read in its diff.
"""

import json
from pathlib import Path

from api import openapi
from api.app import routers
from api.settings import ApiSettings, Settings
from catalog.core.settings import CatalogSettings
from indexer.settings import IndexerSettings
from tests.support.compatibility import Json, compact
from tests.support.paths import ROOT

PROMISED = "/discovery/"
RELEASED = ROOT / "tests" / "api" / "released.json"


def today() -> Json:
    """Return the document of this tree."""
    return openapi.document(routers(Settings(CatalogSettings(), IndexerSettings(), ApiSettings())))


def text_of(document: Json) -> str:
    """Return a compact document as text."""

    def lines(values: Json) -> str:
        rows = (f"{json.dumps(name)}: {json.dumps(value, sort_keys=True)}" for name, value in values.items())
        return "{\n" + ",\n".join(rows) + "\n}"

    paths, schemas = lines(document["paths"]), lines(document["components"]["schemas"])
    return f'{{"paths": {paths},\n"components": {{"schemas": {schemas}}}}}\n'


def write(path: Path = RELEASED) -> None:
    """Write today's document as the released one."""
    path.write_text(text_of(compact(today(), PROMISED)))


if __name__ == "__main__":
    write()
