"""The log: JSON lines for programs, plain ones for people, nothing that could pass for another."""

from __future__ import annotations

import json
import logging

from service.log import JsonLines, PlainLines

FORGED = 'a\n{"level": "info", "message": "forged"}\x1b[2J'


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"msg": message, "levelname": "INFO", **extra})
    made.created = 0.0
    return made


def test_an_event_is_one_json_object_in_one_line() -> None:
    line = JsonLines().format(record(FORGED, request_id="7", status=200, password="hunter2"))  # noqa: S106
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "info",
        "message": FORGED,
        "request_id": "7",
        "status": 200,
    }


def test_plain_lines_escape_what_would_move_the_cursor() -> None:
    line = PlainLines().format(record(FORGED))
    assert "\n" not in line
    assert "\x1b" not in line


def test_an_exception_has_its_traceback() -> None:
    try:
        int("what")
    except ValueError as exc:
        told = record("failed", exc_info=(type(exc), exc, exc.__traceback__))
    assert "ValueError: invalid literal" in json.loads(JsonLines().format(told))["traceback"]
    assert "ValueError: invalid literal" in PlainLines().format(told)
