"""The response of all routes that are not answered from a cache: JSON that no cache may store."""

from typing import Generic, TypeVar

import msgspec
from litestar import MediaType, Response

T = TypeVar("T")


class JsonResponse(Response[bytes], Generic[T]):
    """The JSON of a value of type T, as bytes."""

    def __init__(
        self, content: T | msgspec.Raw, *, etag: str = "", location: str = "", status: int | None = None
    ) -> None:
        """Encode an answer.

        Args:
            content: The value; `msgspec.Raw` holds bytes that are the JSON of a T already.
            etag: The ETag header's value, with its quotes; empty for no header.
            location: The Location header's value; empty for no header.
            status: Instead of the status that the route declares.
        """
        headers = {"Cache-Control": "no-store"}
        if etag:
            headers["ETag"] = etag
        if location:
            headers["Location"] = location
        body = msgspec.json.encode(content)
        super().__init__(body, media_type=MediaType.JSON, headers=headers, status_code=status)


def etag_of(rev: int) -> str:
    """Return the ETag of a row at revision `rev`. `api.http.request.expected_rev` reads the revision from it."""
    return f'"{rev}"'
