"""A deprecated route says so in each answer, in memory or not, and in the OpenAPI document."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from litestar import Litestar, get
from litestar.testing import TestClient

from api.answers.answer import Answered, Reply
from api.http.documents.deprecation import deprecated, headers_of
from api.http.request import ApiRequest

SINCE, SUNSET = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
left: list[object] = []


@get("/old", deprecated=True, middleware=[deprecated(SINCE, SUNSET, "/docs")], sync_to_thread=False)
def old(request: ApiRequest) -> Reply:
    """Answer as a cached route does."""
    request.scope["state"]["answered"] = Answered("key", "page")
    left.append(request.scope["state"])
    return Reply(200, [(b"link", b'</old?page=2>; rel="next"')], b"{}")


@get("/current", sync_to_thread=False)
def current() -> dict[str, int]:
    """Answer without headers."""
    return {}


def test_its_answers_have_the_headers_and_are_not_remembered() -> None:
    with TestClient(Litestar([old, current], request_class=ApiRequest)) as client:
        answer = client.get("/old")
        assert answer.headers["deprecation"] == "@1798761600"
        assert answer.headers["sunset"] == "Sat, 01 Jan 2028 00:00:00 GMT"
        assert 'rel="next"' in answer.headers["link"]
        assert '</docs>; rel="deprecation"; type="text/html"' in answer.headers["link"]
        assert "answered" not in left[-1]
        assert not {"deprecation", "sunset"} & client.get("/current").headers.keys()
        schema = client.app.openapi_schema.to_schema()["paths"]
    assert schema["/old"]["get"]["deprecated"] is True
    assert not schema["/current"]["get"].get("deprecated")


def test_a_sunset_may_be_open_and_times_are_those_of_greenwich() -> None:
    there = timezone(timedelta(hours=3))
    found = dict(headers_of(SINCE.astimezone(there), SUNSET.astimezone(there), "/docs"))
    assert found == dict(headers_of(SINCE, SUNSET, "/docs"))
    assert b"sunset" not in dict(headers_of(SINCE, None, "/docs"))


@pytest.mark.parametrize(
    ("since", "sunset"),
    [(SINCE.replace(tzinfo=None), None), (SINCE, SUNSET.replace(tzinfo=None)), (SUNSET, SINCE)],
)
def test_times_that_make_no_sense_are_refused(since: datetime, sunset: datetime | None) -> None:
    with pytest.raises(ValueError, match="A "):
        headers_of(since, sunset, "/docs")
