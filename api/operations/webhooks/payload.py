"""What a message says: its type, when the change entered the journal, and the program as the feed of changes tells it."""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import RowMapping

from api.http.schemas import Model, Moment, ProgramDetail, program_detail
from catalog.journal.queries import ChangeType, change_of

_encode = msgspec.json.Encoder().encode


class MessageData(Model):
    """The program that a message is about. `program` is as it was when the message was sent; a withdrawn one has none."""

    id: int | UnsetType = UNSET
    program: ProgramDetail | UnsetType = UNSET


class WebhookMessage(Model):
    """The body of a message."""

    type: str
    timestamp: Moment
    data: MessageData


def event(row: RowMapping) -> tuple[str, bytes]:
    """Return the type and the body of a message about an entry: a row of `catalog.journal.queries.page`."""
    said = change_of(row)
    program = UNSET if said == "program.withdrawn" else program_detail(row)
    data = MessageData(id=row["program_id"], program=program)
    return said, _encode(WebhookMessage(type=said, timestamp=row["changed_at"], data=data))


def again(event_type: str, program_id: int, row: RowMapping | None, now: datetime) -> tuple[str, bytes]:
    """Return the type and the body of a message that is sent again: what the program is now.

    Args:
        event_type: What was sent.
        program_id: The program.
        row: Of `catalog.journal.queries.one`; None when the journal does not know the program any more.
        now: The time of a message about a program that it does not know.
    """
    said: ChangeType = "program.withdrawn"
    program: ProgramDetail | UnsetType = UNSET
    if row is not None and row["id"] is not None:
        said = "program.changed" if event_type == "program.changed" else "program.published"
        program = program_detail(row)
    at = now if row is None else row["changed_at"]
    data = MessageData(id=program_id, program=program)
    return said, _encode(WebhookMessage(type=said, timestamp=at, data=data))


def trial(event_type: str, now: datetime) -> bytes:
    """Return the body of a test."""
    return _encode(WebhookMessage(type=event_type, timestamp=now, data=MessageData()))
