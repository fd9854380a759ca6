"""`make cluster-alerts`: it covers every alert, and runs the rules of deploy/ with nothing changed but the time."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.proving.servers.prometheus import FOLDER
from perf.cluster.alerts import faster
from perf.cluster.alerts.faults import every, having
from tests.support.paths import ROOT

FACTOR = 30.0


def test_every_alert_has_one_fault_from_which_it_fires() -> None:
    covered = [alert for fault in every() for alert in fault.alerts]
    assert sorted(covered) == sorted(faster.alerts())
    assert len(covered) > 25


def test_a_part_of_a_name_chooses_faults_with_those_that_they_happen_in() -> None:
    (outage,) = having(["ApiErrors"])
    assert [len(fault.alerts) > 0 for fault in outage.meanwhile] == [True]
    (engine,) = having(["SchedulerSilent"])
    assert [fault.alerts for fault in engine.meanwhile] == [("SchedulerSilent", "JournalBehind")]
    assert having(["Nothing"]) == ()


def test_the_page_says_from_which_fault_each_alert_fired() -> None:
    section = (ROOT / "docs/reliability.md").read_text().partition("## Alerts fired by faults")[2]
    section = section.partition("\n#")[0]
    rows = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert sorted(rows) == sorted(faster.alerts())


def test_only_durations_of_prometheus_are_divided(tmp_path: Path) -> None:
    faster.write(tmp_path, FACTOR)
    assert yaml.safe_load((tmp_path / "prometheus.yml").read_text())["global"] == {
        "scrape_interval": "500ms",
        "evaluation_interval": "500ms",
    }
    for name in faster.RULES:
        ours, theirs = (yaml.safe_load((folder / name).read_text()) for folder in (FOLDER, tmp_path))
        for mine, other in zip(ours["groups"], theirs["groups"], strict=True):
            for rule, changed in zip(mine["rules"], other["rules"], strict=True):
                same = {key: value for key, value in rule.items() if key not in ("expr", "for")}
                assert same == {key: value for key, value in changed.items() if key not in ("expr", "for")}
                if "for" in rule:
                    assert changed["for"] == faster.divided(rule["for"], FACTOR)
                windows = [found.group()[1:-1] for found in re.finditer(r"\[\w+\]", rule["expr"])]
                expected = [faster.divided(window, FACTOR) for window in windows]
                assert [found.group()[1:-1] for found in re.finditer(r"\[\w+\]", changed["expr"])] == expected
                if rule.get("alert") not in faster.SCALED:
                    assert re.sub(r"\[\w+\]", "[]", changed["expr"]) == re.sub(r"\[\w+\]", "[]", rule["expr"])
    alert = next(r for r in _rules(tmp_path / "alerts.yml") if r.get("alert") == "WebhookFails")
    assert alert["expr"] == "max by (webhook) (webhook_failing_seconds) > 120"


def _rules(file: Path) -> "list[dict[str, str]]":
    return [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_the_faster_rules(tmp_path: Path) -> None:
    faster.write(tmp_path, FACTOR)
    command = ["promtool", "check", "rules", *(str(tmp_path / name) for name in faster.RULES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
