"""An endpoint's turn: what operators do while a message is sent, slow servers, and what is no longer kept."""

from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.operations.webhooks import delivering
from api.operations.webhooks.sending import Sender
from api.operations.webhooks.settings import WebhookSettings
from catalog.core.audit import AuditEvent
from catalog.webhooks import endpoints
from tests.support.hooked import KEY, Product
from tests.support.journal import write_journal
from tests.support.programs import EDITOR
from tests.support.receivers import Receiver, receiver


def test_skip_leaves_out_what_waits(product: Product) -> None:
    product.publish("One")
    write_journal(product.database)
    with product.session() as session:
        endpoints.edit(session, product.id, {}, EDITOR, skip=True)
    two = product.publish("Two")
    product.deliver()
    assert product.hook.told() == [("published", two)]


class Meanwhile(Sender):
    """Sends, and has an operator do something before the answer is noted."""

    def __init__(self, product: Product, **values: Any) -> None:
        super().__init__(WebhookSettings(trusted=product.hook.trusted), needs_https=False)
        self.product, self.values = product, values

    def send(self, *arguments: Any) -> Any:
        outcome = super().send(*arguments)
        with self.product.session() as session:
            values = dict(self.values)
            skip = values.pop("skip", False)
            endpoints.edit(session, self.product.id, values, EDITOR, skip=skip)
        return outcome


def test_a_message_that_is_being_sent_does_not_undo_skip(product: Product) -> None:
    one = product.publish("One")
    product.publish("Two")
    assert product.deliver(sender=Meanwhile(product, skip=True)) == 0
    # The lease has ended with the edit, so the next change is sent at once.
    three = product.publish("Three")
    assert product.deliver() == 1
    assert product.hook.told() == [("published", one), ("published", three)]


@pytest.mark.parametrize("status", [200, 500])
def test_a_message_that_is_being_sent_to_an_old_address_goes_to_the_new_one(
    status: int, product: Product
) -> None:
    product.hook.status = status
    one = product.publish("One")
    with receiver() as moved:
        assert product.deliver(sender=Meanwhile(product, url=moved.url)) == 0
        found = product.endpoint()
        assert (found.attempts, found.failing_since, product.log()) == (0, None, [])
        product.hook = moved
        assert product.deliver() == 1
        assert moved.told() == [("published", one)]


class Clock:
    """Each look at it takes some seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.now = seconds, 0.0

    def monotonic(self) -> float:
        self.now += self.seconds
        return self.now


@pytest.mark.parametrize(("few", "rests"), [(delivering.FEW, True), (1, False)])
def test_a_slow_server_leaves_the_workers_to_others(
    few: int, rests: bool, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    product.publish("One")
    product.publish("Two")
    monkeypatch.setattr(delivering, "time", Clock(delivering.STRETCH * 0.75))
    monkeypatch.setattr(delivering, "FEW", few)
    assert product.deliver() == 1
    product.run("UPDATE webhook_endpoints SET next_at = next_at - make_interval(secs => :rest)", rest=29)
    # Nobody has it, and what waits is due after the rest.
    assert product.endpoint().lease_token is None
    assert product.deliver() == (0 if rests else 1)
    product.run("UPDATE webhook_endpoints SET next_at = next_at - interval '1 hour'")
    assert product.deliver() == (1 if rests else 0)


def test_what_concerns_nobody_takes_no_longer_than_a_stretch(
    database: Database, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = Product(database, hook, ("program.withdrawn",))
    for number in range(4):
        product.publish(f"Number {number}")
    monkeypatch.setattr(delivering, "time", Clock(delivering.STRETCH * 0.4))
    monkeypatch.setattr(delivering, "_READ", 1)
    before = product.endpoint().position
    assert product.deliver() == 0
    assert product.endpoint().position == before + 2


def test_after_a_rotation_its_server_is_tried_at_once(product: Product) -> None:
    product.publish()
    assert product.deliver(key="another key of 32 bytes or more ..") == 0
    assert product.deliver() == 0
    with product.session() as session:
        endpoints.rotate(session, product.id, KEY, EDITOR)
    assert (product.endpoint().attempts, product.endpoint().failing_since) == (0, None)
    assert product.deliver() == 1


def _lose_withdrawals(product: Product) -> None:
    """Have a message wait, and delete withdrawals in front of it."""
    one = product.publish()
    product.act(one, "edit")
    write_journal(product.database)
    product.run("UPDATE journal_state SET floor = (SELECT max(position) FROM journal)")


def test_an_endpoint_that_missed_what_is_no_longer_kept_needs_skip(
    product: Product, session: Session
) -> None:
    _lose_withdrawals(product)
    # What changes nothing of that is let through.
    endpoints.edit(session, product.id, {"description": "Our CDN"}, EDITOR)
    session.commit()
    assert product.deliver() == 0
    found = product.endpoint()
    assert (found.state, found.disabled_reason, found.lease_token) == ("disabled", "missed", None)
    (event,) = session.scalars(select(AuditEvent).where(AuditEvent.action == "webhook.disable"))
    assert (event.actor_kind, event.diff["disabledReason"]) == ("system", [None, "missed"])
    with pytest.raises(endpoints.Conflict):
        endpoints.edit(session, product.id, {"state": "active"}, EDITOR)
    session.rollback()
    assert endpoints.edit(session, product.id, {"state": "active"}, EDITOR, skip=True).state == "active"
    session.commit()
    two = product.publish("Two")
    assert product.deliver() == 1
    assert product.hook.told() == [("published", two)]


def test_who_is_not_told_of_withdrawals_misses_none(database: Database, hook: Receiver) -> None:
    product = Product(database, hook, ("program.published",))
    _lose_withdrawals(product)
    assert product.deliver() == 1
