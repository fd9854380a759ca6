"""Messages to endpoints: signed, in order, at least once, with pauses after failures, and given up after a week."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import select
from standardwebhooks.webhooks import WebhookVerificationError

from api.operations.webhooks.delivering import Deliverer
from api.operations.webhooks.sending import Sender
from api.operations.webhooks.settings import WebhookSettings
from catalog.core.audit import AuditEvent
from catalog.core.db import session_factory
from catalog.webhooks import deliveries, endpoints
from tests.support.hooked import KEY, Product
from tests.support.journal import write_journal
from tests.support.programs import EDITOR, make
from tests.support.receivers import Receiver


def test_an_endpoint_is_told_of_what_happens_in_order(product: Product) -> None:
    one = product.publish("قهوة المساء")
    assert product.deliver() == 1
    product.act(one, "edit")
    two = product.publish("Two")
    assert product.deliver() == 2
    product.act(one, "unpublish")
    assert product.deliver() == 1
    assert product.deliver() == 0
    assert product.hook.told() == [
        ("published", one),
        ("changed", one),
        ("published", two),
        ("withdrawn", one),
    ]
    first, *_, last = product.hook.messages()
    assert first["data"]["program"]["title"] == "قهوة المساء"
    assert datetime.fromisoformat(first["timestamp"]).tzinfo is not None
    assert last["data"] == {"id": one}
    ids = [headers["webhook-id"] for headers, _ in product.hook.taken]
    assert len(set(ids)) == 4
    for number in range(4):
        assert product.hook.verify(product.secret, number) == product.hook.messages()[number]
    with pytest.raises(WebhookVerificationError):
        product.hook.verify("whsec_" + "A" * 43 + "=")
    assert [(row.state, row.status, row.body) for row in product.log()] == [("delivered", 200, "ok")] * 4
    assert (product.endpoint().delivered, product.endpoint().failed) == (4, 0)


def test_what_was_published_before_is_only_told_when_it_changes(database: Database, hook: Receiver) -> None:
    with session_factory(database).begin() as session:
        earlier = make(session, "published", title="Earlier").id
    write_journal(database)
    product = Product(database, hook)
    assert product.deliver() == 0
    product.act(earlier, "edit")
    assert product.deliver() == 1
    assert hook.told() == [("changed", earlier)]


@pytest.mark.parametrize("status", [500, 404, 302, 429])
def test_a_message_that_fails_is_tried_again_before_any_other(status: int, product: Product) -> None:
    product.hook.status = status
    product.hook.headers = {"Location": "http://127.0.0.1:1/"}
    one, two = product.publish("One"), product.publish("Two")
    assert product.deliver() == 0
    # Nothing before the pause is over.
    assert product.deliver() == 0
    assert product.hook.told() == [("published", one)]
    waits = product.endpoint()
    assert waits.attempts == 1
    assert waits.failing_since is not None
    assert timedelta(seconds=4) < waits.next_at - waits.failing_since < timedelta(seconds=7)
    product.hook.status = 200
    product.run("UPDATE webhook_endpoints SET next_at = now()")
    assert product.deliver() == 2
    assert product.hook.told() == [("published", one), ("published", one), ("published", two)]
    ids = [headers["webhook-id"] for headers, _ in product.hook.taken]
    assert ids[0] == ids[1] != ids[2]
    assert [(row.state, row.status, row.attempt) for row in product.log()] == [
        ("failed", status, 1),
        ("delivered", 200, 2),
        ("delivered", 200, 1),
    ]
    found = product.endpoint()
    assert (found.attempts, found.failing_since, found.failed) == (0, None, 1)


def test_pauses_grow_as_the_standard_proposes_and_a_server_may_ask_for_longer_ones() -> None:
    for attempts, base in enumerate((*deliveries.PAUSES, deliveries.PAUSES[-1], deliveries.PAUSES[-1]), 1):
        assert base <= deliveries.pause(attempts) <= base * 1.2
    assert deliveries.pause(1, asked=90) == 90
    assert deliveries.pause(1, asked=10**6) == deliveries.LONGEST_ASKED


@pytest.mark.parametrize(
    ("status", "days", "reason"), [(410, 0, "gone"), (500, 7, "failures"), (500, 6, None)]
)
def test_it_is_given_up_after_a_week_or_when_the_server_says_so(
    status: int, days: int, reason: str | None, product: Product
) -> None:
    product.hook.status = status
    product.publish()
    product.run(
        "UPDATE webhook_endpoints SET attempts = 9, failing_since = now() - make_interval(days => :days)",
        days=days,
    )
    assert product.deliver() == 0
    found = product.endpoint()
    assert (found.state, found.disabled_reason) == (("disabled", reason) if reason else ("active", None))
    with product.session() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "webhook.disable")).all()
        assert [(event.actor_kind, event.diff["disabledReason"]) for event in events] == (
            [("system", [None, reason])] if reason else []
        )
    product.run("UPDATE webhook_endpoints SET next_at = now()")
    product.deliver()
    assert len(product.hook.taken) == (1 if reason else 2)


def test_an_endpoint_that_was_given_up_goes_on_where_it_was(product: Product) -> None:
    product.hook.status = 410
    one = product.publish("One")
    product.deliver()
    two = product.publish("Two")
    write_journal(product.database)
    product.act(one, "edit")
    write_journal(product.database)
    product.hook.status = 200
    with product.session() as session:
        endpoints.edit(session, product.id, {"state": "active"}, EDITOR)
    assert product.deliver() == 3
    told = [("published", one), ("published", one), ("published", two), ("changed", one)]
    assert product.hook.told() == told


def test_only_chosen_types_are_sent(database: Database, hook: Receiver) -> None:
    product = Product(database, hook, ("program.withdrawn",))
    ids = [product.publish(f"Number {n}") for n in range(25)]
    assert product.deliver() == 0
    product.act(ids[3], "archive")
    assert product.deliver() == 1
    assert hook.told() == [("withdrawn", ids[3])]


class Dies(Sender):
    """Sends, and its process dies before it can note that."""

    def send(self, *arguments: Any) -> Any:
        super().send(*arguments)
        raise KeyboardInterrupt


def test_a_job_that_dies_after_sending_sends_the_same_message_again(product: Product) -> None:
    one = product.publish()
    with pytest.raises(KeyboardInterrupt):
        product.deliver(sender=Dies(WebhookSettings(trusted=product.hook.trusted), needs_https=False))
    # Its lease has to end first.
    assert product.deliver() == 0
    product.run("UPDATE webhook_endpoints SET lease_until = now() - interval '1 second'")
    assert product.deliver() == 1
    assert product.hook.told() == [("published", one)] * 2
    first, second = (headers["webhook-id"] for headers, _ in product.hook.taken)
    assert first == second


def test_what_is_withdrawn_before_it_was_sent_is_not_shown(product: Product) -> None:
    product.hook.status = 500
    one = product.publish()
    product.deliver()
    product.act(one, "unpublish")
    # The journal does not know of it yet.
    product.run("UPDATE webhook_endpoints SET next_at = now()")
    sender = Sender(WebhookSettings(trusted=product.hook.trusted), needs_https=False)
    Deliverer(product.database, sender, KEY).deliver(product.id)
    assert product.hook.told() == [("published", one), ("withdrawn", one)]
    assert product.hook.messages()[1]["data"] == {"id": one}


def test_a_rotated_secret_overlaps_with_the_one_before(product: Product) -> None:
    with product.session() as session:
        _, fresh = endpoints.rotate(session, product.id, KEY, EDITOR, overlap_hours=1)
    product.publish("One")
    product.deliver()
    assert fresh != product.secret
    for secret in (fresh, product.secret):
        product.hook.verify(secret)
    product.run("UPDATE webhook_endpoints SET old_until = now()")
    product.publish("Two")
    product.deliver()
    product.hook.verify(fresh)
    with pytest.raises(WebhookVerificationError):
        product.hook.verify(product.secret)


def test_nothing_is_signed_with_another_key(product: Product) -> None:
    product.publish()
    assert product.deliver(key="another key of 32 bytes or more ..") == 0
    assert product.hook.taken == []
    assert [row.error for row in product.log()] == ["secret_changed"]


def _queue(product: Product, delivery_id: int | None = None) -> int:
    with product.session() as session:
        if delivery_id is None:
            return endpoints.queue_test(session, product.id, EDITOR).id
        return endpoints.send_again(session, product.id, delivery_id, EDITOR).id


def test_a_test_is_sent_to_a_disabled_endpoint_and_changes_nothing(product: Product) -> None:
    with product.session() as session:
        endpoints.edit(session, product.id, {"state": "disabled"}, EDITOR)
    product.hook.said = b"\x00\xff" + "قهوة".encode() * 1_000
    for status in (200, 503):
        product.hook.status = status
        product.send_queued(_queue(product))
    assert [each["type"] for each in product.hook.messages()] == ["webhook.test"] * 2
    product.hook.verify(product.secret)
    good, bad = product.log()
    assert (good.state, good.status, bad.state, bad.status) == ("delivered", 200, "failed", 503)
    assert len(good.body) <= deliveries.MAX_BODY
    assert good.body.startswith("\ufffd\ufffdقهوة")
    found = product.endpoint()
    assert (found.state, found.attempts, found.failing_since) == ("disabled", 0, None)
    # A job that comes twice sends once.
    product.send_queued(good.id)
    assert len(product.hook.taken) == 2


def test_a_message_is_sent_again_as_the_program_is_now(product: Product) -> None:
    one = product.publish()
    product.deliver()
    product.act(one, "edit")
    product.send_queued(_queue(product, product.log()[0].id))
    product.act(one, "unpublish")
    write_journal(product.database)
    product.send_queued(_queue(product, product.log()[0].id))
    first, second, third = product.hook.messages()
    assert second["type"] == "program.published"
    assert second["data"]["program"]["title"] == "Other" != first["data"]["program"]["title"]
    assert (third["type"], third["data"]) == ("program.withdrawn", {"id": one})
    assert len({headers["webhook-id"] for headers, _ in product.hook.taken}) == 1


def test_the_log_is_bounded(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "KEPT", 3)
    ids = [product.publish(f"Number {n}") for n in range(5)]
    assert product.deliver() == 5
    assert [row.program_id for row in product.log()] == ids[2:]
