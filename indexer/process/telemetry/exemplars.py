"""Exemplars of histograms in the API, whose worker processes keep their metrics in files that all of them read.

prometheus_client keeps exemplars in the memory of a process, and drops them where metrics are in files. Here each
worker writes the exemplars of its own histograms to a file beside these, after the export of their traces; the worker
that is scraped adds those of all. A process whose metrics are in memory needs none of this.
"""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from prometheus_client import values
from prometheus_client.core import Metric
from prometheus_client.samples import Exemplar, Sample

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_FILES = "exemplars_*.json"
# One for each bucket of each series: the labels of metrics are few and fixed.
MAX_KEPT = 20_000
# An exemplar leads to a trace, which collectors keep for days; its series may not be observed again for long.
MAX_AGE_SECONDS = 3600.0
# The sample's name and its labels -> the exemplar's labels, its value and when it was observed.
_Key = tuple[str, tuple[tuple[str, str], ...]]
_Kept = tuple[dict[str, str], float, float]
_decoder = msgspec.json.Decoder(list[tuple[_Key, _Kept]])


class Exemplars:
    """The last exemplar of each bucket of this process."""

    def __init__(self, folder: str) -> None:
        """Nothing is written before `save`."""
        self._path = Path(folder) / f"exemplars_{os.getpid()}.json"
        self._kept: dict[_Key, _Kept] = {}
        self._is_new = False

    def keep(self, name: str, labels: dict[str, str], exemplar: Exemplar) -> None:
        """Remember an exemplar.

        Args:
            name: Of the sample: that of the histogram, and `_bucket`.
            labels: Of the sample.
            exemplar: Replaces the one before.
        """
        key = _key(name, labels)
        if key in self._kept or len(self._kept) < MAX_KEPT:
            self._kept[key] = dict(exemplar.labels), exemplar.value, time.time()
            self._is_new = True

    def save(self) -> None:
        """Let the other workers read what is new."""
        if not self._is_new:
            return
        self._is_new = False
        new = self._path.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(list(self._kept.copy().items())))
        new.replace(self._path)


def keep_in_files() -> Exemplars | None:
    """Have histograms keep the exemplars that they are given from now on; None where they do so by themselves.

    Metrics take their class of values from `prometheus_client.values`, which is its documented place for another one.
    """
    folder = os.environ.get(_FOLDER)
    if not folder:
        return None
    found = Exemplars(folder)

    class KeepingValue(values.ValueClass):  # type: ignore[misc]  # chosen at import, by the environment
        def __init__(
            self,
            typ: str,
            metric: str,
            name: str,
            labels: Iterable[str],
            given: Iterable[str],
            *more: object,
            **options: object,
        ) -> None:
            super().__init__(typ, metric, name, labels, given, *more, **options)
            self._sample = name, dict(zip(labels, given, strict=False))

        def set_exemplar(self, exemplar: Exemplar) -> None:
            found.keep(*self._sample, exemplar)

    values.ValueClass = KeepingValue
    return found


def added(metrics: Iterable[Metric]) -> Iterator[Metric]:
    """Yield the metrics with the exemplars that the workers have saved."""
    kept = _saved()
    for metric in metrics:
        if kept and metric.type == "histogram":
            metric.samples = [_with(sample, kept) for sample in metric.samples]
        yield metric


def _with(sample: Sample, kept: dict[_Key, _Kept]) -> Sample:
    found = kept.get(_key(sample.name, sample.labels))
    return sample if found is None else sample._replace(exemplar=Exemplar(*found))


def _saved() -> dict[_Key, _Kept]:
    """Return the newest exemplar of each sample."""
    found: dict[_Key, _Kept] = {}
    oldest = time.time() - MAX_AGE_SECONDS
    for path in Path(os.environ.get(_FOLDER, "/nowhere")).glob(_FILES):
        try:
            rows = _decoder.decode(path.read_bytes())
        except (OSError, msgspec.DecodeError):
            continue
        for key, row in rows:
            if row[2] >= max(oldest, found[key][2] if key in found else 0.0):
                found[key] = row
    return found


def _key(name: str, labels: dict[str, str]) -> _Key:
    return name, tuple(sorted(labels.items()))
