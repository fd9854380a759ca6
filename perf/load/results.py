"""What a run of the load found: counts for each second, thresholds that fail the run, and the answers' sources."""

import json
import time
from argparse import Namespace
from collections import Counter
from pathlib import Path
from typing import Any

from locust import events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner
from locust.stats import StatsEntry

# The mission's thresholds.
P95_MS, ERROR_RATE = 100.0, 0.01
READS = ("search", "browse", "program")
_SERVED_BY_EDGE = {"HIT", "STALE", "UPDATING", "REVALIDATED"}


class Recorder:
    """Counts reads by the second and by where their answers came from; a worker sends its counts to the master."""

    def __init__(self) -> None:
        self.seconds: Counter[tuple[int, str]] = Counter()
        self.sources: Counter[str] = Counter()
        self.errors: Counter[tuple[int, str]] = Counter()

    def note(self, name: str, response: Any, exception: Any, **_: object) -> None:
        """Count one request; Locust calls it.

        Args:
            name: What is asked for.
            response: The answer.
            exception: What went wrong; None when nothing did.
            **_: What else Locust says.
        """
        if name not in READS:
            return
        second = int(time.time())
        self.seconds[second, "reads"] += 1
        if exception is not None:
            self.seconds[second, "failed"] += 1
            self.errors[second, f"{name}: {str(exception)[:120]}"] += 1
            return
        edge = response.headers.get("x-edge-cache", "")
        level = response.headers.get("x-cache", "")
        self.sources["edge" if edge in _SERVED_BY_EDGE else level or "none"] += 1

    def give(self, client_id: str, data: dict[str, Any]) -> None:
        """Put this worker's counts into its report."""
        data["readSeconds"] = [[*key, count] for key, count in self.seconds.items()]
        data["readErrors"] = [[*key, count] for key, count in self.errors.items()]
        data["readSources"] = dict(self.sources)
        for counter in (self.seconds, self.errors, self.sources):
            counter.clear()

    def take(self, client_id: str, data: dict[str, Any]) -> None:
        """Add the counts of a worker's report."""
        for second, name, count in data.pop("readSeconds", ()):
            self.seconds[second, name] += count
        for second, name, count in data.pop("readErrors", ()):
            self.errors[second, name] += count
        self.sources.update(data.pop("readSources", {}))


def figures(reads: StatsEntry, sources: Counter[str], others: list[StatsEntry]) -> dict[str, Any]:
    """Return the figures of a run as they are written to its JSON file.

    Args:
        reads: All reads together.
        sources: Answers by source.
        others: The requests by name.
    """
    answered = sum(sources.values())
    hits = answered - sources["miss"] - sources["none"]
    return {
        "reads": reads.num_requests,
        "failed": reads.num_failures,
        "errorRate": reads.fail_ratio,
        "perSecond": round(reads.total_rps, 1),
        **{f"p{p}Ms": reads.get_response_time_percentile(p / 100) for p in (50, 95, 99)},
        "hitRate": round(hits / answered, 4) if answered else None,
        "sources": dict(sources.most_common()),
        "requests": {
            entry.name: {
                "count": entry.num_requests,
                "failed": entry.num_failures,
                "p95Ms": entry.get_response_time_percentile(0.95),
            }
            for entry in others
        },
    }


def missed(found: dict[str, Any], least_hits: float) -> list[str]:
    """Return the thresholds that the run did not keep, each as a sentence."""
    wrong = []
    if not found["reads"]:
        wrong.append("nobody asked for anything")
        return wrong
    if found["p95Ms"] >= P95_MS:
        wrong.append(f"p95 is {found['p95Ms']:.0f} ms; the threshold is {P95_MS:.0f} ms")
    if found["errorRate"] >= ERROR_RATE:
        wrong.append(f"{found['errorRate']:.2%} of the reads failed; the threshold is {ERROR_RATE:.0%}")
    if found["hitRate"] is not None and found["hitRate"] < least_hits:
        wrong.append(
            f"{found['hitRate']:.1%} of the answers came from a cache; the threshold is {least_hits:.0%}"
        )
    return wrong


def install(environment: Environment) -> None:
    """Record this run, and judge it at its end."""
    recorder = Recorder()
    events.request.add_listener(recorder.note)
    if isinstance(environment.runner, WorkerRunner):
        events.report_to_master.add_listener(recorder.give)
        return
    if isinstance(environment.runner, MasterRunner):
        events.worker_report.add_listener(recorder.take)

    def judge(environment: Environment, **_: object) -> None:
        reads = StatsEntry(environment.stats, "reads", "GET", use_response_times_cache=False)
        others = list(environment.stats.entries.values())
        for entry in others:
            if entry.name in READS:
                reads.extend(entry)
        found = figures(reads, recorder.sources, others)
        options = environment.parsed_options or Namespace()
        found["missed"] = missed(found, options.least_hits)
        if options.figures:
            Path(options.figures).write_text(json.dumps(found, indent=1))
        if options.by_second:
            rows = {"seconds": _rows(recorder.seconds), "errors": _rows(recorder.errors)}
            Path(options.by_second).write_text(json.dumps(rows))
        for sentence in found["missed"]:
            print(f"threshold missed: {sentence}")
        environment.process_exit_code = 1 if found["missed"] else 0

    events.quitting.add_listener(judge)


def _rows(counter: Counter[tuple[int, str]]) -> list[list[Any]]:
    return sorted([*key, count] for key, count in counter.items())
