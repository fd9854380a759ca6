"""The migrations, in the order of their dates. `thmanyah migrate` runs them by Alembic."""
