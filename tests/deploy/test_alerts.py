"""The alert rules: about metrics that are exported, each with somebody to wake and something to do."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.settings import Settings
from tests.support.product import serve

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def metrics_of(expression: str) -> set[str]:
    """The names of series in it: what is neither a function, nor a label, nor text."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|without)\s*\([^)]*\)", " ", expression)
    words = re.findall(r"[a-zA-Z_][a-zA-Z0-9_]*(?!\w|\s*\()", bare)
    return set(words) - {"and", "or", "unless"}


def test_every_metric_is_exported(settings: Settings) -> None:
    with serve(settings) as (client, _):
        scraped = client.get("/metrics").text
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", scraped, re.M))
    exported = {"up"}
    for name, kind in kinds.items():
        exported |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}  # fmt: skip
    used = {name for rule in rules() for name in metrics_of(rule["expr"])}
    assert "index_drift_documents" in used
    assert used <= exported


def test_everybody_who_is_woken_knows_why_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names) > 10
    for rule in rules():
        assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        sections = re.findall(r"^### (.+)\n(?=\S)", (ROOT / page).read_text(), re.M)
        assert anchor in [section.lower() for section in sections], rule["alert"]
    # And no section is about an alert that is gone.
    assert set(sections) == set(names)


def test_prometheus_reads_the_rules_it_is_given() -> None:
    scrape = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    assert [(FOLDER / name).is_file() for name in scrape["rule_files"]] == [True]
    assert {job["job_name"] for job in scrape["scrape_configs"]} == {"api", "sync"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(
    "what",
    [("check", "config", str(FOLDER / "prometheus.yml")),
     ("test", "rules", str(Path(__file__).parent / "alerts.test.yml"))],
    ids=["config", "rules"],
)  # fmt: skip
def test_prometheus_agrees(what: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *what], capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
