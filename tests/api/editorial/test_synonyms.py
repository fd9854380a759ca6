"""Synonyms over HTTP: reviewers write them, editors read them, every change has a revision and an audit event."""

import pytest

from tests.support.shared import SharedApi

PAIR = {"kind": "two_way", "terms": ["بودكاست", "podcast"]}


def test_a_synonym_is_made_changed_and_deleted(shared: SharedApi) -> None:
    editor, reviewer = shared.staff["editor"], shared.staff["reviewer"]
    once = {"Idempotency-Key": "one"}
    answers = [reviewer.post("/catalog/synonyms", PAIR, **once) for _ in range(2)]
    made = answers[0].json()["data"]
    assert (answers[0].status_code, answers[1].json()["data"]) == (201, made)
    assert made == PAIR | {"id": made["id"], "finds": [], "language": None, "rev": 1}
    path = answers[0].headers["location"]
    assert path == f"/catalog/synonyms/{made['id']}"
    one_way = {"kind": "one_way", "terms": ["Show%"], "finds": ["بَرنامج"], "language": None}
    other = reviewer.post("/catalog/synonyms", one_way).json()["data"]
    for q, found in (
        ("بود", [made]),
        ("POD", [made]),
        ("show%", [other]),
        ("برن", [other]),
        ("%", []),
        ("x", []),
    ):
        assert editor.get("/catalog/synonyms", q=q).json()["data"] == found, q
    assert editor.get("/catalog/synonyms", limit=1).json()["meta"]["nextCursor"] == str(made["id"])
    for refused in (
        reviewer.patch(path, {"terms": ["a", "b"]}, **{"If-Match": '"7"'}),
        reviewer.delete(path, **{"If-Match": '"7"'}),
    ):
        assert (refused.status_code, refused.headers["etag"]) == (412, '"1"')
    changed = reviewer.patch(path, {"kind": "one_way", "finds": ["صوت"]}, **{"If-Match": '"1"'})
    assert (changed.json()["data"]["finds"], changed.headers["etag"]) == (["صوت"], '"2"')
    assert reviewer.patch(path, {"finds": ["صوت"]}).headers["etag"] == '"2"'
    assert editor.get(path).headers["etag"] == '"2"'
    assert editor.delete(path).status_code == 403
    assert reviewer.delete(path).status_code == 204
    assert editor.get(path).status_code == 404
    # Newest first, also of what was deleted.
    events = editor.get(f"{path}/audit").json()["data"][::-1]
    assert editor.get(f"{path}/audit", limit=1, before=events[-1]["id"]).json()["data"] == [events[-2]]
    assert [event["action"] for event in events] == ["synonym.create", "synonym.edit", "synonym.delete"]
    assert events[1]["diff"] == {"kind": ["two_way", "one_way"], "finds": [[], ["صوت"]]}


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"kind": "both"}, "kind", "invalid"),
        ({"language": "fr"}, "language", "invalid"),
        ({"terms": ["alone"]}, "terms", "required"),
        ({"terms": []}, "terms", "required"),
        ({"terms": ["a", " "]}, "terms[1]", "required"),
        ({"terms": ["a", "!?"]}, "terms[1]", "invalid"),
        ({"terms": ["a", "x" * 61]}, "terms[1]", "too_long"),
        ({"terms": ["a", "one two three four"]}, "terms[1]", "too_long"),
        ({"terms": ["القهوة", "coffee", "قهوه"]}, "terms[2]", "duplicate"),
        ({"terms": [f"w{n}" for n in range(11)]}, "terms", "invalid"),
        ({"finds": ["b"]}, "finds", "invalid"),
        ({"kind": "one_way"}, "finds", "required"),
        ({"language": "ar"}, "terms[1]", "invalid"),
        ({"language": "en"}, "terms[0]", "invalid"),
        ({"kind": "one_way", "language": "ar", "terms": ["قهوة ٣"], "finds": ["tea"]}, "finds[0]", "invalid"),
        ({"word": "x"}, "word", "unknown"),
    ],
)
def test_wrong_values_are_refused_with_their_field(
    shared: SharedApi, values: dict[str, object], field: str, code: str
) -> None:
    reviewer = shared.staff["reviewer"]
    before = reviewer.get("/catalog/synonyms", limit=100).json()["data"]
    refused = reviewer.post("/catalog/synonyms", PAIR | values)
    error = refused.json()["errors"][0]
    assert (refused.status_code, error["field"], error["code"]) == (422, field, code)
    assert reviewer.get("/catalog/synonyms", limit=100).json()["data"] == before
