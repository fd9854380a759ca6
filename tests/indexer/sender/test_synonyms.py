"""Synonyms are a setting of every index: of a new one, of a wiped one, and through a rebuild and its rollback."""

import pytest

from catalog.core.db import session_factory
from catalog.curation import synonyms
from catalog.indexing import rebuilds
from indexer import metrics
from indexer.engines.errors import EngineRejectedError
from indexer.sender import leadership
from tests.support.pipeline import Pipeline
from tests.support.product import sending
from tests.support.programs import EDITOR, make
from tests.support.rebuilds import carry_out, request
from tests.support.waiting import eventually


def add(pipeline: Pipeline, *terms: str) -> int:
    """Make a synonym; return its id."""
    with session_factory(pipeline.database).begin() as session:
        return synonyms.create(session, {"kind": "two_way", "terms": list(terms)}, EDITOR).id


def of(pipeline: Pipeline, uid: str | None = None) -> object:
    """The synonyms that an index has."""
    return pipeline.engine.settings_of(uid or pipeline.settings.indexer.meili_index)["synonyms"]


def test_an_index_follows_changes_and_gets_them_again_when_it_was_wiped(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = add(pipeline, "a", "b")
    sender = pipeline.sender()
    sender.drain()
    assert of(pipeline) == {"a": ["b"], "b": ["a"]}
    second = add(pipeline, "b", "c")
    with session_factory(pipeline.database).begin() as session:
        synonyms.delete(session, first, EDITOR)
    sender._initial_fill.check()
    assert of(pipeline) == {"b": ["c"], "c": ["b"]}
    pipeline.engine.drop_index(pipeline.settings.indexer.meili_index)
    sender._initial_fill.check()
    assert of(pipeline) == {"b": ["c"], "c": ["b"]}
    # Without a change the engine is not asked.
    asked: list[object] = []
    monkeypatch.setattr(sender.engine, "prepare_index", lambda *given: asked.append(given) or [])
    sender._initial_fill.check()
    assert asked == []
    monkeypatch.undo()
    with session_factory(pipeline.database).begin() as session:
        synonyms.delete(session, second, EDITOR)
    sender._initial_fill.check()
    assert of(pipeline) == {}


def test_an_engine_that_refuses_them_gets_documents_all_the_same(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = pipeline.sender()
    sender.drain()
    before = metrics.SYNONYMS_REFUSED._value.get()
    add(pipeline, "a", "b")

    def refuse(*given: object) -> list[str]:
        raise EngineRejectedError("invalid_settings_synonyms", "no", 400)

    monkeypatch.setattr(sender.engine, "prepare_index", refuse)
    sender._initial_fill.check()
    sender._initial_fill.check()
    assert metrics.SYNONYMS_REFUSED._value.get() == before + 1
    with session_factory(pipeline.database).begin() as session:
        make(session, "published")
    sender.drain()
    pipeline.audit()
    monkeypatch.undo()
    add(pipeline, "c", "d")
    sender._initial_fill.check()
    assert of(pipeline) == {"a": ["b"], "b": ["a"], "c": ["d"], "d": ["c"]}


@pytest.mark.slow
def test_they_are_in_force_after_a_rebuild_and_its_rollback(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leadership, "TARGETS_SECONDS", 0.05)
    add(pipeline, "a", "b")
    with session_factory(pipeline.database).begin() as session:
        make(session, "published")
    with sending(pipeline.settings):
        eventually(lambda: pipeline.waiting() == 0)
        number = request(pipeline)
        assert carry_out(pipeline, number) == "done"
        assert of(pipeline) == {"a": ["b"], "b": ["a"]}
        # Both the live index and the one that is kept for a rollback follow.
        add(pipeline, "c", "d")
        eventually(lambda: len(of(pipeline)) == 4, what="the live index has both")  # type: ignore[arg-type]  # a mapping
        with session_factory(pipeline.database).begin() as session:
            rebuilds.request_rollback(session, number, EDITOR)
        assert carry_out(pipeline, number) == "rolled_back"
        eventually(lambda: len(of(pipeline)) == 4, what="the old index has both")  # type: ignore[arg-type]  # a mapping
