"""The product's commands in the test's own process, as somebody types them."""

from typing import NamedTuple

import click
import pytest
from click.testing import CliRunner

from api.settings import Settings
from tests.support.processes import environment


class Typed(NamedTuple):
    """What a command answered: its exit code, and both of its outputs as the terminal shows them."""

    code: int
    said: str


class Terminal:
    """A terminal whose environment gives commands a test's settings."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in environment(settings).items():
            monkeypatch.setenv(name, value)

    def type(self, command: click.Command, *words: str, **variables: str) -> Typed:
        """Run a command.

        Args:
            command: The command of the product.
            words: Its arguments and options.
            variables: More variables of its environment.

        Returns:
            The exit code and what was printed.
        """
        done = CliRunner().invoke(command, words, env=variables)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Typed(done.exit_code, done.output)
