"""The commands in docs/operations.md: each exists, with its options, and takes as many arguments."""

import re
import shlex

import click
import pytest

from deploy.cli import main
from tests.support.paths import ROOT

PAGE = (ROOT / "docs/operations.md").read_text()
TYPED = sorted(set(re.findall(r"^ {4,}(thmanyah .+)$", PAGE, re.MULTILINE)))


def test_the_page_has_commands() -> None:
    assert len(TYPED) > 8


@pytest.mark.parametrize("line", TYPED)
def test_every_command_can_be_typed(line: str) -> None:
    group: click.Command = main
    context = click.Context(main, info_name="thmanyah")
    words = shlex.split(line)[1:]
    while isinstance(group, click.Group):
        command = group.get_command(context, words.pop(0))
        assert command is not None, line
        group, context = command, click.Context(command, parent=context, info_name=command.name)
    # A password is asked for when it is not given.
    words += ["--password", "x"] if "create" in line else []
    # Click checks names, types and numbers of options and arguments; nothing is run.
    group.parse_args(context, words)
    assert not context.args


def test_every_part_that_may_be_lost_is_in_the_table() -> None:
    table = PAGE.partition("## Failover")[2]
    rows = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
    for part in (
        "API",
        "engine",
        "sender",
        "cache",
        "queue",
        "replica",
        "primary",
        "PgBouncer",
        "Prometheus",
    ):
        assert any(part in row for row in rows), part
