"""The alert rules: about metrics that are exported, each with somebody to wake and something to do."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.http.observed.metrics import HTTP_SECONDS
from api.settings import Settings
from deploy.observability.boards import building
from deploy.observability.boards.contents import BOARDS
from indexer.metrics import INDEX_LAG
from tests.support.boards import EXPORTERS, shown
from tests.support.product import serve

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "observability"


RULES = ("alerts.yml", "slo.yml")


def rules(kind: str = "alert") -> list[dict[str, Any]]:
    groups = [group for name in RULES for group in yaml.safe_load((FOLDER / name).read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def metrics_of(expression: str) -> set[str]:
    """The names of series in it: what is neither a function, nor a label, nor text."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|without|on)\s*\([^)]*\)", " ", expression)
    words = re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?![\w:]|\s*\()", bare)
    return set(words) - {"and", "or", "unless"}


@pytest.mark.slow
def test_every_metric_is_exported(settings: Settings) -> None:
    with serve(settings) as (client, _):
        scraped = client.get("/metrics").text
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", scraped, re.M))
    exported = {"up"}
    for name, kind in kinds.items():
        exported |= (
            {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
        )
    recorded = {rule["record"] for rule in rules("record")}
    expressions = {rule["expr"] for kind in ("alert", "record") for rule in rules(kind)}
    used = {name for expression in expressions | shown() for name in metrics_of(expression)}
    assert {"index_drift_documents", "slo:error_ratio:rate3d", "redis_up"} <= used
    assert used <= exported | recorded | EXPORTERS
    assert used >= recorded | EXPORTERS


def test_buckets_that_objectives_count_exist() -> None:
    # A bound that is no bucket would make an objective of which nothing is ever counted.
    for metric, bound in ((HTTP_SECONDS, 0.1), (INDEX_LAG, 1.0)):
        assert bound in metric._upper_bounds


def test_the_boards_are_those_that_python_describes() -> None:
    written = {path.stem: path.read_text() for path in (FOLDER / "grafana").glob("*.json")}
    # After a change of them: python -m deploy.observability.boards
    assert written == {board.uid: building.text(board) for board in BOARDS}


def test_everybody_who_is_woken_knows_why_and_what_to_do() -> None:
    names = {rule["alert"] for rule in rules()}
    kinds = [(rule["alert"], rule["labels"].get("burn")) for rule in rules()]
    assert len(set(kinds)) == len(kinds) > 10
    pages = {rule["annotations"]["runbook"].partition("#")[0] for rule in rules()}
    sections = {page: re.findall(r"^### (.+)\n(?=\S)", (ROOT / page).read_text(), re.M) for page in pages}
    for rule in rules():
        assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert anchor == rule["alert"].lower()
        assert rule["alert"] in sections[page]
    # And no section is about an alert that is gone.
    assert set(sections["docs/reliability.md"]) <= names


def test_prometheus_reads_the_rules_it_is_given() -> None:
    scrape = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    assert tuple(scrape["rule_files"]) == RULES
    jobs = [job["job_name"] for job in scrape["scrape_configs"]]
    assert jobs == ["api", "sync", "worker", "scheduler", "postgres", "redis", "node", "engines"]
    assert scrape["global"]["scrape_interval"] == "15s"
    files = [file for job in scrape["scrape_configs"] for file in job["file_sd_configs"][0]["files"]]
    assert {path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("targets/*")} == set(files)


def test_the_example_for_alertmanager_names_alerts_that_exist() -> None:
    text = (FOLDER / "alertmanager.yml").read_text()
    patterns = re.findall(r'alertname(?:=|=~)"([^"]+)"', text)
    names = {rule["alert"] for rule in rules()}
    assert patterns
    for pattern in patterns:
        assert any(re.fullmatch(pattern, name) for name in names), pattern


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(
    "what",
    [
        ("check", "config", str(FOLDER / "prometheus.yml")),
        ("test", "rules", str(Path(__file__).parent / "alerts.test.yml")),
        ("test", "rules", str(Path(__file__).parent / "slo.test.yml")),
    ],
    ids=["config", "alerts", "objectives"],
)
def test_prometheus_agrees(what: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *what], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
