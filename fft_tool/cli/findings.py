"""What was found in one image, as plain text for the terminal."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from fft_tool.printable import printable
from fft_tool.report.sentences import findings

_WIDEST, _NARROWEST = 100, 40  # columns; longer lines are hard to read, shorter ones are ragged
_GAP = 2


def lines(record: Mapping[str, Any]) -> Iterator[str]:
    """Sentences on an analysed image, each after its topic, wrapped to the terminal's width."""
    found = findings(record)
    indent = max(len(finding.topic) for finding in found) + _GAP
    columns = min(shutil.get_terminal_size().columns - 1, _WIDEST)
    for finding in found:
        yield from textwrap.wrap(
            printable(finding.text),
            max(columns, _NARROWEST),
            initial_indent=finding.topic.ljust(indent),
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
