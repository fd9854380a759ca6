"""How passwords are hashed and compared; the rest of what credentials are is tested over HTTP."""

import pytest

from catalog.accounts import credentials
from tests.support.accounts import PASSWORD, PRODUCT_HASHER


@pytest.mark.slow
def test_a_password_is_hashed_as_rfc_9106_recommends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "HASHER", PRODUCT_HASHER)
    made = credentials.new_password(PASSWORD).hash
    assert made.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert credentials.verify(made, PASSWORD)
    assert not credentials.verify(made, f"{PASSWORD} ")


def test_without_an_account_a_password_is_compared_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    class Watched:
        def hash(self, password: str) -> str:
            return f"hash of {password}"

        def verify(self, known: str, password: str) -> bool:
            compared.append(known)
            return True

    monkeypatch.setattr(credentials, "HASHER", Watched())
    credentials._decoy.cache_clear()
    try:
        assert not credentials.verify(None, PASSWORD)
        assert credentials.verify("a hash", PASSWORD)
    finally:
        credentials._decoy.cache_clear()
    assert compared == ["hash of no account has this password", "a hash"]
