"""The log: one line an event on stderr, as JSON, or as text on a terminal.

It never holds keys, bodies or what else a client sends, except for the method.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from fft_tool.printable import printable

FIELDS = ("request_id", "method", "route", "status", "ms", "job_id", "kind")
"""Names in ``extra`` that become fields of the line."""


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **{name: vars(record)[name] for name in FIELDS if name in vars(record)},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class PlainLines(logging.Formatter):
    """Text for people; control characters are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        line = f"{time} {record.levelname.lower():7} {printable(record.getMessage())}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def log_to(stream: TextIO = sys.stderr) -> None:
    """Send the log of this process, libraries included, to a stream."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainLines() if stream.isatty() else JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "alembic", "huey", "botocore", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)
