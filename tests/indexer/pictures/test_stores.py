"""Stores of pictures: a folder, and a bucket over real connections. A picture is whole in its place, or not there."""

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from indexer.pictures import bucket as bucket_module
from indexer.pictures.bucket import Bucket
from indexer.pictures.folder import Folder
from indexer.pictures.opening import open_store
from indexer.pictures.recognising import recognise
from indexer.pictures.storing import Store, StoreAway, is_name, name_of
from tests.support import files
from tests.support.buckets import bucket, settings_of
from tests.support.sites import site

NAME = "0123456789abcdef0123456789abcdef.png"


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "folder":
        yield Folder(str(tmp_path / "a" / "pictures"))
        return
    with bucket(tmp_path / "s3") as variables:
        yield Bucket(settings_of(variables))


def test_what_is_kept_comes_back(store: Store) -> None:
    content = files.png(50, 40, more=os.urandom(300_000))
    assert store.get(NAME) is None
    store.put(NAME, content)
    assert store.get(NAME) == content
    store.put(NAME, content)
    assert store.get(NAME) == content
    assert store.get(NAME.replace("png", "jpg")) is None


def test_many_at_once_keep_one_whole_picture(store: Store) -> None:
    content, seen = files.png(50, 40, more=os.urandom(500_000)), set()

    def keep() -> None:
        store.put(NAME, content)
        seen.add(store.get(NAME))

    threads = [threading.Thread(target=keep) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {content}


def test_a_name_follows_from_the_content() -> None:
    one, other = files.png(40, 40, more=b"one"), files.png(40, 40, more=b"other")
    pictures = [recognise(content) for content in (one, other)]
    assert pictures[0] is not None
    assert pictures[1] is not None
    names = {name_of(one, pictures[0]), name_of(one, pictures[0]), name_of(other, pictures[1])}
    assert len(names) == 2
    assert all(is_name(name) for name in names)
    for name in (
        "../x.png",
        "a.png",
        NAME.upper(),
        NAME + "\n",
        f"{NAME}/..",
        NAME.replace("png", "svg"),
        "",
    ):
        assert not is_name(name), name


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Folder(str(tmp_path / "pictures"))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreAway, match="No space left"):
        store.put(NAME, files.png())
    assert list((tmp_path / "pictures").iterdir()) == []
    assert store.get(NAME) is None


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Folder(str(tmp_path / "file"))
    with pytest.raises(StoreAway):
        store.put(NAME, b"x")
    with pytest.raises(StoreAway):
        store.get(NAME)


def test_a_bucket_that_is_away_or_refuses_is_told() -> None:
    common = {"PICTURES_BUCKET_KEY_ID": "key", "PICTURES_BUCKET_SECRET": "secret", "PICTURES_TIMEOUT": "5"}
    away = Bucket(settings_of(common | {"PICTURES_BUCKET_URL": "http://127.0.0.1:1/pictures"}))
    with site() as server:
        path = f"/pictures/{NAME}"
        refusing = Bucket(settings_of(common | {"PICTURES_BUCKET_URL": server.url("/pictures")}))
        server.pages[path] = (403, {}, b"<Error/>")
        # This server takes no PUT at all.
        for store in (away, refusing):
            with pytest.raises(StoreAway):
                store.put(NAME, b"x")
            with pytest.raises(StoreAway):
                store.get(NAME)
        # Nobody follows a redirect with a signature.
        server.pages[path] = (302, {"Location": "/elsewhere"}, b"")
        with pytest.raises(StoreAway):
            refusing.get(NAME)
        assert "/elsewhere" not in server.paths()
        small = Bucket(
            settings_of(
                common | {"PICTURES_BUCKET_URL": server.url("/pictures"), "PICTURES_MAX_BYTES": "1000"}
            )
        )
        server.pages[path] = (200, {}, b"x" * 1001)
        with pytest.raises(StoreAway, match="larger"):
            small.get(NAME)


def test_a_server_that_sends_a_picture_too_slowly_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bucket(tmp_path / "s3") as variables:
        store = Bucket(settings_of(variables))
        store.put(NAME, files.png())
        # The time is up before the first part has come.
        monkeypatch.setattr(bucket_module, "_TIMES", -1)
        with pytest.raises(StoreAway, match="too slow"):
            store.get(NAME)


def test_the_settings_name_one_store(tmp_path: Path) -> None:
    assert open_store(settings_of({})) is None
    assert isinstance(open_store(settings_of({"PICTURES_FOLDER": str(tmp_path)})), Folder)
    address = {"PICTURES_BUCKET_URL": "https://s3.example/pictures"}
    key = {"PICTURES_BUCKET_KEY_ID": "key", "PICTURES_BUCKET_SECRET": "secret"}
    assert isinstance(open_store(settings_of(address | key)), Bucket)
    for wrong in (
        address,
        address | key | {"PICTURES_FOLDER": "x"},
        key | {"PICTURES_BUCKET_URL": "https://s3.example"},
        key | {"PICTURES_BUCKET_URL": "https://u:p@s3.example/pictures"},
        key | {"PICTURES_BUCKET_URL": "s3://pictures"},
    ):
        with pytest.raises(ValidationError):
            settings_of(wrong)
