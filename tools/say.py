"""Messages for the user, on stderr: stdout is for data."""

from __future__ import annotations

import sys


def say(text: str = "") -> None:
    """Print a message and flush it."""
    print(text, file=sys.stderr, flush=True)
