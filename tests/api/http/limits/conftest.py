"""Shared by the tests of limits."""

import time
from types import SimpleNamespace

import pytest

from api.http.limits import rate_limit


@pytest.fixture
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limiter's minute never ends."""
    monkeypatch.setattr(rate_limit, "time", SimpleNamespace(time=lambda: 1e9, monotonic=time.monotonic))
