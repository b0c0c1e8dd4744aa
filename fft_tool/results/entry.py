"""One result, read back for a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fft_tool.validate import Json


@dataclass(frozen=True, slots=True)
class Entry:
    """One analysed or rejected source: its record and, if available, the bytes of its images.

    ``record`` is the result of :func:`fft_tool.results.record.from_bytes`. ``pictures`` are the
    artifacts shown in a report, by kind. ``source`` is the source image itself.
    """

    record: Json
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    source: bytes | None = None
