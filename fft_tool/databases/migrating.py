"""Bringing tables up to date with Alembic."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from fft_tool.databases.addresses import place_of
from fft_tool.databases.engines import transaction
from fft_tool.errors import BadDatabase

_ENVIRONMENT = "fft_tool.databases:environment"


@dataclass(frozen=True, slots=True)
class Migrations:
    """The migrations of some tables.

    ``scripts`` names their folder (``package:folder``), ``versions`` the table that holds the
    current one, and ``lock`` is the number of PostgreSQL's advisory lock on them: two sets of
    tables may share a database.
    """

    scripts: str
    versions: str
    lock: int

    def run(self, engine: sa.Engine, url: sa.URL) -> None:
        """Bring the tables up to date, while nobody else does."""
        config = Config()
        config.set_main_option("script_location", _ENVIRONMENT)
        config.set_main_option("path_separator", "newline")  # not the colon
        config.set_main_option("version_locations", self.scripts)
        scripts = ScriptDirectory.from_config(config)
        with transaction(engine, url) as connection:
            if self._current(connection, url, scripts) == scripts.get_current_head():
                return
        with transaction(engine, url) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(self.lock)))
            if self._current(connection, url, scripts) != scripts.get_current_head():
                config.attributes.update(connection=connection, version_table=self.versions)
                command.upgrade(config, "head")

    def _current(
        self, connection: sa.Connection, url: sa.URL, scripts: ScriptDirectory
    ) -> str | None:
        options = {"version_table": self.versions}
        found = MigrationContext.configure(connection, opts=options).get_current_revision()
        if found is not None and found not in {
            script.revision for script in scripts.walk_revisions()
        }:
            raise BadDatabase(
                f"{place_of(url)}: its tables are those of another version of fft-tool "
                f"({found}): update this one"
            )
        return found
