"""A server that speaks S3, with a bucket, on loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

from localbucket import S3Handler

from indexer.pictures.settings import PictureSettings


@contextmanager
def bucket(folder: Path) -> Iterator[dict[str, str]]:
    """Serve buckets from a folder until the block ends; give the variables of a store in one of them."""
    asked: list[str] = []

    class Handler(S3Handler):  # type: ignore[misc]  # the package has no types
        data_root = folder

        def log_message(self, *_: object) -> None:
            asked.append(self.headers.get("Authorization", ""))

    (folder / "pictures").mkdir(parents=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield {
            "PICTURES_BUCKET_URL": f"http://127.0.0.1:{server.server_address[1]}/pictures/covers",
            "PICTURES_BUCKET_KEY_ID": "key",
            "PICTURES_BUCKET_SECRET": "secret",
        }
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert all(line.startswith("AWS4-HMAC-SHA256 Credential=key/") for line in asked)


def settings_of(variables: dict[str, str]) -> PictureSettings:
    """Return the settings that variables make."""
    return PictureSettings.model_validate(variables)
