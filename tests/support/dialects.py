"""What SQLAlchemy learns of the server and what it compiles is kept for the engines of the next test."""

from collections.abc import Hashable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.util import LRUCache


def share_what_engines_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every engine of this process begin with what the engines before it learnt.

    Each test has a database of its own, therefore engines of its own. Each of them would ask for the server's
    version and settings, and would compile every statement anew: a fifth of a small test's processor time.
    All servers of a run are of one version and one configuration.
    """
    compiled: LRUCache[Any, Any] = LRUCache(2000)
    learnt: dict[Hashable, dict[str, Any]] = {}
    ask = PGDialect_psycopg.initialize

    def initialize(self: PGDialect_psycopg, connection: Connection) -> None:
        found = learnt.get(type(self))
        if found is not None:
            vars(self).update(found)
            return
        before = dict(vars(self))
        ask(self, connection)
        learnt[type(self)] = {
            name: value
            for name, value in vars(self).items()
            if isinstance(value, bool | int | str | tuple | None) and before.get(name, ...) != value
        }

    # Statements are kept by dialect: those of one kind of engine count as one.
    monkeypatch.setattr(PGDialect, "__hash__", lambda self: hash(type(self)))
    monkeypatch.setattr(PGDialect, "__eq__", lambda self, other: type(self) is type(other))
    monkeypatch.setattr(PGDialect_psycopg, "initialize", initialize)
    monkeypatch.setattr(
        Engine, "_compiled_cache", property(lambda _: compiled, lambda *_: None), raising=False
    )
