"""The layers keep few arrows between their rooms, so that a reader of one room has few others to know."""

import re
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]


def _room(module: str) -> str:
    """Return the room of a module: a folder of its layer, or the module itself when it lies loose in the layer."""
    return ".".join(module.split(".")[:2])


@pytest.mark.parametrize(("layer", "most"), [("api", 30), ("indexer", 20)])
def test_rooms_have_few_arrows_between_them(layer: str, most: int) -> None:
    graph = grimp.build_graph(layer)
    arrows = {
        (_room(module), _room(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }
    between = sorted((a, b) for a, b in arrows if a != b)
    assert len(between) <= most, between


def test_what_two_tests_share_is_in_support() -> None:
    taken = re.compile(r"^from (tests\.(?!support\b)[\w.]*\btest_\w+) import", re.MULTILINE)
    found = {str(path): taken.findall(path.read_text()) for path in sorted((ROOT / "tests").rglob("*.py"))}
    assert {path: names for path, names in found.items() if names} == {}
