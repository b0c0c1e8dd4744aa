"""The function's log group: new lines as they come, and each in a form for people."""

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
from tools.local_aws.aws import Aws
from tools.local_aws.cloud import LOG_GROUP
from tools.local_aws.say import say

OVERLAP_MS = 5000  # a line may be filed somewhat after its time
PAUSE = 0.3  # seconds between two looks, for people who watch

STYLES = {"done": "green", "rejected": "yellow", "failed": "bold red"}
PLATFORM = ("START RequestId:", "END RequestId:", "REPORT RequestId:")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log: what the function wrote, and when the log took it."""

    milliseconds: int
    text: str

    @property
    def json(self) -> Json | None:
        """The object that the line is, None if it is plain text."""
        try:
            value = json.loads(self.text)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    @property
    def summary(self) -> Json | None:
        """What became of an object, None if the line does not tell."""
        value = self.json
        return value if value and {"outcome", "key"} <= value.keys() else None


def show(aws: Aws, *, raw: bool, once: bool) -> None:
    """Print the log: what there is, or for as long as the local AWS is up and nobody interrupts."""
    from botocore.exceptions import EndpointConnectionError  # noqa: PLC0415

    tail, printer = Tail(aws), Printer(raw=raw)
    try:
        for line in tail.read() if once else tail.follow():
            printer.print(line)
    except KeyboardInterrupt:
        pass
    except EndpointConnectionError:
        say("local AWS: stopped")


class Tail:
    """Gives every line of the log group once, beginning with those of a moment."""

    def __init__(self, aws: Aws, since_ms: int = 0) -> None:
        self._aws, self._since = aws, since_ms
        self._newest = since_ms
        self._seen: set[str] = set()

    def read(self) -> list[Line]:
        """Lines that have come since the last look."""
        start = max(self._since, self._newest - OVERLAP_MS)
        pages = self._aws.logs.get_paginator("filter_log_events")
        try:
            found = list(pages.paginate(logGroupName=LOG_GROUP, startTime=start).search("events[]"))
        except self._aws.logs.exceptions.ResourceNotFoundException:  # nothing has ever been said
            return []
        # The emulator files all that an invocation says at once, in a stream of its own.
        new = [event for event in found if event["logStreamName"] not in self._seen]
        self._seen = {event["logStreamName"] for event in found}
        self._newest = max([self._newest, *(event["timestamp"] for event in found)])
        return [Line(event["timestamp"], event["message"]) for event in new]

    def follow(self) -> Iterator[Line]:
        """Give lines for ever."""
        while True:
            yield from self.read()
            time.sleep(PAUSE)


class Printer:
    """Writes lines to stdout, in colour on a terminal; what Lambda itself adds is left out."""

    def __init__(self, *, raw: bool) -> None:
        self._raw = raw
        self._console = Console(markup=False, emoji=False, highlight=False)

    def print(self, line: Line) -> None:
        """Write one line; in ``raw`` form only those that are JSON, as they are."""
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
    """Time, outcome and key of an object, and then what is worth knowing of it."""
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
        yield f"begun anew {summary['restarts']} ×"


def _size(count: int) -> str:
    return f"{count} B" if count < 1000 else f"{count / 1000:,.0f} kB"


def _clock(timestamp: Any) -> str:
    """Time of day here, of a time in UTC."""
    try:
        moment = datetime.fromisoformat(str(timestamp)).astimezone()
    except ValueError:
        moment = datetime.now(UTC).astimezone()
    return f"{moment:%H:%M:%S}"
