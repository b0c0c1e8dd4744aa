"""The log of a Lambda function: reading new lines, and printing them in a readable form."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from fft_tool.printable import printable, printable_lines

OVERLAP_MS = 10_000  # a line may appear in the log up to this long after its timestamp

STYLES = {"done": "green", "rejected": "yellow", "failed": "bold red"}
PLATFORM = ("START RequestId:", "END RequestId:", "REPORT RequestId:")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log, with its timestamp."""

    milliseconds: int
    text: str

    @property
    def json(self) -> Json | None:
        """The line as a JSON object; None if it is anything else."""
        try:
            value = json.loads(self.text)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    @property
    def summary(self) -> Json | None:
        """The outcome of one S3 object; None if the line is about something else."""
        value = self.json
        return value if value and {"outcome", "key"} <= value.keys() else None


class Tail:
    """Reads each line of a log group once, in the order of the timestamps."""

    def __init__(self, logs: Any, group: str, since_ms: int = 0) -> None:
        self._logs, self._group, self._since = logs, group, since_ms
        self._newest = since_ms
        self._seen: set[str] = set()

    def read(self) -> list[Line]:
        """Lines that have arrived since the last call; none while the group does not exist."""
        start = max(self._since, self._newest - OVERLAP_MS)
        pages = self._logs.get_paginator("filter_log_events")
        try:
            found = list(
                pages.paginate(logGroupName=self._group, startTime=start).search("events[]")
            )
        except self._logs.exceptions.ResourceNotFoundException:
            return []
        new = [event for event in found if _identity(event) not in self._seen]
        self._seen = {_identity(event) for event in found}
        self._newest = max([self._newest, *(event["timestamp"] for event in found)])
        return [Line(event["timestamp"], event["message"].rstrip("\n")) for event in new]

    def follow(self, pause: float) -> Iterator[Line]:
        """Yield new lines forever, with ``pause`` seconds between two requests."""
        while True:
            yield from self.read()
            time.sleep(pause)


def _identity(event: Mapping[str, Any]) -> str:
    """Identifier of a line.

    The local emulator does not give lines identifiers, but adds all lines of an invocation at once,
    to a separate stream: the name of the stream then identifies them.
    """
    return str(event.get("eventId") or event["logStreamName"])


class Printer:
    """Prints lines to stdout, in colour on a terminal, without those that Lambda itself adds."""

    def __init__(self, *, raw: bool) -> None:
        self._raw = raw
        self._console = Console(markup=False, emoji=False, highlight=False)

    def print(self, line: Line) -> None:
        """Print a line; ``raw`` prints only JSON lines, unchanged."""
        if self._raw:
            if line.json is not None:
                self._write(Text(printable(line.text)))
        elif line.summary is not None:
            self._write(readable(line.summary))
        elif not line.text.startswith(PLATFORM):
            self._write(Text(printable_lines(line.text)))

    def _write(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)
        self._console.file.flush()


def readable(summary: Json) -> Text:
    """Time, outcome and key of an object, then its details."""
    outcome = str(summary["outcome"])
    head = Text.assemble(
        (_clock(summary.get("timestamp")), "dim"),
        "  ",
        (f"{outcome:8}", STYLES.get(outcome, "dim")),
        "  ",
        printable(str(summary["key"] or summary.get("bucket"))),
    )
    return head.append("  ".join(["", *_details(summary)]), "dim")


def _details(summary: Json) -> Iterator[str]:
    error = summary.get("error")
    if summary.get("state"):
        yield printable(str(summary["state"]))
    if error:
        yield f"{error['code']}: {printable(error['message'])}"
    if summary.get("reason"):
        yield printable(summary["reason"])
    if summary.get("width") and summary.get("height"):
        yield f"{summary['width']} × {summary['height']}"
    if summary.get("bytes") is not None:
        yield _size(summary["bytes"])
    if summary.get("total_ms"):
        yield f"{summary['total_ms']:.0f} ms"
    if summary.get("cold"):
        yield "cold"
    if summary.get("attempt", 1) > 1:
        yield f"attempt {summary['attempt']}"
    if summary.get("restarts"):
        yield f"restarted {summary['restarts']} ×"


def _size(count: int) -> str:
    return f"{count} B" if count < 1000 else f"{count / 1000:,.0f} kB"


def _clock(timestamp: Any) -> str:
    """Local time of day of an ISO 8601 timestamp; the current time if there is none."""
    try:
        moment = datetime.fromisoformat(str(timestamp)).astimezone()
    except ValueError:
        moment = datetime.now(UTC).astimezone()
    return f"{moment:%H:%M:%S}"
