"""The rules for source files: their length, how many lie in a folder, and what their text may hold.

`docs/style.md` gives the reasons. A file that breaks a rule for a good reason is listed here with the reason.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "indexer", "catalog", "deploy", "migrations")
MAX_LINES = 300
# Tests of one subject read from top to bottom: their tables and helpers stay with them.
MAX_TEST_LINES = 400
MAX_MODULES_IN_A_FOLDER = 10
MAX_ANY = 150
MAX_FORMATTER_SKIPS = 20
# From this many parameters on, a docstring says what each of them means.
MANY_PARAMETERS = 3

# file → why it is longer than MAX_LINES
LONG_FILES: dict[str, str] = {}
# folder → why it holds more than MAX_MODULES_IN_A_FOLDER modules
CROWDED_FOLDERS = {
    "api/http": "one small module for each thing that every group of routes shares",
    "migrations/versions": "one file for each step of the schema; released files never move",
}
# Packages whose public functions with many parameters all have an `Args:` section.
DESCRIBED_PACKAGES = (*PACKAGES, "perf")
# Click commands and route handlers: their parameters are described by options, by the OpenAPI document.
DESCRIBED_BY_DECORATOR = {
    "command",
    "group",
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "route",
    "event",
    "head",
}


def _sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_is_longer_than_a_reader_can_keep_in_mind() -> None:
    lengths = {_name(p): len(p.read_text().splitlines()) for p in _sources(*PACKAGES, "tests", "perf")}
    long = {
        name: lines
        for name, lines in lengths.items()
        if lines > (MAX_TEST_LINES if name.startswith("tests/") else MAX_LINES)
    }
    assert {name: lines for name, lines in long.items() if name not in LONG_FILES} == {}
    assert set(LONG_FILES) <= set(long), "listed as long, but not long"


def test_no_folder_holds_more_modules_than_a_reader_can_scan() -> None:
    modules = Counter(_name(p.parent) for p in _sources(*PACKAGES) if not p.name.startswith("__"))
    crowded = {folder for folder, count in modules.items() if count > MAX_MODULES_IN_A_FOLDER}
    assert crowded == set(CROWDED_FOLDERS)


def test_the_formatter_is_rarely_overruled() -> None:
    text = "".join(p.read_text() for p in _sources(*PACKAGES, "tests", "perf") if p != Path(__file__))
    assert len(re.findall(r"#\s*fmt:\s*(?:skip|off)", text)) < MAX_FORMATTER_SKIPS


def test_any_stays_rare() -> None:
    mention = re.compile(r"\bAny\b")
    found = {
        _name(p): sum(map(bool, map(mention.search, p.read_text().splitlines()))) for p in _sources(*PACKAGES)
    }
    worst = sorted(found.items(), key=lambda item: -item[1])[:10]
    assert sum(found.values()) < MAX_ANY, worst


def test_every_suppression_names_its_rule_and_gives_its_reason() -> None:
    suppression = re.compile(r"#\s*(?:noqa|type: ignore)\b(.*)$")
    explained = re.compile(r"(?:: [A-Z]+\d+(?:, [A-Z]+\d+)*|\[[a-z-]+(?:, ?[a-z-]+)*\])\W+\w.{6,}")
    bare = [
        f"{_name(path)}:{number}"
        for path in _sources(*PACKAGES, "perf", "tests")
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (found := suppression.search(line)) and not explained.match(found.group(1))
    ]
    assert bare == []


def _public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions of the module and methods of its classes whose names do not begin with an underscore."""
    for node in tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else [node]
        for found in inside:
            if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef) and not found.name.startswith("_"):
                yield found


def _lower_case_entries(docstring: str) -> Iterator[str]:
    """Entries of `Args:`, `Attributes:` and `Raises:` whose text begins with a small letter."""
    inside = False
    for line in docstring.splitlines():
        if line.strip() in ("Args:", "Attributes:", "Raises:"):
            inside = True
        elif line and not line.startswith(" "):
            inside = False
        elif inside and re.match(r" {4}[*\w.]+: [a-z]", line):
            yield line.strip()


def test_entries_of_docstrings_begin_with_a_capital() -> None:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    small = [
        f"{_name(path)}: {entry}"
        for path in _sources(*PACKAGES, "tests", "perf")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, documented)
        for entry in _lower_case_entries(ast.get_docstring(node) or "")
    ]
    assert small == []


def _described_by_decorator(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    for decorator in function.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
        if name in DESCRIBED_BY_DECORATOR:
            return True
    return False


@pytest.mark.parametrize("package", DESCRIBED_PACKAGES)
def test_functions_with_many_parameters_say_what_each_means(package: str) -> None:
    silent = []
    for path in _sources(package):
        for function in _public_functions(ast.parse(path.read_text())):
            arguments = function.args
            names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
            names = [name for name in names if name not in ("self", "cls")]
            if len(names) < MANY_PARAMETERS or _described_by_decorator(function):
                continue
            described = ast.get_docstring(function) or ""
            if "Args:" not in described:
                silent.append(f"{_name(path)}:{function.lineno} {function.name}")
    assert silent == []
