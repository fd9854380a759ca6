"""docs/reliability.md promises a test for every fault: it is there, under that name."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.paths import SHARED

ROOT = Path(__file__).parents[2]


def table() -> dict[str, list[str]]:
    """fault -> the tests that the documentation names."""
    page = (ROOT / "docs" / "reliability.md").read_text()
    section = page.partition("## Every fault and its test")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| (`[^|]+`) \|$", section, re.M)
    return {fault: re.findall(r"`([^`]+)`", tests) for fault, tests in rows}


def defined(path: Path) -> set[str]:
    """Test functions of a file, those in classes as Class::name."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {prefix + n.name for n in inner if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    return found


def test_every_named_test_exists() -> None:
    named = [test for tests in table().values() for test in tests]
    assert len(named) > 30
    for test in named:
        path, _, name = test.partition("::")
        assert name in defined(ROOT / path), test


@pytest.mark.shared
def test_every_fault_of_the_design_is_in_it() -> None:
    listed = (SHARED / "SYNC.md").read_text().partition("## Faults")[2].splitlines()[1]
    faults = [re.sub(r" \(.*\)$", "", fault).strip(" .") for fault in listed.split(" · ")]
    assert len(faults) > 14
    assert set(faults) <= set(table())
