"""Replays what was tried against the product, on loopback, and says what held: `make attack`, `python -m tests.attack`."""

import ast
import sys
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

_FOLDER = Path(__file__).parent
_REQUESTS = "tests/attack/test_requests.py"
# What was tried -> where. Each file of this folder that is not named here has a row of its own.
ATTACKS: dict[str, tuple[str, ...]] = {
    "pass the limits by headers, by guesses, through proxies": (
        f"{_REQUESTS}::test_no_header_lifts_the_limit_of_an_address",
        f"{_REQUESTS}::test_guesses_are_counted_before_they_cost_a_query",
        f"{_REQUESTS}::test_probes_are_never_limited",
        f"{_REQUESTS}::test_a_proxy_that_is_not_trusted_is_told_to_operators",
    ),
    "hold connections open": (
        "tests/attack/test_connections.py",
        "tests/api/http/limits/test_connections.py",
    ),
    "fill memory with addresses": (
        "tests/api/test_memory.py",
        f"{_REQUESTS}::test_addresses_that_would_fill_memory_are_refused",
    ),
    "share a port with another product": (
        "tests/deploy/test_ports.py::test_of_two_that_start_at_the_same_instant_one_serves",
    ),
    "keep a process from ending": (
        "tests/deploy/test_signals.py::test_a_process_that_hangs_ends_with_its_children_after_the_grace",
    ),
    "learn of hidden series and categories": ("tests/api/discovery/test_hidden_taxonomy.py",),
    "outlive a revocation, guess, take the last admin away": (
        "tests/api/accounts/test_keys.py",
        "tests/api/accounts/test_tokens.py",
        "tests/api/accounts/test_last_admin.py",
    ),
    "run code by a job, take Redis over": (
        f"{_REQUESTS}::test_a_forged_job_runs_nothing",
        "tests/deploy/test_redis_acl.py",
    ),
    "start production with weak secrets, read its metrics": (
        "tests/api/test_settings.py",
        f"{_REQUESTS}::test_production_shows_no_documentation_and_no_metrics",
    ),
    "send bodies and addresses that no route takes": (
        "tests/api/test_bodies.py",
        f"{_REQUESTS}::test_bodies_that_no_route_may_take_are_refused",
    ),
    "count views many times": (f"{_REQUESTS}::test_one_client_is_one_view",),
    "find secrets in logs, act without a trace": ("tests/api/test_logs.py",),
    "hang up within a shared flight": ("tests/api/answers/test_flights.py",),
    "make a process hold what Redis refuses": ("tests/api/answers/test_refused.py",),
    "take the search node's memory away": ("tests/searchnode/test_worker.py",),
    "stop the sender by a bad document or a crash": (
        "tests/indexer/sender/test_failures.py::test_a_sender_that_isolates_a_document_sends_heartbeats",
        "tests/indexer/sender/test_failures.py::test_a_sender_that_crashes_starts_again_after_growing_pauses",
    ),
}


class Outcomes:
    """Collects how the tests of a run ended."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self.said: dict[str, list[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest after each phase of a test."""
        if report.when == "call" or report.outcome != "passed":
            self.of[report.nodeid] = report.outcome
        if report.when == "call":
            self.said[report.nodeid] = [str(value) for _, value in report.user_properties]


def _others() -> dict[str, tuple[str, ...]]:
    """The files of this folder that `ATTACKS` does not name, by the first line of their docstrings."""
    named = {target.partition("::")[0] for targets in ATTACKS.values() for target in targets}
    found = {}
    for path in sorted(_FOLDER.glob("test_*.py")):
        name = f"tests/attack/{path.name}"
        if name not in named:
            found[(ast.get_docstring(ast.parse(path.read_text())) or name).partition("\n")[0]] = (name,)
    return found


def main() -> int:
    """Run the attacks; return the exit status: 0 when everything held."""
    attacks, outcomes = ATTACKS | _others(), Outcomes()
    targets = [target for found in attacks.values() for target in found]
    options = ["-q", "-p", "no:cacheprovider", "-n", "2", "--dist", "loadfile"]
    status = int(pytest.main([*options, *targets], plugins=[outcomes]))
    table = Table(title="What was tried, and what held", show_lines=False)
    for column in ("somebody tries to", "held", "broken", "skipped", ""):
        table.add_column(column)
    for what, found in attacks.items():
        nodes = [node for node in outcomes.of if node.startswith(found)]
        count = Counter(outcomes.of[node] for node in nodes)
        said = "; ".join(text for node in nodes for text in outcomes.said.get(node, ()))
        numbers = [str(count[kind] or "") for kind in ("passed", "failed", "skipped")]
        table.add_row(what, *numbers, said)
    Console(width=140).print(table)
    return status


if __name__ == "__main__":
    sys.exit(main())
