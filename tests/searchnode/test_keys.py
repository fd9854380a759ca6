"""API keys: what each may do, and what a new key must say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.searchnode.errors import ApiError
from deploy.searchnode.http.keys import Grant, Key, Keys
from deploy.searchnode.storage.store import Store

MASTER = "a-master-key-of-tests"
SEARCH = {"actions": ["search"], "indexes": ["mine"], "expiresAt": None}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def keys(store: Store) -> Keys:
    return Keys(store, MASTER)


def refusal(keys: Keys, header: str | None, action: str, index: str | None) -> str:
    with pytest.raises(ApiError) as refused:
        keys.authorise(header, action, index)
    return refused.value.code


def bearer(key: Key) -> str:
    return f"Bearer {key['key']}"


def test_without_a_master_key_everybody_may_do_everything(store: Store) -> None:
    assert Keys(store, None).authorise(None, "keys.delete", "any").everything
    assert Keys(store, None).all() == []


def test_the_master_key_may_do_everything(keys: Keys) -> None:
    assert keys.authorise(f"Bearer {MASTER}", "keys.delete", "any").everything


def test_a_missing_and_a_wrong_key_are_refused(keys: Keys) -> None:
    assert refusal(keys, None, "search", "mine") == "missing_authorization_header"
    assert refusal(keys, "Bearer wrong", "search", "mine") == "invalid_api_key"
    assert refusal(keys, f"Bearer {MASTER}x", "search", "mine") == "invalid_api_key"


def test_the_first_start_creates_the_default_keys_once(store: Store, keys: Keys) -> None:
    names = [key["name"] for key in keys.all()]
    assert names == ["Default Search API Key", "Default Admin API Key", "Default Read-Only Admin API Key"]
    keys.delete(keys.all()[0]["uid"])
    assert len(Keys(store, MASTER).all()) == 2


def test_a_key_allows_its_actions_on_its_indexes(keys: Keys) -> None:
    header = bearer(keys.create(SEARCH))
    assert keys.authorise(header, "search", "mine") == Grant(("mine",))
    assert refusal(keys, header, "search", "yours") == "invalid_api_key"
    assert refusal(keys, header, "documents.get", "mine") == "invalid_api_key"


@pytest.mark.parametrize(
    ("actions", "action", "allowed"),
    [
        (["*"], "keys.delete", True),
        (["documents.*"], "documents.add", True),
        (["documents.*"], "indexes.get", False),
        (["*.get"], "indexes.get", True),
        (["*.get"], "indexes.delete", False),
        (["documents.add"], "documents.delete", False),
        (["version"], "version", True),
    ],
)
def test_stars_stand_for_groups_of_actions(
    keys: Keys, actions: list[str], action: str, allowed: bool
) -> None:
    header = bearer(keys.create(SEARCH | {"actions": actions, "indexes": ["*"]}))
    if allowed:
        assert keys.authorise(header, action, "any").everything
    else:
        assert refusal(keys, header, action, "any") == "invalid_api_key"


@pytest.mark.parametrize(
    ("pattern", "index", "covered"),
    [("*", "a", True), ("a", "a", True), ("a", "ab", False), ("a*", "ab", True), ("a*", "ba", False)],
)
def test_a_grant_covers_indexes_by_pattern(pattern: str, index: str, covered: bool) -> None:
    assert Grant((pattern,)).covers(index) == covered


def test_a_key_ends(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    key = keys.create(SEARCH | {"expiresAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat()})
    assert keys.authorise(bearer(key), "search", "mine")

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(hours=2)

    monkeypatch.setattr("deploy.searchnode.http.keys.datetime", Later)
    assert refusal(keys, bearer(key), "search", "mine") == "invalid_api_key"


def test_a_secret_depends_on_the_master_key_and_survives_a_restart(store: Store, keys: Keys) -> None:
    key = keys.create(SEARCH)
    assert Keys(store, MASTER).get(key["uid"]) == key
    assert Keys(store, MASTER + "2").get(key["uid"])["key"] != key["key"]
    assert keys.get(key["key"]) == key


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"actions": ["fly"]}, "invalid_api_key_actions"),
        ({"actions": "search"}, "invalid_api_key_actions"),
        ({"indexes": ["a b"]}, "invalid_api_key_indexes"),
        ({"indexes": [1]}, "invalid_api_key_indexes"),
        ({"expiresAt": "2001-01-01"}, "invalid_api_key_expires_at"),
        ({"expiresAt": "soon"}, "invalid_api_key_expires_at"),
        ({"expiresAt": 5}, "invalid_api_key_expires_at"),
        ({"name": 1}, "invalid_api_key_name"),
        ({"description": []}, "invalid_api_key_description"),
        ({"uid": "x"}, "invalid_api_key_uid"),
        ({"uid": 7}, "invalid_api_key_uid"),
        ({"colour": 1}, "bad_request"),
    ],
)
def test_a_wrong_field_of_a_new_key_is_refused(keys: Keys, change: dict[str, Any], code: str) -> None:
    before = keys.all()
    with pytest.raises(ApiError) as refused:
        keys.create(SEARCH | change)
    assert refused.value.code == code
    assert keys.all() == before


@pytest.mark.parametrize("field", ["actions", "indexes", "expiresAt"])
def test_a_new_key_needs_these_fields(keys: Keys, field: str) -> None:
    with pytest.raises(ApiError) as refused:
        keys.create({name: value for name, value in SEARCH.items() if name != field})
    assert refused.value.code.startswith("missing_api_key_")


def test_two_keys_cannot_have_one_uid(keys: Keys) -> None:
    uid = "12345678-1234-4234-8234-123456789012"
    assert keys.create(SEARCH | {"uid": uid})["uid"] == uid
    with pytest.raises(ApiError) as refused:
        keys.create(SEARCH | {"uid": uid})
    assert refused.value.code == "api_key_already_exists"


def test_only_name_and_description_can_change(keys: Keys) -> None:
    key = keys.create(SEARCH | {"name": "before"})
    changed = keys.update(key["uid"], {"name": "after", "description": "new"})
    assert (changed["name"], changed["description"]) == ("after", "new")
    assert {**changed, "updatedAt": ""} == {**key, "name": "after", "description": "new", "updatedAt": ""}
    assert keys.get(key["uid"]) == changed
    for body, code in (
        ({"actions": ["*"]}, "immutable_api_key_actions"),
        ({"expiresAt": None}, "immutable_api_key_expires_at"),
        ({"name": 1}, "invalid_api_key_name"),
        ({"colour": 1}, "bad_request"),
    ):
        with pytest.raises(ApiError) as refused:
            keys.update(key["uid"], body)
        assert refused.value.code == code
    assert keys.get(key["uid"]) == changed


def test_a_deleted_key_opens_nothing(keys: Keys) -> None:
    key = keys.create(SEARCH)
    keys.delete(key["uid"])
    assert refusal(keys, bearer(key), "search", "mine") == "invalid_api_key"
    with pytest.raises(ApiError) as refused:
        keys.delete(key["uid"])
    assert refused.value.code == "api_key_not_found"
