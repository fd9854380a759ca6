"""What a process of the product imports: what it needs, because every start, restart and deployment waits for it."""

import json
import subprocess
import sys

import pytest

from api.settings import ApiSettings
from catalog.core.fields import camel
from catalog.programs.rules import FIELDS

pytestmark = pytest.mark.slow

# Imports a command as the console script does, and says which modules there are then.
SCRIPT = """
import click, gc, json, sys
from deploy.cli import main
name, = sys.argv[1:]
if name == "--help":
    main([name], standalone_mode=False)
else:
    assert isinstance(main.get_command(click.Context(main), name), click.Command)
if name == "api":
    # What the command imports when it runs.
    from api.cli import import_server
    import_server()
hidden = [key for key, module in sys.modules.items() if module is None]
import_is_over = gc.isenabled() and not {"rich", "opentelemetry"} & set(hidden)
print(json.dumps([import_is_over, gc.get_freeze_count() > 10_000, sorted({m.partition(".")[0] for m in sys.modules})]))
"""


def imported(name: str) -> tuple[bool, bool, set[str]]:
    """Whether garbage is looked for and what was hidden can be imported again; whether it is not looked for in what is there; the packages."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, name], capture_output=True, text=True, check=True)
    over, frozen, packages = json.loads(done.stdout.splitlines()[-1])
    return over, frozen, set(packages)


def test_help_imports_no_command() -> None:
    assert not imported("--help")[2] & {"api", "sqlalchemy", "pydantic", "redis", "litestar", "structlog"}


@pytest.mark.parametrize(
    ("name", "needless"),
    [
        (
            "scheduler",
            {
                "litestar",
                "numpy",
                "rich",
                "granian",
                "jinja2",
                "aiohttp",
                "lxml",
                "opentelemetry",
                "requests",
                "meilisearch",
            },
        ),
        ("api", {"sqlalchemy", "rich", "litestar", "opentelemetry"}),
        ("sync", {"litestar", "numpy", "rich", "granian", "jinja2", "lxml", "opentelemetry"}),
        ("worker", {"litestar", "rich", "granian", "opentelemetry"}),
        ("searchnode", {"sqlalchemy", "structlog", "rich", "pydantic", "redis", "requests"}),
    ],
)
def test_a_process_imports_what_it_needs(name: str, needless: set[str]) -> None:
    over, frozen, packages = imported(name)
    assert (over, frozen) == (True, True)
    assert packages & needless == set()


def test_the_supervisor_imports_none_of_the_products_libraries() -> None:
    needless = {
        "sqlalchemy",
        "psycopg",
        "pydantic",
        "redis",
        "litestar",
        "requests",
        "meilisearch",
        "structlog",
    }
    assert imported("up")[2] & needless == set()


def test_a_worker_of_the_api_searches_without_the_official_client() -> None:
    script = "import api.app, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"import json; {script}"], capture_output=True, text=True, check=True
    )
    assert not {"meilisearch", "requests"} & set(json.loads(done.stdout))


def test_the_fields_that_need_no_reviewer_by_default_are_fields() -> None:
    # The default is not checked at the start of a process.
    assert ApiSettings().direct_fields <= {camel(name) for name in FIELDS}
