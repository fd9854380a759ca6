"""The store: what a transaction leaves behind, and what is found when the file is damaged."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.searchnode.index import settings
from deploy.searchnode.storage.database import CorruptStore
from deploy.searchnode.storage.documents import DocumentRow
from deploy.searchnode.storage.keys import KeyRecord
from deploy.searchnode.storage.store import Store
from deploy.searchnode.storage.tasks import Selection, TaskRecord

KEY: KeyRecord = {
    "name": "n",
    "description": None,
    "uid": "u",
    "actions": ["search"],
    "indexes": ["*"],
    "expiresAt": None,
    "createdAt": "",
    "updatedAt": "",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def task(kind: str = "documentDeletion", index: str | None = "mine", status: str = "enqueued") -> TaskRecord:
    return {
        "uid": 0,
        "batchUid": None,
        "indexUid": index,
        "status": status,
        "type": kind,
        "canceledBy": None,
        "details": None,
        "error": None,
        "duration": None,
        "enqueuedAt": "2026-01-01T00:00:00.000000Z",
        "startedAt": None,
        "finishedAt": None,
    }


def _fail_after_writing(store: Store) -> None:
    with store.transaction():
        number = store.indexes.create("mine", "id", "now")
        store.documents.put(number, [("a", b"{}", 0)], 1)
        raise ZeroDivisionError


def test_a_transaction_is_done_as_a_whole_or_not_at_all(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        _fail_after_writing(store)
    assert store.indexes.all() == []
    assert store.documents.all_of(1) == []
    with store.transaction(), store.transaction():
        store.indexes.create("mine", "id", "now")
    assert [row.uid for row in store.indexes.all()] == ["mine"]


def test_reads_do_not_see_what_is_not_committed(store: Store) -> None:
    with store.transaction():
        store.indexes.create("mine", None, "now")
        assert store.indexes.all() == []
    assert len(store.indexes.all()) == 1


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    first = Store(tmp_path)
    number = first.indexes.create("mine", "id", "now")
    first.documents.put(number, [("b", b'{"id":"b"}', 1), ("a", b'{"id":"a"}', 0)], 5)
    first.tasks.add(task(), b"payload")
    first.keys.add(KEY)
    first.close()
    second = Store(tmp_path)
    assert [(row.number, row.uid, row.primary_key) for row in second.indexes.all()] == [
        (number, "mine", "id")
    ]
    assert second.documents.all_of(number) == [
        DocumentRow("a", b'{"id":"a"}', 0, 5),
        DocumentRow("b", b'{"id":"b"}', 1, 5),
    ]
    waiting = second.tasks.next()
    assert waiting is not None
    assert (waiting[0]["uid"], waiting[1]) == (1, b"payload")
    assert second.keys.all() == [KEY]
    second.close()


def test_a_document_is_replaced_by_its_id(store: Store) -> None:
    store.documents.put(1, [("a", b"1", 0), ("b", b"2", 1)], 1)
    store.documents.put(1, [("a", b"3", 0)], 2)
    assert [(row.external, row.raw, row.number) for row in store.documents.all_of(1)] == [
        ("a", b"3", 0),
        ("b", b"2", 1),
    ]
    assert [row.revision for row in store.documents.all_of(1)] == [2, 1]


def test_documents_are_deleted_by_id_and_all_at_once(store: Store) -> None:
    store.documents.put(1, [(str(n), b"{}", n) for n in range(250)], 1)
    store.documents.put(2, [("0", b"{}", 0)], 1)
    store.documents.delete(1, ["0", "249", "unknown"])
    assert len(store.documents.all_of(1)) == 248
    store.documents.delete_all_of(1)
    assert store.documents.all_of(1) == []
    assert len(store.documents.all_of(2)) == 1


def test_settings_are_kept_and_new_ones_have_their_defaults(store: Store, tmp_path: Path) -> None:
    number = store.indexes.create("mine", None, "now")
    changed = {**settings.defaults(), "sortableAttributes": ["year"]}
    store.indexes.update(number, "id", changed, "later")
    (row,) = store.indexes.all()
    assert (row.primary_key, row.settings, row.created_at, row.updated_at) == ("id", changed, "now", "later")
    with sqlite3.connect(store.path) as database:
        database.execute("UPDATE indexes SET settings = '{\"facetSearch\": false}'")
    (row,) = store.indexes.all()
    assert row.settings == {**settings.defaults(), "facetSearch": False}


def test_two_indexes_exchange_their_uids(store: Store) -> None:
    left, right = store.indexes.create("left", None, "now"), store.indexes.create("right", None, "now")
    store.indexes.swap(("left", left), ("right", right))
    assert {row.uid: row.number for row in store.indexes.all()} == {"left": right, "right": left}
    store.indexes.delete(left)
    assert [row.uid for row in store.indexes.all()] == ["left"]


def test_tasks_are_executed_in_the_order_of_their_uids(store: Store) -> None:
    first, second = store.tasks.add(task(), b"1"), store.tasks.add(task(index=None), None)
    assert [first["uid"], second["uid"]] == [1, 2]
    assert store.tasks.last_finished() == 0
    assert store.tasks.busy_indexes() == {"mine", None}
    store.tasks.save({**first, "status": "succeeded"})
    waiting = store.tasks.next()
    assert waiting is not None
    assert waiting[0] == second
    assert store.tasks.last_finished() == 1
    assert store.tasks.busy_indexes() == {None}
    store.tasks.save({**second, "status": "failed"})
    assert store.tasks.next() is None


def test_selected_tasks_are_found_counted_and_deleted(store: Store) -> None:
    for n in range(4):
        status = "succeeded" if n % 2 else "enqueued"
        store.tasks.add(task(status=status, index="even" if n % 2 == 0 else "odd"), None)
    odd = Selection().and_("index_uid = ?", "odd")
    assert store.tasks.count(Selection()) == 4
    assert store.tasks.count(odd) == 2
    assert store.tasks.uids(odd) == [2, 4]
    assert [record["uid"] for record in store.tasks.find(odd, 1, oldest_first=False)] == [4]
    assert [record["uid"] for record in store.tasks.find(Selection(), 3, oldest_first=True)] == [1, 2, 3]
    assert store.tasks.find(odd.and_("uid > ?", 9), 5, oldest_first=True) == []
    assert [store.tasks.delete_finished(uid) for uid in (1, 2, 9)] == [0, 1, 0]
    assert store.tasks.get(2) is None
    assert store.tasks.get(1) is not None


def test_uids_of_deleted_tasks_are_not_used_again(store: Store) -> None:
    store.tasks.add(task(status="succeeded"), None)
    store.tasks.delete_finished(1)
    assert store.tasks.add(task(), None)["uid"] == 2


def test_a_key_whose_uid_is_taken_is_not_added(store: Store) -> None:
    assert store.keys.add(KEY)
    assert not store.keys.add({**KEY, "name": "other"})
    store.keys.update({**KEY, "name": "changed"})
    assert [key["name"] for key in store.keys.all()] == ["changed"]
    store.keys.delete("u")
    assert store.keys.all() == []


def test_a_named_value_is_written_by_its_first_reader(store: Store) -> None:
    assert store.meta("made", "no") == "no"
    assert store.meta("made", "other") == "no"
    store.set_meta("made", "yes")
    assert store.meta("made", "no") == "yes"


def test_a_file_that_is_no_database_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "searchnode.sqlite3").write_bytes(b"not a database " * 100)
    with pytest.raises(CorruptStore):
        Store(tmp_path)


def test_a_changed_document_is_found_out(store: Store) -> None:
    store.documents.put(1, [("a", b'{"id":"a"}', 0)], 1)
    with sqlite3.connect(store.path) as database:
        database.execute("UPDATE documents SET body = ?", (b'{"id":"b"}',))
    with pytest.raises(CorruptStore, match="document 'a' is not what was written"):
        store.documents.all_of(1)
