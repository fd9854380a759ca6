"""Values of a body have the types that the document names: "false" is no boolean, "5" is no number."""

import pytest
from sqlalchemy import text

from tests.support.client import Client
from tests.support.shared import SharedApi

PROGRAM = {"title": "T", "language": "en", "mediaType": "audio", "kind": "episode"}
CATEGORY = {"nameAr": "ت", "nameEn": "T"}


@pytest.mark.parametrize("wrong", ["false", "true", "", "no", 0, 1, 0.0, [], {}, None])
def test_only_true_and_false_are_booleans(wrong: object, shared: SharedApi) -> None:
    account = shared.staff["editor"].get("/accounts/me").json()["data"]
    for method, path, body, field in (
        ("PATCH", f"/accounts/users/{account['id']}", {"isActive": wrong}, "isActive"),
        ("POST", "/catalog/programs", PROGRAM | {"isFeatured": wrong}, "isFeatured"),
        ("POST", "/catalog/categories", CATEGORY | {"isActive": wrong}, "isActive"),
        ("POST", "/ops/drift", {"repair": wrong}, "repair"),
    ):
        answer = shared.staff["admin"].ask(method, path, json=body)
        said = (method, path, answer.status_code, answer.text)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), said
        assert [error["field"] for error in answer.json()["errors"]] == [field], said
    assert shared.staff["editor"].get("/accounts/me").json()["data"] == account
    with shared.database.connect() as connection:
        for table in ("programs", "categories", "drift_reports"):
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table


@pytest.mark.parametrize("wrong", ["5", 5.5, True, "five"])
def test_only_numbers_are_numbers(wrong: object, shared: SharedApi) -> None:
    for body, field in (
        (PROGRAM | {"durationSec": wrong}, "durationSec"),
        (PROGRAM | {"seriesId": wrong}, "seriesId"),
    ):
        answer = shared.staff["editor"].post("/catalog/programs", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), answer.text
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    with shared.database.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM programs")) == 0


def test_the_types_of_the_document_pass(staff: dict[str, Client]) -> None:
    for value in (True, False):
        made = staff["editor"].post("/catalog/programs", PROGRAM | {"isFeatured": value, "durationSec": 5})
        assert made.status_code == 201, made.text
        assert made.json()["data"]["isFeatured"] is value
        assert made.json()["data"]["durationSec"] == 5
