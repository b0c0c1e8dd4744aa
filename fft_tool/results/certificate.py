"""The certificate: how well the artifacts, as written, reproduce the grey plane."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from fft_tool.arrays import FloatArray, Plane, sum_of_squares
from fft_tool.parallel import map_rows, rows_per_block
from fft_tool.results.analysis import Analysis
from fft_tool.results.correction import NEAR, Correction, Missed
from fft_tool.results.spectrum_file import load_spectrum
from fft_tool.results.values import Artifact
from fft_tool.spectrum.half import Spectrum, energy
from fft_tool.spectrum.inversion import Inversion, quantised, restore_rows, spectrum_of_pictures
from fft_tool.spectrum.preparation import Preparation
from fft_tool.validate import Json


@dataclass(frozen=True, slots=True)
class Certificate:
    """Measured fidelity of one inversion.

    Attributes
    ----------
    exact
        Whether every grey level is reproduced exactly, after rounding and correction.
    max_abs_error
        Largest error in grey levels, after rounding and correction.
    psnr_db
        Peak signal-to-noise ratio in dB *before* rounding and correction; None if there is no
        error at all.
    parseval_ratio
        Energy of the spectrum read from the artifacts divided by that of the prepared image: 1 if
        nothing is lost. None if the prepared image is not available (periodic).
    lost_pixels
        Number of pixels that the window has suppressed.
    correction
        Grey levels that the record has to keep for the inversion to be exact; None if it is exact
        without, or if they are too many.
    """

    exact: bool
    max_abs_error: int
    psnr_db: float | None
    parseval_ratio: float | None
    lost_pixels: int
    correction: Correction | None = field(default=None, compare=False)

    @property
    def corrected_pixels(self) -> int:
        """Number of pixels in the correction."""
        return self.correction.pixels if self.correction else 0

    def to_json(self) -> Json:
        """Return plain values for the record, without the correction."""
        return {
            "exact": self.exact,
            "max_abs_error": self.max_abs_error,
            "corrected_pixels": self.corrected_pixels,
            "psnr_db": self.psnr_db,
            "parseval_ratio": self.parseval_ratio,
            "lost_pixels": self.lost_pixels,
        }


def certificates(
    analysis: Analysis, artifacts: Iterable[Artifact], *, threads: int = 1
) -> dict[str, Certificate]:
    """Certify every inversion that the artifacts allow, the best first."""
    recipe, plane = analysis.recipe, analysis.selection.plane
    data = {artifact.kind: artifact.data for artifact in artifacts}
    ways: dict[str, Certificate] = {}
    if "spectrum" not in data and not data.keys() >= {"magnitude", "phase"}:
        return ways
    meant = prepared_energy(analysis.preparation, plane, threads=threads)
    if "spectrum" in data:
        ways["spectrum"] = _certify(*load_spectrum(data["spectrum"]), plane, meant, threads)
    if data.keys() >= {"magnitude", "phase"} and not recipe.colour:
        inversion = Inversion(
            plane.shape, analysis.preparation, recipe.precision, recipe.scale, analysis.largest
        )
        spectrum = spectrum_of_pictures(
            data["magnitude"], data["phase"], inversion, threads=threads
        )
        ways["pictures"] = _certify(spectrum, analysis.preparation, plane, meant, threads)
    return ways


def certify(
    spectrum: Spectrum, preparation: Preparation, plane: Plane, *, threads: int = 1
) -> Certificate:
    """Invert a spectrum read from artifacts and compare the result with ``plane`` (h, w).

    The spectrum is overwritten.
    """
    meant = prepared_energy(preparation, plane, threads=threads)
    return _certify(spectrum, preparation, plane, meant, threads)


def _certify(
    spectrum: Spectrum, preparation: Preparation, plane: Plane, meant: float | None, threads: int
) -> Certificate:
    """Certify a spectrum whose energy should be ``meant``."""
    written = energy(spectrum, threads=threads)
    missed = Missed(plane)

    def compare(start: int, levels: FloatArray) -> tuple[float, float]:
        rows = plane[start : start + levels.shape[0]].astype(levels.dtype)
        errors = levels - rows
        squares = sum_of_squares(errors)
        np.clip(levels, 0, preparation.white, out=levels)
        np.abs(np.subtract(levels, rows, out=errors), out=errors)
        if errors.max() <= NEAR:
            return 0.0, squares
        missed.add(start, errors)
        return float(np.abs(quantised(levels, preparation.white) - rows).max()), squares

    blocks = restore_rows(spectrum, preparation, compare, threads=threads)
    worst = int(max(error for error, _ in blocks))
    mean_square = math.fsum(square for _, square in blocks) / plane.size
    lost = preparation.at(spectrum.shape).lost_pixels()
    # A correction is for errors of the inversion, not for pixels that the window has suppressed.
    correction = None if lost else missed.correction()
    return Certificate(
        exact=worst == 0 or correction is not None,
        max_abs_error=worst if correction is None else 0,
        psnr_db=10 * math.log10(preparation.white**2 / mean_square) if mean_square else None,
        parseval_ratio=_ratio(written, meant),
        lost_pixels=lost,
        correction=correction,
    )


def prepared_energy(preparation: Preparation, plane: Plane, *, threads: int = 1) -> float | None:
    """Energy of the spectrum of the prepared ``plane``: by Parseval, N times its sum of squares."""
    if preparation.periodic:
        return None

    prepared = preparation.at(plane.shape)

    def squares(start: int, stop: int) -> float:
        return sum_of_squares(prepared.apply(plane, start, stop, np.float64))

    height, width = plane.shape
    return math.fsum(map_rows(squares, height, rows_per_block(8 * width), threads=threads)) * (
        plane.size
    )


def _ratio(written: float, meant: float | None) -> float | None:
    if meant is None:
        return None
    if meant == 0:
        return 1.0 if written == 0 else None
    return written / meant
