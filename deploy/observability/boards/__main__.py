"""`python -m deploy.observability.boards`: write the boards into deploy/observability/grafana/."""

from pathlib import Path

from deploy.observability.boards.building import text
from deploy.observability.boards.contents import BOARDS

FOLDER = Path(__file__).parents[1] / "grafana"


def main() -> None:
    """Write one file for each board."""
    FOLDER.mkdir(exist_ok=True)
    for board in BOARDS:
        (FOLDER / f"{board.uid}.json").write_text(text(board))


if __name__ == "__main__":
    main()
