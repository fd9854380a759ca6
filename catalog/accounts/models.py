"""Tables of accounts, refresh tokens and API keys. Of a secret only a hash is stored."""

from datetime import datetime

from sqlalchemy import ARRAY, DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base, BigId, CreatedAt

ROLES = ("editor", "reviewer", "ops", "admin")


class Account(Base):
    """A person who may sign in."""

    __tablename__ = "accounts"
    __table_args__ = (Index("accounts_email_key", func.lower(text("email")), unique=True),)

    id: Mapped[BigId]
    email: Mapped[str]
    name: Mapped[str] = mapped_column(default="", server_default="")
    password_hash: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    is_active: Mapped[bool] = mapped_column(default=True, server_default="true")
    # Access tokens contain this number: raising it makes every token issued before invalid.
    token_version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[CreatedAt]
    last_login_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # The link by which an admin lets the owner choose a new password, once.
    reset_hash: Mapped[str | None]
    reset_expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class RefreshToken(Base):
    """A refresh token. It is used once, for the next token of the same `family`."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index("refresh_tokens_family_idx", "family"),
        Index("refresh_tokens_account_id_idx", "account_id"),
        Index("refresh_tokens_expires_at_idx", "expires_at"),
    )

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    family: Mapped[str]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ApiKey(Base):
    """A key by which a client that is not a person calls the API, with its own roles and its own quota."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("api_keys_account_id_idx", "account_id"),)

    id: Mapped[BigId]
    key_hash: Mapped[str] = mapped_column(unique=True)
    prefix: Mapped[str]
    name: Mapped[str]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    quota_per_minute: Mapped[int | None]
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
