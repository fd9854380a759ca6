"""How Alembic connects: by the connection handed over by `catalog.migrate`, never by a file."""

from alembic import context
from sqlalchemy import Connection, text

from catalog.models import Base

# A migration that cannot get its lock quickly fails and is tried again; waiting would queue
# every query of the product behind it.
LOCK_TIMEOUT = "5s"


def run(connection: Connection) -> None:
    """Run what was asked inside one transaction per migration."""
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text("SET statement_timeout = 0"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
