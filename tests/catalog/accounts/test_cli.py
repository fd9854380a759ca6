"""`thmanyah user`: accounts from the command line, and what it refuses."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.settings import Settings
from catalog.accounts import credentials, lifecycle, sessions
from catalog.accounts.cli import user
from tests.support.commands import Terminal

FIRST, SECOND = "correct horse battery", "staple battery horse"


@pytest.fixture
def terminal(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(settings, monkeypatch)


def password_is(session: Session, email: str, password: str) -> bool:
    session.expire_all()
    account = lifecycle.find_by_email(session, email)
    assert account is not None
    return credentials.verify(account.password_hash, password)


@pytest.mark.slow
def test_an_account_is_created_with_its_roles_and_its_password(terminal: Terminal, session: Session) -> None:
    done = terminal.type(
        user, "create", "a@example.com", "--role", "editor", "--role", "ops", THMANYAH_PASSWORD=FIRST
    )
    assert done == (0, "a@example.com: editor, ops\n")
    assert password_is(session, "a@example.com", FIRST)


def test_what_is_refused_is_one_line_and_changes_nothing(terminal: Terminal, session: Session) -> None:
    terminal.type(user, "create", "a@example.com", THMANYAH_PASSWORD=FIRST)
    for words, password in (
        (("create", "a@example.com"), SECOND),
        (("create", "b@example.com"), "short"),
        (("set-password", "nobody@example.com"), SECOND),
        (("set-password", "a@example.com"), "short"),
    ):
        done = terminal.type(user, *words, THMANYAH_PASSWORD=password)
        assert (done.code, done.said.startswith("Error: "), done.said.count("\n")) == (1, True, 1), done.said
    assert terminal.type(user, "create", "c@example.com", "--role", "king", THMANYAH_PASSWORD=FIRST).code == 2
    assert terminal.type(user, "list").said == "a@example.com: editor\n"
    assert password_is(session, "a@example.com", FIRST)


def test_a_new_password_signs_the_account_out_everywhere(terminal: Terminal, session: Session) -> None:
    terminal.type(user, "create", "a@example.com", THMANYAH_PASSWORD=FIRST)
    account = lifecycle.find_by_email(session, "a@example.com")
    assert account is not None
    sessions.sign_in(session, account, days=1)
    session.commit()
    done = terminal.type(user, "set-password", "a@example.com", THMANYAH_PASSWORD=SECOND)
    assert done == (0, "The password of a@example.com is changed.\n")
    assert password_is(session, "a@example.com", SECOND)
    assert session.scalar(text("SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NULL")) == 0


def test_the_list_names_closed_accounts_as_such(terminal: Terminal, session: Session) -> None:
    for name in ("a", "b"):
        terminal.type(user, "create", f"{name}@example.com", THMANYAH_PASSWORD=FIRST)
    session.execute(text("UPDATE accounts SET is_active = false WHERE email = 'a@example.com'"))
    session.commit()
    assert terminal.type(user, "list").said == "a@example.com: editor (closed)\nb@example.com: editor\n"
