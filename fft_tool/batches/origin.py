"""What identifies a revision of a job, and the rows that come of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Origin:
    """What all rows of a revision have in common."""

    job_id: str
    source_prefix: str
    key: str
    revision: int
    created_at: str

    def at(self, revision: int) -> Origin:
        """Return the same under another number."""
        return replace(self, revision=revision)

    def row_id(self, batch: int, color: str) -> str:
        """Identity of a row: the same images and settings have the same one."""
        parts = [self.source_prefix, self.job_id, self.key, self.revision, batch, color]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
