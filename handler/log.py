"""The log: one JSON line per object, in the format of Lambda's own log lines.

The line also carries its metrics in CloudWatch's embedded metric format:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import re
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any

from fft_tool.errors import Aborted
from fft_tool.runs.child import ChildBug
from fft_tool.validate import Json
from handler.deadline import Deadline
from handler.events import Message, Part
from handler.result import Result

# The setting of this door that raises a limit, by the code of the error.
SETTINGS = {
    "too-many-pixels": "FFT_MAX_PIXELS",
    "too-much-memory": "more memory for the function",
    "too-much-output": "FFT_MAX_OUTPUT_BYTES",
}

COUNTED: dict[str, str] = {"done": "Processed", "rejected": "Rejected", "failed": "Failed"}
LEVELS = {
    "done": "INFO",
    "superseded": "INFO",
    "ignored": "INFO",
    "rejected": "WARN",
    "missing": "WARN",
}

_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")

LONGEST_TEXT = 4000  # characters


class Log:
    """Writes the log lines of one function; each invocation sets its request id."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._function = self._request = ""
        self._told: dict[str, str] = {}

    def begin(self, function: str, request: str, **told: str) -> None:
        """Set the function name, the request id and other fields for the lines that follow."""
        self._function, self._request = function, request
        self._told = {name: _short(text) for name, text in told.items() if text}

    def result(self, result: Result, deadline: Deadline, message: Message, *, cold: bool) -> None:
        """Write the summary line of one object."""
        level = LEVELS.get(result.outcome) or _level_of(result.error)
        problem = result.problem()
        line = {
            "messageId": _short(message.identifier) or None,
            "bucket": _short(result.part.bucket),
            "key": _short(result.part.key),
            "outcome": result.outcome,
            "bytes": result.size,
            "width": result.width,
            "height": result.height,
            "outputs": len(result.outputs),
            "bytes_written": deadline.bytes_written,
            "milliseconds": deadline.milliseconds,
            "total_ms": deadline.total_ms,
            "cold": cold,
            "attempt": message.attempt,
            "restarts": deadline.restarts,
            "broken_off": deadline.broken_off,
            "error": problem and {name: _short(text) for name, text in problem.items()},
            "reason": _short(result.reason) or None,
        }
        if result.outcome in (*COUNTED, "superseded"):  # that may have written something too
            line |= self._metrics(result, deadline, message.attempt)
        if result.code == "bug" and result.error:
            line |= stack_of(result.error)
        self.write(level, _sentence(result, deadline), line)

    def broken_off(self, part: Part, message: Message, error: Aborted) -> None:
        """Log that the work on an object was broken off and will be tried once more."""
        line = {
            "messageId": _short(message.identifier) or None,
            "bucket": _short(part.bucket),
            "key": _short(part.key),
            "attempt": message.attempt,
            "error": {"code": error.code, "message": _short(str(error))},
        }
        self.write("WARN", f"{part.key}: broken off, will be tried once more: {error}", line)

    def write(self, level: str, message: str, fields: Mapping[str, Any]) -> None:
        """Write and flush one line: Lambda may freeze the process as soon as it has answered."""
        now = round(1000 * time.time())
        line = {
            "timestamp": _iso(now),
            "level": level,
            "message": _short(message),
            "requestId": self._request,
            **self._told,
            **fields,
        }
        if "_aws" in line:
            line["_aws"] |= {"Timestamp": now}
        data = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        sys.stdout.flush()
        # Control characters and unpaired surrogates are written as JSON escapes.
        sys.stdout.buffer.write(f"{_UNPRINTABLE.sub(_escaped, data)}\n".encode())
        sys.stdout.buffer.flush()

    def _metrics(self, result: Result, deadline: Deadline, attempt: int) -> Json:
        values: dict[str, tuple[str, float]] = {
            name: ("Count", int(result.outcome == outcome)) for outcome, name in COUNTED.items()
        }
        values["Retried"] = "Count", int(attempt > 1)
        values["BrokenOff"] = "Count", deadline.broken_off
        values["BytesWritten"] = "Bytes", deadline.bytes_written
        if result.outcome == "done":
            values["Duration"] = "Milliseconds", deadline.total_ms
            values["Pixels"] = "Count", (result.width or 0) * (result.height or 0)
        return self.metrics(values)

    def metrics(self, values: Mapping[str, tuple[str, float]]) -> Json:
        """Fields of a line that make CloudWatch count metrics: ``{"Failed": ("Count", 1)}``."""
        definitions = [{"Name": name, "Unit": unit} for name, (unit, _) in values.items()]
        directive = {
            "Namespace": self._namespace,
            "Dimensions": [["FunctionName"]],
            "Metrics": definitions,
        }
        return {
            "FunctionName": self._function,
            **{name: value for name, (_, value) in values.items()},
            "_aws": {"CloudWatchMetrics": [directive]},
        }


def _escaped(found: re.Match[str]) -> str:
    text = found[0]
    return text if text.isprintable() else json.dumps(text)[1:-1]


def _sentence(result: Result, deadline: Deadline) -> str:
    """The human-readable message of a line."""
    place = result.part.key or result.part.bucket or "event"
    if result.outcome == "done":
        return f"{place}: done in {deadline.total_ms:.0f} ms"
    setting = SETTINGS.get(result.code) if result.error else None
    advice = f"; {setting} raises the limit" if setting else ""
    return f"{place}: {result.outcome}: {result.message}{advice}"


def _level_of(error: Exception | None) -> str:
    """Transient errors are warnings; others need attention."""
    return "WARN" if getattr(error, "transient", False) else "ERROR"


def stack_of(error: Exception) -> Json:
    """The fields with which Lambda itself logs an exception."""
    kind, stack = type(error).__name__, traceback.format_tb(error.__traceback__)
    if isinstance(error, ChildBug):
        kind, stack = error.type_name, error.stack
    return {"errorType": kind, "errorMessage": _short(str(error)), "stackTrace": stack}


def _iso(milliseconds: int) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{whole}.{milliseconds % 1000:03d}Z"


def _short(text: str) -> str:
    """Shorten a text: CloudWatch extracts no metrics from lines over 256 KB."""
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
