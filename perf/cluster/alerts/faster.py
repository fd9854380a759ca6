"""Prometheus' configuration and the rules of `deploy/observability`, with a time that runs faster.

Durations of Prometheus are divided: `for`, windows, and the intervals of scrapes and evaluations. Thresholds in seconds
that the product measures stay, except those in `SCALED`.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from deploy.proving.servers.prometheus import FOLDER

RULES = ("alerts.yml", "slo.yml")
# Alert -> its threshold in seconds, which is divided too: a real fault would take this long.
SCALED = {"WebhookFails": 3600}
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_WINDOW = re.compile(r"\[(\d+)(ms|[smhd])\]")


def divided(duration: str, factor: float) -> str:
    """Return a duration of Prometheus, such as 5m, divided by the factor."""
    found = re.fullmatch(r"(\d+)(ms|[smhd])", duration)
    assert found is not None, duration
    return f"{round(int(found[1]) * _UNITS[found[2]] / factor * 1000)}ms"


def faster(rules: dict[str, Any], factor: float) -> dict[str, Any]:
    """Return the rules of a file with shorter durations.

    Args:
        rules: The file as YAML has it.
        factor: How many times faster the time runs.
    """

    def rule(given: dict[str, Any]) -> dict[str, Any]:
        expression = _WINDOW.sub(lambda found: f"[{divided(found[0][1:-1], factor)}]", given["expr"])
        threshold = SCALED.get(given.get("alert", ""))
        if threshold is not None:
            assert expression.endswith(f"> {threshold}"), given
            expression = expression.removesuffix(str(threshold)) + f"{threshold / factor:g}"
        changed = given | {"expr": expression}
        return changed | ({"for": divided(given["for"], factor)} if "for" in given else {})

    return {
        "groups": [group | {"rules": [rule(each) for each in group["rules"]]} for group in rules["groups"]]
    }


def write(folder: Path, factor: float) -> None:
    """Write the configuration and the rules.

    Args:
        folder: Gets the files.
        factor: How many times faster the time runs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scrape = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    scrape["global"] = {name: divided(interval, factor) for name, interval in scrape["global"].items()}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(scrape))
    (folder / "targets").mkdir(exist_ok=True)
    for name in RULES:
        rules = yaml.safe_load((FOLDER / name).read_text())
        (folder / name).write_text(yaml.safe_dump(faster(rules, factor)))


def alerts() -> list[str]:
    """Return the name of every alert of the rules; those of a burn rate have it in their name."""
    groups = [group for name in RULES for group in yaml.safe_load((FOLDER / name).read_text())["groups"]]
    return [
        named(rule["alert"], rule["labels"]) for group in groups for rule in group["rules"] if "alert" in rule
    ]


def named(alert: str, labels: dict[str, str]) -> str:
    """Return an alert's name with its burn rate, if it has one."""
    return f"{alert} × {labels['burn']}" if "burn" in labels else alert
