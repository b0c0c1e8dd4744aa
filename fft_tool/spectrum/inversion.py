"""Inversion: reconstruction of the source's grey levels from pictures or a saved spectrum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from fft_tool.arrays import FloatArray, Plane
from fft_tool.codec import image_file
from fft_tool.errors import BadArtifact, FftToolError, NotInvertible
from fft_tool.limits import FIXED_MEMORY, Limits
from fft_tool.parallel import run_all
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.periodic import Jumps, add_smooth, restore_smooth
from fft_tool.spectrum.pictures import spectrum_from_pictures
from fft_tool.spectrum.preparation import Preparation
from fft_tool.spectrum.scale import SCALES
from fft_tool.spectrum.transform import PRECISIONS, inverse, inverse_rows
from fft_tool.validate import number, one_of, whole

T = TypeVar("T")
LONGEST_SIDE = (1 << 31) - 1
_RESTORING = 24  # bytes per pixel: two pictures, the spectrum, and the restored levels
TakeLevels = Callable[[int, FloatArray], T]


@dataclass(frozen=True, slots=True)
class Inversion:
    """What inversion needs besides the artifacts: size, preparation, and the pictures' scale."""

    shape: tuple[int, int]
    preparation: Preparation
    precision: str
    scale: str
    largest: float

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Inversion:
        """Read from a record; :class:`~fft_tool.errors.BadArtifact` if a value is missing."""
        try:
            spectrum = record["spectrum"]
            shape = shape_from(spectrum["height"], spectrum["width"])
            return cls(
                shape,
                _preparation(spectrum["preparation"], shape),
                one_of(spectrum["precision"], PRECISIONS),
                one_of(spectrum["scale"], SCALES),
                number(spectrum["largest_magnitude"], 0),
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise BadArtifact(f"the record does not say how the pictures were made: {exc}") from exc


def _preparation(values: Mapping[str, Any], shape: tuple[int, int]) -> Preparation:
    """Read a preparation, with its jumps where the record keeps them."""
    preparation = Preparation.from_json(values)
    if not preparation.periodic or values.get("jumps") is None:
        return preparation
    jumps = Jumps.from_text(values["jumps"], shape, preparation.white)
    return replace(preparation, jumps=jumps)


def shape_from(height: Any, width: Any) -> tuple[int, int]:
    """Validate a size read from a file."""
    return whole(height, 1, LONGEST_SIDE), whole(width, 1, LONGEST_SIDE)


def check_shape(shape: tuple[int, int], limits: Limits) -> None:
    """Reject an image too large to restore; ``shape`` (h, w) is what a file states."""
    height, width = shape
    limits.check_pixels(width, height)
    limits.check_memory(FIXED_MEMORY + height * width * _RESTORING)


def spectrum_of_pictures(
    magnitude: bytes, phase: bytes, inversion: Inversion, *, threads: int = 1
) -> Spectrum:
    """Recover the spectrum from two picture files."""
    pictures = run_all(
        [
            lambda: _read_picture(magnitude, "magnitude", inversion.shape),
            lambda: _read_picture(phase, "phase", inversion.shape),
        ],
        threads=threads,
    )
    return spectrum_from_pictures(
        *pictures,
        scale=inversion.scale,
        largest=inversion.largest,
        precision=inversion.precision,
        threads=threads,
    )


def _read_picture(data: bytes, name: str, shape: tuple[int, int]) -> Plane:
    # Limits apply to sources. Pictures may be as large as the record says.
    limits = Limits(max_bytes=len(data), max_pixels=shape[0] * shape[1])
    try:
        raster = image_file.decode(data, limits)
    except FftToolError as exc:
        raise BadArtifact(f"the {name} picture is damaged: {exc}") from exc
    if raster.pixels.shape[2] != 1:
        raise NotInvertible(f"the {name} picture is in colour: analyse again without colour")
    if raster.pixels.shape[:2] != shape:
        height, width = raster.pixels.shape[:2]
        raise BadArtifact(
            f"the {name} picture has {width} x {height} pixels, the record says "
            f"{shape[1]} x {shape[0]}"
        )
    return raster.pixels[:, :, 0]


def restore_rows(
    spectrum: Spectrum, preparation: Preparation, take: TakeLevels[T], *, threads: int = 1
) -> list[T]:
    """Pass grey levels, not yet rounded, to ``take(start, rows)`` in row blocks.

    Overwrites the spectrum. Returns the results of ``take``.
    """
    prepared = preparation.at(spectrum.shape)
    if preparation.jumps is not None:
        gradient = preparation.trend.gradient
        add_smooth(spectrum, preparation.jumps, gradient=gradient, threads=threads)
    elif preparation.periodic:
        levels = restore_smooth(inverse(spectrum, threads=threads), threads=threads)
        return [take(0, prepared.undo(levels, 0))]
    if preparation.keeps_levels:
        return inverse_rows(spectrum, take, threads=threads)
    return inverse_rows(
        spectrum,
        lambda start, rows: take(start, prepared.undo(rows, start)),
        threads=threads,
    )


def restore_plane(spectrum: Spectrum, preparation: Preparation, *, threads: int = 1) -> Plane:
    """Restore the grey plane (h, w), uint8 or uint16, from its spectrum, which is overwritten."""
    plane = np.empty(spectrum.shape, np.uint8 if preparation.white < 256 else np.uint16)

    def place(start: int, levels: FloatArray) -> None:
        plane[start : start + levels.shape[0]] = quantised(levels, preparation.white)

    restore_rows(spectrum, preparation, place, threads=threads)
    return plane


def quantised(levels: FloatArray, white: int) -> FloatArray:
    """Round to whole grey levels and clip to 0 … ``white``."""
    rounded: FloatArray = np.rint(levels)
    np.clip(rounded, 0, white, out=rounded)
    return rounded
