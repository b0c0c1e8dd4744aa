"""Keys that failed: printed, written to a file, and read from one to be run again."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from fft_tool.backfill.parts import Line
from fft_tool.cli.output import print_line, say
from fft_tool.errors import NotFound, UsageError
from fft_tool.printable import printable

SHOWN = 20  # failures that are printed, of any number


def report_failures(
    options: argparse.Namespace, run: str, failures: Sequence[Line], redo: Callable[[str], str]
) -> int:
    """Print what failed, write the keys to a file, and print the command that runs them again."""
    if not failures:
        if not options.quiet:
            say("nothing failed")
        return 0
    for line in failures[:SHOWN]:
        say(f"{printable(line.key)}: {line.outcome}: {line.code}: {printable(line.message)}")
    if len(failures) > SHOWN:
        say(f"… and {len(failures) - SHOWN:,} more")
    name = options.failures or f"fft-backfill-{run}-failed.txt"
    keys = "".join(f"{_as_line(line.key)}\n" for line in failures)
    Path(name).write_text(keys, "utf-8", errors="surrogateescape")
    say(f"{len(failures):,} failed; their keys are in {name}; this runs them again:")
    print_line(redo(name))
    return 1


def read_keys(location: str) -> list[str]:
    """Keys in a file, one a line; one in quotation marks is a JSON string."""
    try:
        lines = Path(location).read_text("utf-8", errors="surrogateescape").split("\n")
    except OSError as exc:
        raise NotFound(f"--keys {location}: {(exc.strerror or str(exc)).lower()}") from exc
    keys = [json.loads(line) if line.startswith('"') else line for line in lines if line]
    if not keys:
        raise UsageError(f"--keys {location}: has no keys")
    return keys


def _as_line(key: str) -> str:
    return key if key.isprintable() and not key.startswith('"') else json.dumps(key)
