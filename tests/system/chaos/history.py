"""What happened, told by object: the story that a failure is explained by."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict


class History:
    """Lines by key, numbered over all of them, and how often each kind of thing happened."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = defaultdict(list)
        self._count = 0
        self._lock = threading.Lock()
        self.tally: Counter[str] = Counter()

    def note(self, key: str, text: str, *, counts_as: str = "") -> None:
        """Note what happened to an object; ``""`` is the key of what concerns none."""
        with self._lock:
            self._count += 1
            self._lines[key].append(f"{self._count:6} {text}")
        if counts_as:
            self.count(counts_as)

    def count(self, kind: str) -> None:
        """Count something that happened."""
        with self._lock:
            self.tally[kind] += 1

    def of(self, key: str) -> str:
        """Tell all that happened to an object."""
        with self._lock:
            return "\n".join(self._lines[key])
