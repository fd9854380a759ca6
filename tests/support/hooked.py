"""A catalogue with a webhook, and what it takes to have its messages sent."""

from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import select, text

from api.operations.webhooks.delivering import Deliverer
from api.operations.webhooks.sending import Sender
from api.operations.webhooks.settings import WebhookSettings
from catalog.core.db import session_factory
from catalog.journal.queries import CHANGE_TYPES
from catalog.programs import editing, lifecycle
from catalog.webhooks import endpoints
from catalog.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.support.journal import write_journal
from tests.support.programs import EDITOR, make
from tests.support.receivers import Receiver

KEY = "a key of this product's own, 32 bytes"


class Product:
    """A catalogue with one endpoint."""

    def __init__(self, database: Database, hook: Receiver, types: tuple[str, ...] = CHANGE_TYPES) -> None:
        self.database, self.hook = database, hook
        with self.session() as session:
            values = {"url": hook.url, "event_types": list(types)}
            row, self.secret = endpoints.create(session, values, KEY, EDITOR)
            self.id = row.id

    def session(self) -> Any:
        return session_factory(self.database).begin()

    def publish(self, title: str = "One") -> int:
        with self.session() as session:
            return make(session, "published", title=title).id

    def act(self, program_id: int, action: str) -> None:
        with self.session() as session:
            if action == "edit":
                editing.edit(session, program_id, {"title": "Other"}, EDITOR)
            else:
                lifecycle.transition(session, program_id, action, EDITOR)

    def deliver(self, key: str = KEY, sender: Sender | None = None) -> int:
        """Write the journal, and send what waits."""
        write_journal(self.database)
        usual = Sender(WebhookSettings(trusted=self.hook.trusted), needs_https=False)
        return Deliverer(self.database, sender or usual, key).deliver(self.id)

    def send_queued(self, delivery_id: int) -> None:
        sender = Sender(WebhookSettings(trusted=self.hook.trusted), needs_https=False)
        Deliverer(self.database, sender, KEY).send_queued(delivery_id)

    def endpoint(self) -> WebhookEndpoint:
        with session_factory(self.database)() as session:
            return session.get_one(WebhookEndpoint, self.id)

    def log(self) -> list[WebhookDelivery]:
        with session_factory(self.database)() as session:
            mine = select(WebhookDelivery).order_by(WebhookDelivery.id)
            return list(session.scalars(mine))

    def run(self, statement: str, **values: object) -> None:
        with self.session() as session:
            session.execute(text(statement), values)
