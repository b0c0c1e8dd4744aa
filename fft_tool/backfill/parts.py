"""Parts: what each invocation of a backfill tells of its images, gathered afterwards.

A part is compressed JSON Lines, one line for an image. In a scan every image has a line, with its
row of the table; otherwise only those that failed have one. Its name is derived from the keys in
it, so that an invocation that is repeated replaces its part.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fft_tool.errors import BadArtifact, FftToolError
from fft_tool.recipe import Recipe
from fft_tool.stores.base import Store

if TYPE_CHECKING:
    from fft_tool.results.table import Row

RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
"""Names of runs: accepted by Step Functions, and plain in keys."""

FOLDER = "backfill/"
"""Folder of all runs, both below the results and in the bucket itself."""

CONTENT_TYPE = "application/gzip"

# A scan makes nothing but the record, whatever an object's own metadata ask for.
SCAN = {"magnitude": "no", "phase": "no", "spectrum": "no", "histogram": "no", "filter": "none"}

FAILED = ("rejected", "missing", "failed", "ignored")
"""Outcomes that are reported as failures."""

_LONGEST_MESSAGE = 1000  # characters


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one object: its key and outcome, the error if there is one, and its row."""

    key: str
    outcome: str
    code: str = ""
    message: str = ""
    row: Row | None = None

    @property
    def failed(self) -> bool:
        """Whether the object has no results."""
        return self.outcome in FAILED

    def to_json(self) -> dict[str, Any]:
        """Return the line as plain values, without what is empty."""
        told = {
            "key": self.key,
            "outcome": self.outcome,
            "code": self.code,
            "message": self.message[:_LONGEST_MESSAGE],
            "row": self.row,
        }
        return {name: value for name, value in told.items() if value}


def part_name(run: str, keys: Iterable[str]) -> str:
    """Name of a part, below the results."""
    digest = hashlib.sha256("\n".join(keys).encode(errors="surrogatepass")).hexdigest()
    return f"{parts_of(run)}{digest[:32]}.jsonl.gz"


def parts_of(run: str) -> str:
    """Folder of the parts of a run, below the results."""
    return f"{FOLDER}{run}/parts/"


def to_part(lines: Iterable[Line]) -> bytes:
    """Serialise lines; the same lines give the same bytes."""
    text = "".join(f"{json.dumps(line.to_json(), allow_nan=False)}\n" for line in lines)
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)


def from_part(data: bytes, name: str = "") -> Iterator[Line]:
    """Parse a part; :class:`~fft_tool.errors.BadArtifact` if it is damaged."""
    try:
        for text in gzip.decompress(data).decode().splitlines():
            yield Line(**json.loads(text))
    except (OSError, EOFError, ValueError, TypeError) as exc:
        raise BadArtifact(f"{name or 'part'}: damaged: {exc}") from exc


def read_parts(results: Store, run: str) -> Iterator[list[Line]]:
    """Yield the lines of each part of a run, ordered by name of the part."""
    for name, _ in results.list(parts_of(run)):
        yield list(from_part(results.read(name).data, name))


def row_of(record: Mapping[str, Any]) -> Row:
    """Row of the table for a record."""
    from fft_tool.results.table import rows  # noqa: PLC0415  (loads the record's model)

    return rows([record])[0]


def row_of_failure(
    name: str,
    outcome: str,
    error: Exception,
    *,
    recipe: Recipe | None = None,
    size: int | None = None,
    sha256: str | None = None,
) -> Row:
    """Row of the table for an image without a record: what is known of it, and the error."""
    from fft_tool.results.table import COLUMNS  # noqa: PLC0415  (as above)

    row: Row = dict.fromkeys(column.name for column in COLUMNS)
    code = error.code if isinstance(error, FftToolError) else "bug"
    known: Row = {
        "outcome": outcome,
        "name": name,
        "sha256": sha256,
        "bytes": size,
        "recipe": None if recipe is None else str(recipe),
        "error_code": code,
        "error_message": str(error)[:_LONGEST_MESSAGE],
    }
    return row | known


def rows_of(lines: Sequence[Line]) -> list[Row]:
    """Rows of the lines that have one; columns that a part lacks are empty."""
    from fft_tool.results.table import COLUMNS  # noqa: PLC0415  (as above)

    return [{c.name: line.row.get(c.name) for c in COLUMNS} for line in lines if line.row]
