"""The record: the JSON that goes with the artifacts, and its schema."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from fft_tool import __version__
from fft_tool.errors import BadArtifact, FftToolError
from fft_tool.recipe import Recipe
from fft_tool.results.parts import computed
from fft_tool.results.sections import SCHEMA_NAME
from fft_tool.results.values import Artifact, OversizedSource, Source
from fft_tool.validate import Json, number

if TYPE_CHECKING:
    from fft_tool.image.selection import Selection
    from fft_tool.results import record_model as model
    from fft_tool.results.analysis import Analysis
    from fft_tool.results.certificate import Certificate

__all__ = [
    "LONGEST",
    "SCHEMA_NAME",
    "Listed",
    "done",
    "from_bytes",
    "listed_artifacts",
    "opening",
    "pixel_sections",
    "pixel_size_um",
    "rejected",
    "schema",
    "to_bytes",
]

LONGEST = 4 << 20
"""Bytes that a record may have: none comes to a tenth of that, however large its image."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An artifact as a record lists it: the last part of its name, and its hash."""

    name: str
    sha256: str


def done(analysis: Analysis, artifacts: Sequence[Artifact], *, threads: int = 1) -> model.Done:
    """Record of a finished run, with a certificate of the ``artifacts`` as they are written."""
    from fft_tool.results import record_model as model  # noqa: PLC0415  (names do without)
    from fft_tool.results.certificate import certificates  # noqa: PLC0415

    ways = certificates(analysis, artifacts, threads=threads)
    return model.Done(
        **_opening(analysis.source, analysis.recipe, "done"),
        **_pixels(analysis),
        measures=model.Measures.of(computed(analysis.measures).to_json()),
        spectrum=_spectrum(analysis),
        certificate=_certificate(ways) if ways else None,
        artifacts=tuple(
            model.Artifact(
                artifact=artifact.kind,
                name=artifact.name,
                content_type=artifact.content_type,
                size=len(artifact.data),
                sha256=artifact.sha256,
            )
            for artifact in artifacts
        ),
    )


def rejected(source: Source | OversizedSource, recipe: Recipe | None, error: FftToolError) -> Json:
    """Record of a source that was refused for good."""
    from fft_tool.results import record_model as model  # noqa: PLC0415

    return model.Rejected(
        **_opening(source, recipe, "rejected"),
        error=model.Error(code=error.code, message=str(error)),
        artifacts=(),
    ).to_json()


def opening(source: Source | OversizedSource, recipe: Recipe | None, outcome: str) -> Json:
    """First sections of every record: what was done to what, by what, and how it ended."""
    from fft_tool.results import record_model as model  # noqa: PLC0415

    return model.Opening(**_opening(source, recipe, outcome)).to_json()


def pixel_sections(analysis: Analysis) -> Json:
    """Sections of the record that describe the source and its pixels."""
    return {name: each and each.to_json() for name, each in _pixels(analysis).items()}


def _opening(
    source: Source | OversizedSource, recipe: Recipe | None, outcome: str
) -> dict[str, Any]:
    from fft_tool.results import record_model as model  # noqa: PLC0415

    return {
        "schema": SCHEMA_NAME,
        "outcome": outcome,
        "tool": model.Tool(name="fft-tool", version=__version__),
        "source": model.Source(name=source.name, size=source.size, sha256=source.sha256),
        "recipe": recipe
        and model.Recipe(
            text=str(recipe), sha256=recipe.sha256, values=model.RecipeValues.of(recipe.texts())
        ),
    }


def _pixels(analysis: Analysis) -> dict[str, Any]:
    from fft_tool.results import record_model as model  # noqa: PLC0415

    selection, sharp = analysis.selection, analysis.sharpness
    box = selection.box
    return {
        "image": _image(selection),
        "region": model.Region(
            x=box.x, y=box.y, width=box.width, height=box.height, method=selection.method
        ),
        "grey": _grey(analysis.recipe, selection.names),
        "statistics": model.Statistics.of(
            {name: each.to_json() for name, each in analysis.statistics.items()}
        ),
        "sharpness": sharp and model.Sharpness.of(sharp.to_json()),
    }


def _image(selection: Selection) -> model.Image:
    """What the source is, as its header says."""
    from fft_tool.results import record_model as model  # noqa: PLC0415

    header = selection.header
    height, width = header.shape
    size = header.pixel_size_um
    return model.Image(
        format=header.format,
        width=width,
        height=height,
        channels=selection.names,
        depth=header.depth,
        white=selection.white,
        frames=header.frames,
        frame=0,
        orientation=header.orientation,
        pixel_size=size
        and model.PixelSize(x_um=size[0], y_um=size[1], source=str(header.pixel_size_from)),
    )


def _grey(recipe: Recipe, names: tuple[str, ...]) -> model.Grey:
    """How the grey plane was made."""
    from fft_tool.image.grey import LUMA_WEIGHTS  # noqa: PLC0415  (rejections do without numpy)
    from fft_tool.results import record_model as model  # noqa: PLC0415

    red, green, blue = (weight / 65536 for weight in LUMA_WEIGHTS)
    weighed = recipe.channel == "luma" and "red" in names
    return model.Grey(
        channel=recipe.channel,
        luma_weights=model.LumaWeights(red=red, green=green, blue=blue) if weighed else None,
        background=recipe.background if "alpha" in names else None,
    )


def _spectrum(analysis: Analysis) -> model.Spectrum:
    """How the spectrum and its pictures were made."""
    from fft_tool.results import record_model as model  # noqa: PLC0415

    height, width = analysis.selection.plane.shape
    return model.Spectrum(
        width=width,
        height=height,
        precision=analysis.recipe.precision,
        preparation=model.Preparation.of(analysis.preparation.to_json()),
        dc=analysis.dc,
        largest_magnitude=analysis.largest,
        scale=analysis.recipe.scale,
        bits=analysis.recipe.bits,
    )


def _certificate(ways: Mapping[str, Certificate]) -> model.Certificate:
    """The best inversion, and all of them."""
    from fft_tool.results import record_model as model  # noqa: PLC0415

    plain = {name: certificate.to_json() for name, certificate in ways.items()}
    best = next(iter(ways))
    return model.Certificate.of({"from": best, **plain[best], "ways": plain})


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
    """Give the JSON Schema (draft 2020-12) that every record satisfies.

    It is made of :mod:`fft_tool.results.record_model` by ``python docs/record_page.py``.
    """
    document: Json = json.loads(Path(__file__).with_name("record.schema.json").read_bytes())
    return document
