"""The Python client that openapi-python-client generates from the document: without a warning, and it works."""

import sys
from collections.abc import Iterator
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openapi_python_client.cli import app
from typer.testing import CliRunner

from tests.support.accounts import PASSWORD
from tests.support.discovery import SPECS
from tests.support.shared import SharedApi

pytestmark = pytest.mark.slow
PACKAGE = "generated_client"
CSV = b"externalId,title,language,mediaType,kind,mediaUrl\n1,Uploaded,en,audio,episode,https://cdn.example/1.mp3\n"


class Generated:
    """The generated package."""

    def __init__(self, base: str) -> None:
        self.base = base

    def part(self, name: str) -> Any:
        """Return a module of the package."""
        return import_module(f"{PACKAGE}.{name}")

    def call(self, operation: str, client: Any, **arguments: Any) -> Any:
        """Call an operation and return the answer's object, whose status has to be of success.

        Args:
            operation: Its group and its name, such as `discovery.search_programs`.
            client: Who calls.
            arguments: Its parameters.
        """
        answer = self.part(f"api.{operation}").sync_detailed(client=client, **arguments)
        assert answer.status_code < 300, answer.content
        return answer.parsed


@pytest.fixture(scope="module")
def generated(
    shared: SharedApi, reading: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Generated]:
    """The client of `shared`, whose catalogue is searchable."""
    folder = tmp_path_factory.mktemp("client")
    described = folder / "openapi.json"
    described.write_bytes(shared.listener.get("/openapi.json").content)
    said = generate(described, folder / PACKAGE)
    assert "warning" not in said.lower(), said
    sys.path.insert(0, str(folder))
    yield Generated(shared.listener.base)
    sys.path.remove(str(folder))


def generate(described: Path, target: Path) -> str:
    """Generate a client; return what the generator printed."""
    # Its hooks would format the package, which nobody reads here.
    settings = described.with_name("settings.yaml")
    settings.write_text("post_hooks: []\n")
    arguments = ["generate", "--path", str(described), "--output-path", str(target), "--meta", "none"]
    result = CliRunner().invoke(app, [*arguments, "--config", str(settings), "--fail-on-warning"])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_listener_searches_browses_to_the_end_and_looks_programs_up(
    generated: Generated, reading: dict[str, int]
) -> None:
    with generated.part("client").Client(base_url=generated.base) as listener:
        _listen(generated, listener, reading)


def _listen(generated: Generated, listener: Any, reading: dict[str, int]) -> None:
    found = generated.call("discovery.search_programs", listener, q="coffee")
    assert "Morning coffee" in [card.title for card in found.data]
    assert found.data[0].kind == generated.part("models.kind").Kind(found.data[0].kind)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = generated.call("discovery.browse_programs", listener, limit=2, **cursor)
        seen += [card.title for card in page.data]
        if not page.meta.next_cursor:
            break
        cursor = {"cursor": page.meta.next_cursor}
    assert sorted(seen) == sorted(spec["title"] for spec in SPECS)
    ids = [reading["Morning coffee"], 999_999]
    body = generated.part("models").BatchBody(ids=ids)
    batch = generated.call("discovery.look_up_programs", listener, body=body)
    assert [program.title for program in batch.data] == ["Morning coffee"]
    offered = generated.call("discovery.suggest", listener, q="morn")
    assert "Morning coffee" in [one.text for one in offered.data]


def test_an_editor_signs_in_publishes_a_program_and_uploads_a_file(generated: Generated) -> None:
    client, models = generated.part("client"), generated.part("models")
    with client.Client(base_url=generated.base) as somebody:
        body = models.LoginIn(email="admin@example.com", password=PASSWORD)
        tokens = generated.call("accounts.login", somebody, body=body).data
    with client.AuthenticatedClient(base_url=generated.base, token=tokens.access_token) as editor:
        program = models.ProgramIn(
            title="Made by a client",
            language="en",
            media_type=models.MediaType.AUDIO,
            kind=models.Kind.EPISODE,
            media_url="https://cdn.example/made.mp3",
        )
        made = generated.call("catalog.create_program", editor, body=program).data
        assert made.status == models.ProgramStatus.DRAFT
        published = generated.call("catalog.publish_program", editor, program_id=made.id).data
        assert published.status == models.ProgramStatus.PUBLISHED
        kinds = models.UploadImportSourceType
        file = generated.part("types").File(payload=BytesIO(CSV))
        run = generated.call("catalog.upload_import", editor, body=file, source_type=kinds.CSV, dry_run=True)
        assert run.data.status in set(models.ImportStatus)
