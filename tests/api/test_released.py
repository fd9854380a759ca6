"""Clients of the last release can use this build: docs/versioning.md."""

import json

import pytest

from tests.support.compatibility import breaking, compact
from tests.support.released import PROMISED, RELEASED, text_of, today

pytestmark = pytest.mark.slow


def test_nothing_that_was_released_is_broken() -> None:
    document = today()
    released, found = json.loads(RELEASED.read_text()), compact(document, PROMISED)
    assert breaking(released, found) == [], "docs/versioning.md says what may change, and how"
    # What is kept is read as it was written, and says what the whole document says.
    assert json.loads(text_of(found)) == found
    paths = {path: item for path, item in document["paths"].items() if path in found["paths"]}
    assert breaking(document | {"paths": paths}, found) == []
