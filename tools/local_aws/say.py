"""How this tool speaks to people: on stderr, since stdout is for data."""

from __future__ import annotations

import sys


def say(text: str = "") -> None:
    """Tell people something."""
    print(text, file=sys.stderr, flush=True)
