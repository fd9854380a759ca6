"""Operators' routes for webhooks: what they write, what they refuse, and that a secret is shown once."""

from typing import Any

import pytest
from redis import Redis
from sqlalchemy import text

from api.operations.webhooks import jobs
from catalog.core.db import session_factory
from catalog.webhooks import endpoints
from tests.support.client import Client
from tests.support.journal import write_journal
from tests.support.processes import environment
from tests.support.programs import make
from tests.support.receivers import receiver
from tests.support.shared import SharedApi

PATH = "/ops/webhooks"
BODY: dict[str, Any] = {"url": "https://example.com/hook", "eventTypes": ["program.published"]}


@pytest.fixture
def ops(shared: SharedApi) -> Client:
    return shared.staff["ops"]


def create(ops: Client, **values: Any) -> tuple[dict[str, Any], str]:
    """Make an endpoint; return it and its secret."""
    made = ops.post(PATH, BODY | values)
    assert made.status_code == 201, made.text
    return made.json()["data"], made.json()["secret"]


def audited(shared: SharedApi, webhook_id: int) -> list[tuple[str, dict[str, Any]]]:
    """Return the actions that the audit log has of an endpoint, and their differences."""
    statement = (
        "SELECT action, diff FROM audit_events WHERE entity = 'webhook' AND entity_id = :id ORDER BY id"
    )
    with shared.database.connect() as connection:
        return [(row.action, row.diff) for row in connection.execute(text(statement), {"id": webhook_id})]


def test_an_endpoint_is_made_changed_and_deleted(shared: SharedApi, ops: Client) -> None:
    made = ops.post(PATH, BODY | {"description": "Our CDN"})
    found = made.json()["data"]
    address = f"{PATH}/{found['id']}"
    assert made.headers["location"] == address
    assert (found["state"], found["waiting"], found["delivered"]) == ("active", 0, 0)
    assert ops.get(address).json() == {"data": found}
    assert found in ops.get(PATH, limit=100).json()["data"]
    changed = ops.patch(address, {"eventTypes": ["program.withdrawn"]}, **{"If-Match": made.headers["etag"]})
    assert changed.json()["data"]["eventTypes"] == ["program.withdrawn"]
    stale = ops.patch(address, {"description": "x"}, **{"If-Match": made.headers["etag"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_revision")
    off = ops.patch(address, {"state": "disabled"}).json()["data"]
    assert (off["state"], off["disabledReason"]) == ("disabled", "person")
    assert ops.delete(address).status_code == 204
    assert ops.get(address).status_code == 404
    assert [action for action, _ in audited(shared, found["id"])] == [
        "webhook.create",
        "webhook.edit",
        "webhook.edit",
        "webhook.delete",
    ]


def test_a_secret_is_shown_once_and_stored_nowhere(shared: SharedApi, ops: Client) -> None:
    found, secret = create(ops)
    address = f"{PATH}/{found['id']}"
    rotated = ops.post(f"{address}/rotate", {"overlapHours": 2}).json()
    assert secret.startswith("whsec_")
    assert rotated["secret"] not in ("", secret)
    assert rotated["data"]["oldSecretUntil"] is not None
    everything = [ops.get(path).text for path in (address, PATH, f"{address}/deliveries", "/ops/audit-log")]
    with shared.database.connect() as connection:
        for table in ("webhook_endpoints", "audit_events", "idempotency_keys"):
            everything += [str(row) for row in connection.execute(text(f"SELECT * FROM {table}"))]
    for shown in (secret, rotated["secret"]):
        assert not [each for each in everything if shown.removeprefix("whsec_") in each]
    assert ("webhook.rotate", {"overlapHours": [None, 2]}) in audited(shared, found["id"])


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"url": "ftp://example.com/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://[::1]/"}, "url"),
        ({"url": "https://10.1.2.3/"}, "url"),
        ({"url": "https://example.com:22/"}, "url"),
        ({"url": "https://user:word@example.com/"}, "url"),
        ({"url": "https://example.com/#part"}, "url"),
        ({"url": "https://example.com/\u0000"}, "url"),
        ({"url": ""}, "url"),
        ({"eventTypes": ["program.viewed"]}, "eventTypes"),
        ({"eventTypes": ["program.published", "program.published"]}, "eventTypes"),
        ({"description": "\u0007"}, "description"),
    ],
)
def test_a_wrong_endpoint_is_refused(values: dict[str, Any], field: str, ops: Client) -> None:
    refused = ops.post(PATH, BODY | values)
    assert refused.status_code == 422, refused.text
    assert (refused.json()["code"], refused.json()["errors"][0]["field"]) == ("validation_failed", field)


def test_a_name_may_stand_for_a_trusted_address(ops: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_TRUSTED", "10.0.0.5:9000")
    create(ops, url="https://receiver.internal:9000/hook")
    refused = ops.post(PATH, BODY | {"url": "https://receiver.internal:9001/hook"})
    (error,) = refused.json()["errors"]
    assert (error["code"], error["message"]) == ("forbidden_port", "No connection is made to port 9001.")


def test_there_are_not_too_many(ops: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MAX_ENDPOINTS", 0)
    refused = ops.post(PATH, BODY)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")


def test_a_test_and_a_message_sent_again_are_queued_and_done_by_jobs(
    shared: SharedApi, ops: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(shared.settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("THMANYAH_SECRET_KEY", shared.settings.api.secret_key.get_secret_value())
    with receiver() as hook, Redis.from_url(shared.settings.indexer.redis_queue_url) as redis:
        monkeypatch.setenv("WEBHOOK_TRUSTED", hook.trusted)
        found, secret = create(ops, url=hook.url)
        address = f"{PATH}/{found['id']}"
        with session_factory(shared.database).begin() as session:
            program_id = make(session, "published", title="Told").id
        write_journal(shared.database)
        assert ops.get(address).json()["data"]["waiting"] > 0
        waiting = jobs.WaitingWebhooks(shared.database, redis)
        assert f"webhook-{found['id']}" in waiting.enqueue_waiting()
        # It has a job already.
        assert f"webhook-{found['id']}" not in waiting.enqueue_waiting()
        taken = jobs.deliver(found["id"])
        assert taken == 1, ops.get(f"{address}/deliveries").text
        assert hook.told() == [("published", program_id)]
        hook.verify(secret)
        (sent,) = ops.get(f"{address}/deliveries").json()["data"]
        assert (sent["kind"], sent["state"], sent["status"], sent["programId"]) == (
            "event",
            "delivered",
            200,
            program_id,
        )
        for path in (f"{address}/test", f"{address}/deliveries/{sent['id']}/send-again"):
            queued = ops.post(path)
            assert queued.status_code == 202
            assert queued.json()["data"]["state"] == "queued"
            (name,) = waiting.enqueue_waiting()
            assert name == f"webhook-delivery-{queued.json()['data']['id']}"
            jobs.send_queued(queued.json()["data"]["id"])
            assert ops.get(queued.headers["location"]).json()["data"]["state"] == "delivered"
        assert [each["type"] for each in hook.messages()] == [
            "program.published",
            "webhook.test",
            "program.published",
        ]
        refused = ops.post(f"{address}/deliveries/{queued.json()['data']['id'] - 1}/send-again")
        assert refused.status_code == 422
        assert ops.get(address).json()["data"]["waiting"] == 0
        metrics = shared.listener.get("/metrics").text
        assert f'webhook_messages_total{{outcome="delivered",webhook="{found["id"]}"}} 1.0' in metrics
        assert f'webhook_failing_seconds{{webhook="{found["id"]}"}} 0.0' in metrics
        assert "journal_behind_seconds 0.0" in metrics


def test_what_is_not_there_is_404(ops: Client) -> None:
    found, _ = create(ops)
    for path in (f"{PATH}/999999", f"{PATH}/{found['id']}/deliveries/999999", f"{PATH}/999999/deliveries"):
        assert ops.get(path).status_code == 404, path
    assert ops.post(f"{PATH}/{found['id']}/deliveries/999999/send-again").status_code == 404
