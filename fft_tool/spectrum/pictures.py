"""Conversion between half spectra and centred magnitude and phase pictures.

Codes (grey values) are computed on the half spectrum only; the other half of a picture is its
mirror image. Row ``r`` and column ``c`` of a picture show frequency ``(r - h // 2, c - w // 2)``,
with DC at ``(h // 2, w // 2)`` as in ``fftshift``. With ``top = 2**bits - 1``:

* magnitude code ``round(top * (shown - low) / (high - low))``, see :mod:`fft_tool.spectrum.scale`;
* phase code ``round(top * (phase + π) / 2π)``: always the full circle, regardless of the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.codec import png_encode
from fft_tool.parallel import map_rows, rows_per_block
from fft_tool.spectrum.elementary import arctan2
from fft_tool.spectrum.half import HalfArray, Spectrum
from fft_tool.spectrum.scale import SCALES

Codes = NDArray[np.unsignedinteger[Any]]
Table = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class HalfPicture:
    """Codes of a picture on the half spectrum, shape (h, w // 2 + 1), uint8 or uint16.

    ``odd`` means that a code ``c`` is mirrored to ``top - c``, as phases change sign.
    """

    codes: Codes
    width: int
    odd: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the full picture."""
        return self.codes.shape[0], self.width

    @property
    def bits(self) -> int:
        """Bits per code, 8 or 16."""
        return 8 * self.codes.dtype.itemsize

    def fill(self, start: int, stop: int, out: Codes) -> None:
        """Write rows ``start`` to ``stop`` of the full picture to ``out`` (stop - start, w)."""
        height, width = self.shape
        left = width // 2
        rows = (np.arange(start, stop) - height // 2) % height
        out[:, left:] = self.codes[rows, : width - left]
        mirrored = self.codes[-rows % height, left:0:-1]
        if self.odd:
            np.subtract(np.iinfo(self.codes.dtype).max, mirrored, out=mirrored)
        out[:, :left] = mirrored

    def full(self) -> Codes:
        """Return the full picture, shape (h, w)."""
        picture = np.empty(self.shape, self.codes.dtype)
        self.fill(0, self.codes.shape[0], picture)
        return picture

    def to_png(
        self, *, table: Table | None = None, text: dict[str, str] | None = None, threads: int = 1
    ) -> bytes:
        """Encode the picture as PNG, grey or coloured by a ``table`` of shape (256, 3)."""
        fill: Callable[[int, int, Codes], None] = self.fill
        if table is not None:

            def fill(start: int, stop: int, out: Codes) -> None:
                grey = np.empty((stop - start, self.width), np.uint8)
                self.fill(start, stop, grey)
                np.take(table, grey, axis=0, out=out.reshape(*grey.shape, 3), mode="clip")

        channels = 1 if table is None else 3
        return png_encode.encode_rows(
            fill, self.shape, depth=self.bits, channels=channels, text=text, threads=threads
        )


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of a spectrum, and ``largest``, the magnitude of its strongest coefficient."""

    magnitude: HalfPicture
    phase: HalfPicture | None
    largest: float


def paint(
    spectrum: Spectrum,
    *,
    scale: str = "log",
    bits: int = 8,
    phase: bool = True,
    largest: float | None = None,
    threads: int = 1,
) -> Pictures:
    """Compute the pictures of a spectrum.

    ``largest`` may be given if it is known, which saves a pass over the spectrum.
    """
    half, width = spectrum.half, spectrum.width
    if scale not in SCALES:
        raise ValueError(f"unknown scale {scale!r}, should be one of {', '.join(SCALES)}")
    if bits not in (8, 16):
        raise ValueError(f"{bits} bits, should be 8 or 16")
    dtype = np.uint8 if bits == 8 else np.uint16
    if largest is None:
        largest = _largest_magnitude(half, threads)
    magnitudes = np.empty(half.shape, dtype)
    phases = np.empty(half.shape, dtype) if phase else None

    def block(start: int, stop: int) -> None:
        rows = half[start:stop]
        _write_magnitude_codes(rows, scale, largest, magnitudes[start:stop])
        if phases is not None:
            _write_phase_codes(rows, phases[start:stop])

    map_rows(block, half.shape[0], _block_rows(half), threads=threads)
    return Pictures(
        HalfPicture(magnitudes, width),
        None if phases is None else HalfPicture(phases, width, odd=True),
        largest,
    )


def spectrum_from_pictures(
    magnitude: Codes,
    phase: Codes,
    *,
    scale: str,
    largest: float,
    precision: str = "single",
    threads: int = 1,
) -> Spectrum:
    """Invert :func:`paint`: recover the quantised spectrum from full pictures, shape (h, w)."""
    height, width = magnitude.shape
    half = np.empty((height, width // 2 + 1), np.complex64 if precision == "single" else complex)
    moduli = _moduli(scale, largest, np.iinfo(magnitude.dtype).max).astype(half.real.dtype)
    phasors = _phasors(np.iinfo(phase.dtype).max).astype(half.dtype)
    top = height - height // 2  # frequency row shown in the first row of the pictures

    def block(start: int, stop: int) -> None:
        """Read picture rows that lie on the same side of DC."""
        first = start + top if start < height // 2 else start - height // 2
        out = half[first : first + stop - start]
        for columns, shown in _half_columns(width):
            codes = magnitude[start:stop, shown], phase[start:stop, shown]
            np.multiply(moduli.take(codes[0]), phasors.take(codes[1]), out=out[:, columns])

    rows = _block_rows(half)
    for first, last in ((0, height // 2), (height // 2, height)):
        map_rows(lambda a, b: block(a + first, b + first), last - first, rows, threads=threads)  # noqa: B023  (called within the iteration)
    _make_own_mirrors_real(half, width)
    return Spectrum(half, width)


def _moduli(scale: str, largest: float, top: int) -> NDArray[np.floating[Any]]:
    """Magnitude that each code of a magnitude picture represents."""
    low, high = SCALES[scale].limits(largest)
    return SCALES[scale].magnitude(np.linspace(low, high, top + 1), largest)


def _phasors(top: int) -> NDArray[np.complex128]:
    """Unit complex number that each code of a phase picture represents."""
    phasors: NDArray[np.complex128] = np.exp(1j * np.linspace(-np.pi, np.pi, top + 1))
    return phasors


def _half_columns(width: int) -> list[tuple[slice, slice]]:
    """Columns of the half spectrum, and the corresponding columns of a picture.

    They run from the centre to the right edge. For an even width, the Nyquist column follows; in a
    picture it is at the left edge, as frequency -w/2.
    """
    centre = width // 2
    right = [(slice(0, width - centre), slice(centre, width))]
    return right if width % 2 else [*right, (slice(centre, centre + 1), slice(0, 1))]


def _make_own_mirrors_real(half: HalfArray, width: int) -> None:
    """Make coefficients that are their own mirror image real, which codes only approximate."""
    height = half.shape[0]
    for row in {0, height // 2} if height % 2 == 0 else {0}:
        for column in {0, width // 2} if width % 2 == 0 else {0}:
            value = half[row, column]
            half[row, column] = np.copysign(abs(value), value.real)


def _write_magnitude_codes(rows: HalfArray, scale: str, largest: float, out: Codes) -> None:
    low, high = SCALES[scale].limits(largest)
    values = SCALES[scale].shown(np.abs(rows), largest)
    top = np.iinfo(out.dtype).max
    factor = top / (high - low) if high > low else 0.0
    values *= factor
    values += 0.5 - low * factor
    # The largest magnitude may exceed ``largest`` by a rounding error.
    np.minimum(values, top, out=values)
    out[...] = values


def _write_phase_codes(rows: HalfArray, out: Codes) -> None:
    # Contiguous copies make arctan2 three times as fast; adding zero turns -0.0 into 0.0, so
    # negative real coefficients have phase π, never -π.
    angles = arctan2(rows.imag + 0.0, rows.real + 0.0)
    top = np.iinfo(out.dtype).max
    angles *= top / (2 * np.pi)
    angles += top / 2 + 0.5
    out[...] = angles


def _largest_magnitude(half: HalfArray, threads: int) -> float:
    def largest_power(start: int, stop: int) -> float:
        rows = half[start:stop]
        return float((np.square(rows.real) + np.square(rows.imag)).max())

    powers = map_rows(largest_power, half.shape[0], _block_rows(half), threads=threads)
    return float(np.sqrt(max(powers)))


def _block_rows(half: HalfArray) -> int:
    return rows_per_block(half.shape[1] * half.dtype.itemsize)
