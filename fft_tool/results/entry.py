"""One result, read back to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One analysed (or rejected) source: its record and, where at hand, its images' bytes.

    ``record`` is as :func:`fft_tool.results.record.from_bytes` gives it; ``magnitude``, ``phase``,
    ``crop`` and ``filtered`` are the artifacts of those kinds, ``source`` is the image itself.
    """

    record: Json
    magnitude: bytes | None
    phase: bytes | None
    source: bytes | None
    crop: bytes | None = None
    filtered: bytes | None = None
