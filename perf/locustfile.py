"""The load for Locust: `locust -f perf/locustfile.py --headless --processes 2 --host URL [--shape phases|ramp]`.

Arrivals do not wait for answers (see perf/load/users.py). The thresholds of the mission fail the run: p95 below
100 ms, less than 1 % of the reads failed. `--html` and `--figures` write the results. `make load` starts a cluster and
runs a part of the load that two cores can send and answer; a real cluster takes the whole one: `--scale 1 --pace 1`.
"""

import os
from argparse import Namespace

from locust import events, runners
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from perf.load import results
from perf.load.shapes import SHAPES
from perf.load.users import Editor, Source, Visitor

# On a machine with much to do a process may be silent for longer than Locust's three seconds.
runners.HEARTBEAT_LIVENESS = 60
# Locust takes the one shape that it finds here.
Shape = SHAPES[os.environ.get("LOAD_SHAPE", "phases")]
__all__ = ["Editor", "Shape", "Source", "Visitor"]


@events.init_command_line_parser.add_listener
def _options(parser: LocustArgumentParser) -> None:
    parser.add_argument("--scale", type=float, default=1.0, help="Share of the arrivals or clients.")
    parser.add_argument("--pace", type=float, default=1.0, help="How many times faster the stages pass.")
    parser.add_argument("--editor", default="", help="An account that publishes meanwhile.")
    parser.add_argument("--editor-password", default="", is_secret=True, help="Its password.")
    parser.add_argument("--least-hits", type=float, default=0.8, help="Least share of answers from a cache.")
    parser.add_argument("--figures", default="", help="Gets the figures as JSON.")
    parser.add_argument("--until", default="", help="A file; when it exists, the run ends.")
    parser.add_argument("--by-second", default="", help="Gets the counts of each second as JSON.")


@events.init.add_listener
def _record(environment: Environment, **_: object) -> None:
    assert isinstance(environment.parsed_options, Namespace)
    results.install(environment)
