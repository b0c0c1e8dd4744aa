"""The writes of the workers: a record must be written after everything that it lists."""

from __future__ import annotations

import json
import threading
from hashlib import sha256

from tests.system.chaos.load import OUTPUT


class Ledger:
    """Hashes of the objects that each worker has written, by key."""

    def __init__(self) -> None:
        self._written: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def enter(self, worker: str, key: str, data: bytes) -> list[str]:
        """Note a write; for a record, returns the artifacts that it lists wrongly."""
        with self._lock:
            self._written[worker, key] = sha256(data).hexdigest()
            if not key.endswith("_metadata.json"):
                return []
            return [
                f"{worker} wrote the record before {entry['name']}"
                for entry in json.loads(data)["artifacts"]
                if self._written.get((worker, OUTPUT + entry["name"])) != entry["sha256"]
            ]
