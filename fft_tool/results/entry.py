"""One result, read back to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fft_tool.validate import Json


@dataclass(frozen=True, slots=True)
class Entry:
    """One analysed (or rejected) source: its record and, where at hand, its images' bytes.

    ``record`` is as :func:`fft_tool.results.record.from_bytes` gives it; ``pictures`` are the
    artifacts that a page shows, by their kind, ``source`` is the image itself.
    """

    record: Json
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    source: bytes | None = None
