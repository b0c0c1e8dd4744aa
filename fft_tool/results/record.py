"""The record: the JSON that goes with the artifacts, and its schema."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from fft_tool import __version__
from fft_tool.codec.header import Header
from fft_tool.errors import BadArtifact, FftToolError
from fft_tool.image.region import Box
from fft_tool.recipe import Recipe
from fft_tool.results.parts import computed
from fft_tool.results.values import Artifact, Source, Unread
from fft_tool.validate import Json, number

if TYPE_CHECKING:
    from fft_tool.results.analysis import Analysis
    from fft_tool.results.certificate import Certificate

SCHEMA_NAME = "fft-tool/record/1"

LONGEST = 4 << 20
"""Bytes that a record may have: none comes to a tenth of that, however large its image."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An artifact as a record lists it: the last part of its name, and its hash."""

    name: str
    sha256: str


def done(analysis: Analysis, artifacts: Sequence[Artifact], *, threads: int = 1) -> Json:
    """Record of a finished run, with a certificate of the ``artifacts`` as they are written."""
    from fft_tool.results.certificate import certificates  # noqa: PLC0415  (rejections do without)

    ways = certificates(analysis, artifacts, threads=threads)
    return {
        **opening(analysis.source, analysis.recipe, "done"),
        **pixel_sections(analysis),
        "measures": computed(analysis.measures).to_json(),
        "spectrum": _spectrum_section(analysis),
        "certificate": _certificate_section(ways),
        "artifacts": [
            {
                "artifact": artifact.kind,
                "name": artifact.name,
                "content_type": artifact.content_type,
                "bytes": len(artifact.data),
                "sha256": artifact.sha256,
            }
            for artifact in artifacts
        ],
    }


def pixel_sections(analysis: Analysis) -> Json:
    """Sections of the record that describe the source and its pixels."""
    selection, sharp = analysis.selection, analysis.sharpness
    return {
        "image": image_section(selection.header, selection.white, selection.names),
        "region": region_section(selection.box, selection.method),
        "grey": grey_section(analysis.recipe, selection.names),
        "statistics": {name: each.to_json() for name, each in analysis.statistics.items()},
        "sharpness": sharp and sharp.to_json(),
    }


def _spectrum_section(analysis: Analysis) -> Json:
    """How the spectrum and its pictures were made."""
    height, width = analysis.selection.plane.shape
    return {
        "width": width,
        "height": height,
        "precision": analysis.recipe.precision,
        "preparation": analysis.preparation.to_json(),
        "dc": analysis.dc,
        "largest_magnitude": analysis.largest,
        "scale": analysis.recipe.scale,
        "bits": analysis.recipe.bits,
    }


def _certificate_section(ways: Mapping[str, Certificate]) -> Json | None:
    """The best way back, and all of them."""
    if not ways:
        return None
    best = next(iter(ways))
    return {
        "from": best,
        **ways[best].to_json(),
        "ways": {name: certificate.to_json() for name, certificate in ways.items()},
    }


def rejected(source: Source | Unread, recipe: Recipe | None, error: FftToolError) -> Json:
    """Record of a source that was refused for good."""
    return {
        **opening(source, recipe, "rejected"),
        "error": {"code": error.code, "message": str(error)},
        "artifacts": [],
    }


def image_section(header: Header, white: int, names: tuple[str, ...]) -> Json:
    """What the source is, as its header says."""
    height, width = header.shape
    size = header.pixel_size_um
    return {
        "format": header.format,
        "width": width,
        "height": height,
        "channels": list(names),
        "depth": header.depth,
        "white": white,
        "frames": header.frames,
        "frame": 0,
        "orientation": header.orientation,
        "pixel_size": size and {"x_um": size[0], "y_um": size[1], "from": header.pixel_size_from},
    }


def region_section(box: Box, method: str) -> Json:
    """Which part was analysed and how it was chosen."""
    return {
        "x": box.x,
        "y": box.y,
        "width": box.width,
        "height": box.height,
        "method": method,
    }


def grey_section(recipe: Recipe, names: tuple[str, ...]) -> Json:
    """How the grey plane was made."""
    from fft_tool.image.grey import LUMA_WEIGHTS  # noqa: PLC0415  (rejections do without numpy)

    weights = dict(zip(("red", "green", "blue"), (w / 65536 for w in LUMA_WEIGHTS), strict=True))
    weighed = recipe.channel == "luma" and "red" in names
    return {
        "channel": recipe.channel,
        "luma_weights": weights if weighed else None,
        "background": list(recipe.background) if "alpha" in names else None,
    }


def to_bytes(record: Json) -> bytes:
    """JSON text: keys in the record's order, no NaN, one line feed at the end."""
    return (json.dumps(record, indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode(
        # A file name need not be UTF-8; JSON's escape of a lone surrogate looks just like this.
        errors="backslashreplace"
    )


def from_bytes(data: bytes, *, name: str = "") -> Json:
    """Read a record; :class:`~fft_tool.errors.BadArtifact`, naming it, if it is none of ours."""
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
    """Artifacts that a record lists, by their kind.

    A record may have been edited: :class:`~fft_tool.errors.BadArtifact` if it does not say.
    """
    try:
        entries = [(e["artifact"], e["name"], e["sha256"]) for e in record["artifacts"]]
    except (KeyError, TypeError) as exc:
        raise BadArtifact("the record does not list its artifacts") from exc
    if not all(isinstance(text, str) for entry in entries for text in entry):
        raise BadArtifact("the record does not list its artifacts")
    return {kind: Listed(PurePosixPath(name).name, sha256) for kind, name, sha256 in entries}


def pixel_size_um(record: Json) -> tuple[float, float] | None:
    """Pixel size (x, y) of the source in micrometres, where a record says."""
    try:
        size = record["image"]["pixel_size"]
        tiny = sys.float_info.min
        return number(size["x_um"], tiny), number(size["y_um"], tiny)
    except (KeyError, TypeError, ValueError):
        return None


def schema() -> Json:
    """Give the JSON Schema (draft 2020-12) that every record satisfies."""
    document: Json = json.loads(Path(__file__).with_name("record.schema.json").read_bytes())
    return document


def opening(source: Source | Unread, recipe: Recipe | None, outcome: str) -> Json:
    """First sections of every record: what was done to what, by what, and how it ended."""
    return {
        "schema": SCHEMA_NAME,
        "outcome": outcome,
        "tool": {"name": "fft-tool", "version": __version__},
        "source": {"name": source.name, "bytes": source.size, "sha256": source.sha256},
        "recipe": recipe
        and {"text": str(recipe), "sha256": recipe.sha256, "values": recipe.texts()},
    }
