"""Poison documents: one document that the engine refuses makes its whole batch fail. Called by the sender."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from catalog.indexing.marks import Mark
from indexer.engines.admin import Engine
from indexer.engines.errors import EngineRejectedError
from indexer.sender.sending import batches
from indexer.sender.sending.batches import Batch, Contents


class Poison(NamedTuple):
    """A mark whose document the engine refuses, and the engine's reason."""

    mark: Mark
    reason: str


def isolate(
    engine: Engine,
    uid: str,
    claimed: Sequence[Mark],
    build: Callable[[Sequence[Mark]], tuple[Batch, Contents]],
    reason: str = "",
) -> Iterator[Batch | Poison]:
    """Deliver a batch that was refused in halves, and the halves that are refused in halves again.

    A document counts as poison when it was refused alone after that: one refusal may be a damaged answer.

    Args:
        engine: The engine.
        uid: The index.
        claimed: The marks of the batch that was refused.
        build: Makes a batch from the current state of marked programs.
        reason: Why these marks were refused here before; empty for the batch that the sender sent.

    Yields:
        Each part that the engine has confirmed, and each poison document. The caller settles or parks it before
        the next part is built.

    Raises:
        EngineUnavailableError: The engine does not answer; the rest is still marked.
    """
    if reason and len(claimed) == 1:
        yield Poison(claimed[0], reason)
        return
    middle = len(claimed) // 2
    for half in (claimed[:middle], claimed[middle:]) if middle else (claimed,):
        batch, contents = build(half)
        try:
            for task in batches.send(engine, uid, contents):
                engine.finished(task)
        except EngineRejectedError as error:
            yield from isolate(engine, uid, batch.marks, build, str(error))
            continue
        yield batch
