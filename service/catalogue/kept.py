"""What is kept of an asset as a blob, and when it was last asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from service.parts import Parts

NOTED = timedelta(hours=1)
"""How old a note of the last request may be before it is renewed: purging counts in days."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file to be sent: the blob with its bytes, its media type, a file name, and its size."""

    sha256: str
    content_type: str
    name: str
    bytes: int


def note_request(parts: Parts, table: sa.Table, row: sa.Row[Any]) -> None:
    """Note that a rendition or an artifact was asked for, so that it is not purged.

    Not each time: then, showing a picture would always wait for the database to write.
    """
    now = parts.clock.now()
    if now - row.asked_at < NOTED:
        return
    with parts.database.begin(lasting=False) as session:
        session.execute(sa.update(table).where(table.c.id == row.id).values(asked_at=now))
