"""Names that no linter follows: functions that jobs call, and dotted paths inside strings."""

import ast
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from rq.utils import import_attribute

from api.operations.webhooks.jobs import deliver, send_queued
from deploy.background import PERIODIC, REGISTERED
from indexer.importing.running.job import run_import
from indexer.rebuild.jobs import audit, rebuild

ROOT = Path(__file__).parents[3]
PACKAGES = ("api", "indexer", "catalog", "deploy")
ENQUEUED = (run_import, rebuild, audit, deliver, send_queued)
DOTTED = re.compile(rf"({'|'.join(PACKAGES)})(\.[A-Za-z_]\w*)+(:\w+)?")


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text())


def enqueued_arguments() -> Iterator[tuple[str, ast.expr]]:
    """The first argument of every call that puts a function into a queue, with where it stands."""
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                of_queue = node.func.attr in ("enqueue", "enqueue_call", "enqueue_in", "enqueue_at")
                if of_queue and "searchnode" not in path.parts:
                    yield f"{path}:{node.lineno}", node.args[0]


@pytest.mark.parametrize("function", [*ENQUEUED, *(entry.function for entry in PERIODIC)])
def test_a_worker_finds_the_function_of_every_job(function: Callable[..., object]) -> None:
    assert import_attribute(f"{function.__module__}.{function.__qualname__}") is function


def test_a_worker_may_run_exactly_the_functions_of_jobs() -> None:
    assert set(REGISTERED) == {*ENQUEUED, *(entry.function for entry in PERIODIC)}


@pytest.mark.slow
def test_every_job_is_enqueued_by_a_reference_to_its_function() -> None:
    found = dict(enqueued_arguments())
    # The import's; the rebuild's and the audit's by one call; those of webhooks by another.
    assert len(found) == 3, found
    assert [where for where, argument in found.items() if not isinstance(argument, ast.Name)] == []


@pytest.mark.slow
def test_every_dotted_name_in_a_string_leads_somewhere() -> None:
    names = {
        node.value: path
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and DOTTED.fullmatch(node.value)
    }
    assert "indexer.sender.cli:sync" in names
    for name, path in names.items():
        module, colon, attribute = name.partition(":")
        try:
            found = getattr(import_module(module), attribute) if colon else import_attribute(name)
        except ValueError:
            found = import_module(name)
        assert found is not None, (name, path)
