"""The rules of migrations/README.md that can be read off the files."""

import ast
import re
from datetime import datetime
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

import migrations
from catalog.schema import migrate
from tests.support.migrations import BASELINE, ROWS, chain

VERSIONS = sorted(
    file for file in (Path(migrations.__file__).parent / "versions").iterdir() if re.match(r"\d", file.name)
)
NAME = re.compile(r"(?P<revision>(?P<day>\d{8})_\d{2})_[a-z][a-z0-9_]*\.py")
# A migration says the same for ever; the product's modules do not.
ALLOWED_IMPORTS = {"alembic", "sqlalchemy", "collections", "datetime", "json", "typing"}


def revision_of(file: Path) -> str:
    found = NAME.fullmatch(file.name)
    assert found is not None, f"{file.name} is not named YYYYMMDD_NN_words.py"
    # Raises ValueError when it is no day.
    datetime.strptime(found["day"] + "+0000", "%Y%m%d%z")
    return found["revision"]


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(migrate.configuration()).get_heads()) == 1


def test_the_chain_follows_the_order_of_the_names() -> None:
    names = [revision_of(file) for file in VERSIONS]
    assert len(set(names)) == len(names)
    assert [(script.revision, script.down_revision) for script in chain()] == list(
        zip(names, [None, *names[:-1]], strict=True)
    )
    assert BASELINE in names


@pytest.mark.parametrize("file", VERSIONS, ids=lambda file: file.stem)
def test_a_migration_says_what_it_does_and_needs_nothing_of_the_product(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert ast.get_docstring(tree)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    # Of a backfill there is nothing to take back: its `downgrade` may be empty, but it is written.
    assert {"upgrade", "downgrade"} <= functions.keys()
    assert not any(isinstance(step, ast.Pass) for step in functions["upgrade"].body)
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert imported <= ALLOWED_IMPORTS
    assert len(file.read_text().splitlines()) < 200


def test_rows_belong_to_revisions() -> None:
    files = {file.stem for file in ROWS.iterdir()}
    assert files <= {script.revision for script in chain()}
    assert BASELINE in files
