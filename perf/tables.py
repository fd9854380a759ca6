"""Tables of figures beside their bars, for all benches."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table


def compare(title: str, lines: Iterable[tuple[str, str, str]]) -> None:
    """Print a table of figures: name, measured value, bar."""
    table = Table(title=title)
    for name in ("", "measured", "bar"):
        table.add_column(name, justify="right" if name else "left")
    for line in lines:
        table.add_row(*line)
    Console(width=110).print(table)
