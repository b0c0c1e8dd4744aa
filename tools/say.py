"""Messages for people, on stderr: stdout is for data."""

from __future__ import annotations

import sys


def say(text: str = "") -> None:
    """Print a message at once."""
    print(text, file=sys.stderr, flush=True)
