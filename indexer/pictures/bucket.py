"""Pictures in a bucket of a server that speaks S3: Amazon's, or another one's.

Each request is signed (AWS Signature Version 4). A PUT of S3 is whole or does not happen.
See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
"""

import time

import requests
from requests_aws4auth import AWS4Auth

from indexer.pictures.settings import PictureSettings
from indexer.pictures.storing import TYPES, StoreAway

_CHUNK = 64 * 1024
# The whole of a picture may take as many times the setting's seconds.
_TIMES = 3


class Bucket:
    """A bucket, with the beginning that all names in it have."""

    def __init__(self, settings: PictureSettings) -> None:
        """Keep pictures in the bucket that the settings name."""
        self._settings = settings

    def _send(self, method: str, name: str, **more: object) -> requests.Response:
        settings = self._settings
        secret = settings.bucket_secret.get_secret_value()
        signature = AWS4Auth(settings.bucket_key_id, secret, settings.bucket_region, "s3")
        with requests.Session() as session:
            # Neither proxies nor passwords of the machine.
            session.trust_env = False
            found: requests.Response = session.request(
                method,
                f"{settings.bucket_url}/{name}",
                auth=signature,
                timeout=settings.timeout,
                allow_redirects=False,
                **more,  # type: ignore[arg-type]  # options of requests
            )
            return found

    def put(self, name: str, content: bytes) -> None:
        """Keep a picture.

        Args:
            name: Of the picture.
            content: All bytes.

        Raises:
            StoreAway: The server does not answer, or refuses.
        """
        headers = {
            "Content-Type": TYPES[name.rpartition(".")[2]],
            "Cache-Control": "public, max-age=31536000, immutable",
        }
        try:
            answer = self._send("PUT", name, data=content, headers=headers)
        except requests.RequestException as error:
            raise StoreAway("the server of the bucket does not answer") from error
        if answer.status_code not in (200, 201, 204):
            raise StoreAway(f"the server of the bucket answers {answer.status_code}")

    def get(self, name: str) -> bytes | None:
        """Return a picture; None when there is none of this name.

        Args:
            name: Of the picture.

        Raises:
            StoreAway: The server does not answer, refuses, is too slow, or has a file that is larger than a picture may be.
        """
        most = self._settings.max_bytes
        ends = time.monotonic() + _TIMES * self._settings.timeout
        try:
            # With the connection of the session closed, what is not read is not received.
            answer = self._send("GET", name, stream=True)
            with answer:
                if answer.status_code == 404:
                    return None
                if answer.status_code != 200:
                    raise StoreAway(f"the server of the bucket answers {answer.status_code}")
                content = bytearray()
                for chunk in answer.iter_content(_CHUNK):
                    content += chunk
                    if len(content) > most:
                        raise StoreAway("the file in the bucket is larger than a picture may be")
                    if time.monotonic() > ends:
                        raise StoreAway("the server of the bucket is too slow")
                return bytes(content)
        except requests.RequestException as error:
            raise StoreAway("the server of the bucket does not answer") from error
