"""Lists of programs that people keep under a name, and the only writes of their table.

They are a person's own: no audit event tells of them, and they end with the account.
"""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from catalog.accounts.models import Account
from catalog.core import fields
from catalog.core.db import flush, locked
from catalog.core.errors import Conflict, NotFound, ValidationFailed
from catalog.programs.listing.models import SavedFilter

# A query string has room for the most values that every filter may have, in Arabic letters.
MAX_FILTERS, MAX_NAME, MAX_QUERY = 50, 60, 40_000
_NAME, _QUERY = fields.text(MAX_NAME, required=True), fields.text(MAX_QUERY, required=True)


def of_account(session: Session, account_id: int) -> Sequence[SavedFilter]:
    """Return the lists that an account keeps, by name."""
    mine = select(SavedFilter).where(SavedFilter.account_id == account_id)
    return session.scalars(mine.order_by(SavedFilter.name, SavedFilter.id)).all()


def save(session: Session, account_id: int, name: str, query: str) -> SavedFilter:
    """Keep a list under a name.

    Args:
        session: The transaction.
        account_id: Whose list it is.
        name: Blanks around it are left out.
        query: The query string of the list, checked by the caller.

    Raises:
        ValidationFailed: The name or the query string is empty or too long.
        Conflict: The account keeps a list of this name, or as many lists as it may.
    """
    name = name.strip()
    errors = [*_NAME("name", name), *_QUERY("query", query)]
    if errors:
        raise ValidationFailed(errors)
    # One at a time: two requests cannot exceed the limit together.
    locked(session, Account, account_id)
    if len(of_account(session, account_id)) >= MAX_FILTERS:
        raise Conflict(f"There are {MAX_FILTERS} filters already: delete one first.")
    row = SavedFilter(account_id=account_id, name=name, query=query)
    session.add(row)
    flush(session, "Another filter has this name.", {"name": "name"})
    session.refresh(row)
    return row


def forget(session: Session, account_id: int, filter_id: int) -> None:
    """Delete a list that an account keeps.

    Args:
        session: The transaction.
        account_id: Whose list it is.
        filter_id: The list.

    Raises:
        NotFound: The account keeps no such list.
    """
    mine = delete(SavedFilter).where(SavedFilter.id == filter_id, SavedFilter.account_id == account_id)
    if session.scalars(mine.returning(SavedFilter.id)).one_or_none() is None:
        raise NotFound("filter", filter_id)
