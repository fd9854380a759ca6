"""How Alembic runs migrations: on the connection that `catalog.schema.migrate` hands over, never from a file."""

from alembic import context
from sqlalchemy import Connection, text

# A migration that cannot get its lock quickly fails and is tried again; waiting would queue
# every query of the product behind it.
LOCK_TIMEOUT = "5s"


def run(connection: Connection) -> None:
    """Run what was asked inside one transaction per migration."""
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text("SET statement_timeout = 0"))
    connection.commit()
    context.configure(
        connection=connection, transaction_per_migration=True, **context.config.attributes["options"]
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
