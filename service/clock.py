"""The time, as the functions of the service see it: tests pass a clock of their own."""

from __future__ import annotations

from datetime import UTC, datetime


class Clock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return datetime.now(UTC)
