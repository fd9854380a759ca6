"""Prometheus with the rules and the scrape configuration of deploy/, told where this machine's parts are."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.process import Child
from deploy.local.stack import answers
from deploy.proving import debian
from deploy.proving.layout import Place

FOLDER = Path(__file__).parents[2] / "observability"


def configure(folder: Path, targets: Mapping[str, Sequence[str]], source: Path = FOLDER) -> None:
    """Copy the configuration and write the targets.

    Args:
        folder: Gets the files.
        targets: Job -> its addresses, as host:port.
        source: Has the configuration and the rules.
    """
    shutil.copytree(source, folder, dirs_exist_ok=True)
    for file in (folder / "targets").glob("*.json"):
        file.unlink()
    for job, addresses in targets.items():
        (folder / "targets" / f"{job}.json").write_text(json.dumps([{"targets": list(addresses)}]))


def child(folder: Path, place: Place) -> Child:
    """Return Prometheus over the configuration in `folder`."""
    return Child(
        "prometheus",
        [
            str(debian.find("prometheus")),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={place.address}",
            "--log.level=warn",
        ],
        lambda: answers(f"{place.url}/-/ready"),
        place.url,
    )
