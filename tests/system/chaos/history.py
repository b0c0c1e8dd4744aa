"""The history of each object, to explain failures."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict


class History:
    """Numbered lines by key, and counts of each kind of event."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = defaultdict(list)
        self._count = 0
        self._lock = threading.Lock()
        self.tally: Counter[str] = Counter()

    def note(self, key: str, text: str, *, counts_as: str = "") -> None:
        """Record an event of an object; the key ``""`` is for events of no object."""
        with self._lock:
            self._count += 1
            self._lines[key].append(f"{self._count:6} {text}")
        if counts_as:
            self.count(counts_as)

    def count(self, kind: str) -> None:
        """Count an event."""
        with self._lock:
            self.tally[kind] += 1

    def of(self, key: str) -> str:
        """All events of an object, as text."""
        with self._lock:
            return "\n".join(self._lines[key])
