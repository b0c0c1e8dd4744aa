"""What Alembic runs to migrate: on the connection and in the transaction of the caller."""

from __future__ import annotations

from alembic import context

_LOADED_BY_ALEMBIC = "env_py"  # the name that it gives to this module


def migrate() -> None:
    """Run the migrations that are due."""
    given = context.config.attributes
    context.configure(connection=given["connection"], version_table=given["version_table"])
    with context.begin_transaction():
        context.run_migrations()


if __name__ == _LOADED_BY_ALEMBIC:
    migrate()
