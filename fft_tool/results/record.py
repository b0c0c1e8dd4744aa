"""Reading and writing records: the JSON that goes with the artifacts, and its schema."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fft_tool.errors import BadArtifact
from fft_tool.results.sections import SCHEMA_NAME
from fft_tool.validate import Json, number

LONGEST = 8 << 20
"""Maximum size of a record in bytes: room for two corrections and the jumps, whose size is bounded.

All other sections take some 20 kB.
"""

_CORRECTED_SHARE, _MAX_CORRECTED = 32, 1 << 18


def max_corrected(size: int) -> int:
    """Maximum number of pixels in the correction of an image of ``size`` pixels.

    One in 32, which is ten times what the 16-bit pictures of an 8-bit image can need, and never
    more than a record has room for.
    """
    return min(size // _CORRECTED_SHARE, _MAX_CORRECTED)


def max_correction_bytes(size: int, sample: int) -> int:
    """Maximum size of a correction, for an image of ``size`` pixels of ``sample`` bytes each."""
    return (4 + sample) * max_corrected(size) * 4 // 3 + 256


@dataclass(frozen=True, slots=True)
class Listed:
    """An artifact as listed in a record: its file name without folders, and its hash."""

    name: str
    sha256: str


def to_bytes(record: Json) -> bytes:
    """Serialise a record as JSON: keys in their order, no NaN, a trailing line feed."""
    return (json.dumps(record, indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode(
        # A file name need not be UTF-8: a lone surrogate is written as a JSON escape.
        errors="backslashreplace"
    )


def from_bytes(data: bytes, *, name: str = "") -> Json:
    """Parse a record; :class:`~fft_tool.errors.BadArtifact`, with ``name``, if it is invalid."""
    place = f"{name}: " if name else ""
    if len(data) > LONGEST:
        raise BadArtifact(f"{place}not a record: it has {len(data):,} bytes, at most {LONGEST:,}")
    try:
        record = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise BadArtifact(f"{place}not a record: it is not JSON") from exc
    if not isinstance(record, Mapping) or record.get("schema") != SCHEMA_NAME:
        raise BadArtifact(f"{place}not a record: its schema is not {SCHEMA_NAME}")
    return dict(record)


def listed_artifacts(record: Json) -> dict[str, Listed]:
    """Artifacts listed in a record, by kind.

    Raises :class:`~fft_tool.errors.BadArtifact` if the list is missing or malformed.
    """
    try:
        entries = [(e["artifact"], e["name"], e["sha256"]) for e in record["artifacts"]]
    except (KeyError, TypeError) as exc:
        raise BadArtifact("the record does not list its artifacts") from exc
    if not all(isinstance(text, str) for entry in entries for text in entry):
        raise BadArtifact("the record does not list its artifacts")
    return {kind: Listed(PurePosixPath(name).name, sha256) for kind, name, sha256 in entries}


def pixel_size_um(record: Json) -> tuple[float, float] | None:
    """Pixel size (x, y) of the source in micrometres; None if the record does not state it."""
    try:
        size = record["image"]["pixel_size"]
        tiny = sys.float_info.min
        return number(size["x_um"], tiny), number(size["y_um"], tiny)
    except (KeyError, TypeError, ValueError):
        return None


def schema() -> Json:
    """Return the JSON Schema (draft 2020-12) that every record satisfies.

    It is generated from :mod:`fft_tool.results.record_model` by ``python docs/record_page.py``.
    """
    document: Json = json.loads(Path(__file__).with_name("record.schema.json").read_bytes())
    return document
