"""The load: its rates, its mix, and the thresholds that fail a run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT
from tests.support.upstreams import upstream

PHASES = "from perf.load.shapes import PHASES, RAMP, target_at\n"


def asked_of_locust(code: str) -> Any:
    """What a process says that may import Locust, which changes the standard library when it is imported."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import json\n{code}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_phases_and_the_ramp_are_those_of_the_mission() -> None:
    times = "[0, 59, 60, 359, 360, 419, 420]"
    found = asked_of_locust(
        f"{PHASES}print(json.dumps([[target_at(PHASES, s) for s in {times}], "
        "[target_at(RAMP, s) for s in [0, 60, 120, 270, 420, 540, 600, 660]], "
        "target_at(PHASES, 30, pace=10)]))"
    )
    assert found[0] == [100, 100, 1000, 1000, 2000, 2000, None]
    assert found[1] == [0, 50, 100, 550, 1000, 2000, 1000, None]
    assert found[2] == 1000


def test_the_load_for_artillery_is_that_of_the_mission() -> None:
    load = yaml.safe_load((ROOT / "perf/load/artillery.yml").read_text())
    phases = [(phase["duration"], phase["arrivalRate"]) for phase in load["config"]["phases"]]
    assert phases == [(60, 100), (300, 1000), (60, 2000)]
    asked = {row["flow"][0]["get"]["url"].split("?")[0]: row["weight"] for row in load["scenarios"]}
    assert asked == {
        "/discovery/search": 60,
        "/discovery/browse": 30,
        "/discovery/programs/{{ $randomNumber(1, 100) }}": 10,
    }


def locust(url: str, folder: Path, *options: str) -> "tuple[int, dict[str, Any]]":
    done = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", "perf/locustfile.py", "--headless", "--processes", "2"),
            *("--host", url, "--scale", "0.1", "--pace", "60", "--html", str(folder / "load.html")),
            *("--figures", str(folder / "load.json"), *options),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads((folder / "load.json").read_text())


@pytest.mark.slow
def test_a_run_asks_the_mix_and_says_who_answered(tmp_path: Path) -> None:
    with upstream() as server:
        server.body = b'{"data":[{"id":1},{"id":2}],"meta":{}}'
        server.headers = {"X-Cache": "l1"}
        _, found = locust(f"http://{server.address}", tmp_path)
        paths = [request.path for request in server.asked]
    assert (found["failed"], found["hitRate"]) == (0, 1.0)
    assert found["sources"] == {"l1": found["reads"]}
    assert found["reads"] > 50
    counts = {name: found["requests"][name]["count"] for name in ("search", "browse", "program")}
    assert counts["search"] > counts["browse"] > counts["program"] > 0
    assert any("q=%D8" in path or "q=%D9" in path for path in paths)
    assert any(path.startswith("/discovery/browse?categoryId=") for path in paths)
    assert len({request.headers.get("x-forwarded-for") for request in server.asked}) > 20
    assert (tmp_path / "load.html").stat().st_size > 10_000


@pytest.mark.slow
def test_missed_thresholds_fail_the_run(tmp_path: Path) -> None:
    with upstream() as server:
        server.body = b'{"data":[{"id":1},{"id":2}],"meta":{}}'
        server.headers = {"X-Cache": "miss"}
        status, found = locust(f"http://{server.address}", tmp_path)
    assert status == 1
    assert "0.0% of the answers came from a cache; the threshold is 80%" in found["missed"]
