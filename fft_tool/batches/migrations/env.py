"""What Alembic runs to migrate: on the connection and in the transaction of the caller."""

from __future__ import annotations

from alembic import context

from fft_tool.batches.tables import METADATA

_LOADED_BY_ALEMBIC = "env_py"  # the name that it gives to this module


def migrate() -> None:
    """Run the migrations that are due."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=METADATA)
    with context.begin_transaction():
        context.run_migrations()


if __name__ == _LOADED_BY_ALEMBIC:
    migrate()
