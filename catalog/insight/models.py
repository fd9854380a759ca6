"""The table of searches."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Date, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from catalog.core.base import Base

# The script that a query is written in: Arabic, Latin, or any other.
LANGUAGES = ("ar", "en", "other")
_NONE = text("0")


class QueryDaily(Base):
    """How often a query was asked on a day, what it found, and what listeners chose of that.

    Days are those of UTC. `query` is in the spelling of comparison; without one the row has the sums of its day and language.

    Attributes:
        searches: First pages of results.
        pages: Further pages.
        empty: First pages without a result.
        hits: Results of the first pages, added up.
        rungs: Which readings of the query answered, and how often.
        filters: The filters that were set, and how often.
        clicks: Results that were opened.
        positions: The places of these results, added up.
        plays: Results that were played.
    """

    __tablename__ = "query_daily"
    __table_args__ = (CheckConstraint("language IN ('ar', 'en', 'other')", name="language"),)

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    query: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    searches: Mapped[int] = mapped_column(server_default=_NONE)
    pages: Mapped[int] = mapped_column(server_default=_NONE)
    empty: Mapped[int] = mapped_column(server_default=_NONE)
    hits: Mapped[int] = mapped_column(server_default=_NONE)
    clicks: Mapped[int] = mapped_column(server_default=_NONE)
    positions: Mapped[int] = mapped_column(server_default=_NONE)
    plays: Mapped[int] = mapped_column(server_default=_NONE)
    rungs: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    filters: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
