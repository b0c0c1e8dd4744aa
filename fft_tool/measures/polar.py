"""Sums of a spectrum's power over a polar grid, in one pass: what all spectral measures share.

The grid is made of rings one frequency step wide, times sectors of direction. Rows ``ky`` and
``-ky`` are folded onto each other first, which halves the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles
from fft_tool.measures.taper import TaperedSpectrum
from fft_tool.spectrum.half import multiplicity

SECTORS = 36
ABOVE_ROUNDING = 1.5  # times the power of rounding: more than rounding can put into a wide band
_BLOCK = 1 << 15  # coefficients per block: its arrays together stay in a core's cache
_MIN_ROWS = 16  # but enough rows to outweigh the summing of one polar grid per block
_WIDE = 1 << 16  # columns of a half spectrum above which blocks are cut across, too
_COLUMNS = 1 << 13  # into pieces of so many
_MOST_STEPS = 1 << 15  # rings follow from the longest side, and cost must follow from the pixels
_ROUNDING = 6  # relative error of single-precision FFTs, in epsilons; at most 3.6 was seen


@dataclass(frozen=True, slots=True)
class FoldedRows:
    """Power in rows ``ky`` of the half spectrum, from ``first`` up, and in their mirrors ``-ky``.

    The columns begin with ``left``. Coordinates are in rings, that is in steps of 1 / ``longest``
    cycles per pixel (see :func:`steps_of`): ``x`` has shape ``(1, columns)``, ``y`` ``(rows, 1)``.
    ``up`` holds |F|² where the wave vector points upwards, ``(x, y)``, and ``down`` where it points
    downwards, ``(x, -y)``. A row that is its own mirror stands in both. ``columns`` and ``shares``
    are the factors of ``weight``. DC is zero.
    """

    first: int
    left: int
    longest: int
    x: Doubles
    y: Doubles
    up: Doubles
    down: Doubles
    columns: Doubles
    shares: Doubles

    @property
    def radius(self) -> Doubles:
        """Radial frequency of each coefficient, in rings."""
        return np.sqrt(self.x**2 + self.y**2)

    @property
    def weight(self) -> Doubles:
        """How often each of ``up`` and each of ``down`` counts in the full spectrum."""
        return self.columns * self.shares

    def weigh(self, values: Doubles, x: int = 0, y: int = 0) -> float:
        """Weighted sum of values · x^x · y^y over the block."""
        # Not by BLAS, whose last digits depend on its number of threads.
        along_x = np.einsum("ij,j->i", values, (self.columns * self.x**x)[0])
        return float((along_x * (self.shares * self.y**y)[:, 0]).sum())

    def within_nyquist(self) -> FoldedRows:
        """Without the columns that lie beyond 0.5 cycles per pixel in every row."""
        radius_in_first = np.sqrt(self.x[0] ** 2 + self.y[0] ** 2)
        cut = slice(np.count_nonzero(radius_in_first <= self.longest / 2))
        x, up, down, columns = (
            array[:, cut] for array in (self.x, self.up, self.down, self.columns)
        )
        return replace(self, x=x, up=up, down=down, columns=columns)


@dataclass(frozen=True, slots=True)
class PolarPower:
    """Sums of the periodogram on a polar grid over the full spectrum without DC.

    Ring ``k`` = 1 … longest // 2, in row ``k - 1``, holds radial frequencies from k - ½
    (exclusive) to k + ½ (inclusive) steps of 1 / longest, and nothing beyond Nyquist, 0.5. Where
    a side has more pixels than there are steps, the first ring also holds what lies below it.
    Sector ``s`` of n is centred on 180·s/n degrees, so that the axes lie in the middle of theirs.

    Attributes
    ----------
    shape : (h, w)
        That of the image.
    longest : int
        The steps of frequency in one cycle per pixel, :func:`steps_of` the shape.
    count, power : arrays of shape (rings, sectors)
        Number of coefficients and sum of their periodogram.
    squares : array of shape (rings,)
        Sum of the squared periodogram.
    tensor : (xx, xy, yy)
        Sums of power · (fx², fx·fy, fy²) up to Nyquist, in cycles² per pixel².
    total, low : float
        Sum of the periodogram over all of the AC part, corners included, and over its part at
        0.25 cycles per pixel and below.
    rounding : float
        Periodogram that rounding may add to a coefficient, on average. Sums over the spectrum that
        do not exceed their share of it are zero.
    correlated : float
        How many coefficients say as much as one that is independent of all others (beside its
        mirror), because of the window.
    spread : (x, y)
        Mean square distance over which the window smears power, in cycles² per pixel².
    """

    shape: tuple[int, int]
    longest: int
    count: Doubles
    power: Doubles
    squares: Doubles
    tensor: tuple[float, float, float]
    total: float
    low: float
    rounding: float
    correlated: float
    spread: tuple[float, float]

    def noise_of(self, step: float) -> float:
        """Mean periodogram that rounding of grey levels to multiples of ``step`` has added.

        Zero if the image has less power than rounding adds to one that varies: its grey levels
        are exact.
        """
        noise = step**2 / 12
        return noise if self.total > ABOVE_ROUNDING * noise * self.shape[0] * self.shape[1] else 0.0


def polar_power(
    spectrum: TaperedSpectrum,
    sectors: int = SECTORS,
    *,
    visit: Callable[[FoldedRows, float], None] | None = None,
) -> PolarPower:
    """Sum the periodogram over rings and ``sectors`` of direction, in double precision.

    ``visit`` is called with each block of rows and the power of all blocks so far, for what else is
    to be found in the same pass.
    """
    height, width = spectrum.shape
    size, longest = height * width, steps_of(spectrum.shape)
    # The grid covers one quadrant, in which upward and downward wave vectors lie on each other.
    grid = (longest // 2 + 2, (sectors + 1) // 2 + 1)
    cells, moments = np.zeros((4, *grid)), np.zeros(5)
    for rows in folded_rows(spectrum):
        _add_block(cells, moments, rows, sectors)
        if visit:
            visit(rows, float(moments[0]))
    total = float(moments[0]) / size
    rounding = _rounding(spectrum, total)
    count, up, down, squares = cells[:, 1:-1]
    if up.sum() + down.sum() <= rounding * size**2:
        cells[1:], moments[2:] = 0.0, 0.0
    low, xx, xy, yy = (float(moment) / size for moment in moments[1:])
    y, x = spectrum.down, spectrum.across
    return PolarPower(
        spectrum.shape,
        longest,
        count=_unfold(count, count, sectors),
        power=_unfold(up, down, sectors) / size,
        squares=squares.sum(axis=1) / size**2,
        tensor=(xx / longest**2, xy / longest**2, yy / longest**2),
        total=total if total > rounding * size else 0.0,
        low=low,
        rounding=rounding,
        correlated=y.correlated * x.correlated,
        spread=(x.spread, y.spread),
    )


def steps_of(shape: tuple[int, int]) -> int:
    """Steps of radial frequency in one cycle per pixel: max(h, w), but at most 32,768.

    A table of rings that grew with the longest side alone would outgrow a narrow image.
    """
    return min(max(shape), _MOST_STEPS)


def folded_rows(spectrum: TaperedSpectrum) -> Iterator[FoldedRows]:
    """Go through the half spectrum in blocks small enough for the cache: rows, or parts of them."""
    height, width = spectrum.shape
    half_width = width // 2 + 1
    across = half_width if half_width <= _WIDE else _COLUMNS
    step = max(_BLOCK // across, _MIN_ROWS)
    columns = multiplicity(width)
    for first in range(0, height // 2 + 1, step):
        ky = np.arange(first, min(first + step, height // 2 + 1))
        for left in range(0, half_width, across):
            yield _folded(spectrum, ky, left, columns[:, left : left + across])


def _folded(
    spectrum: TaperedSpectrum, ky: NDArray[np.intp], left: int, columns: Doubles
) -> FoldedRows:
    height, width = spectrum.shape
    longest = steps_of(spectrum.shape)
    first, last, right = int(ky[0]), int(ky[-1]), left + columns.shape[1]
    up = spectrum.power(-last, -first + 1, left, right)[::-1]
    down = spectrum.power(first, last + 1, left, right)
    x = np.arange(left, right)[None, :] * longest / width
    y = ky[:, None] * longest / height
    shares = np.where(2 * ky % height == 0, 0.5, 1.0)[:, None]
    return FoldedRows(first, left, longest, x, y, up, down, columns, shares)


def ring_of(radius: Doubles, longest: int) -> NDArray[np.intp]:
    """Ring of each radius (in rings): 0 for DC, one more than the last beyond Nyquist."""
    ring = np.maximum(np.ceil(radius - 0.5), radius > 0)  # wide rings: the first begins at DC
    ring += radius > longest / 2  # for even sizes Nyquist divides the last ring
    return np.minimum(ring, longest // 2 + 1).astype(np.intp)


def _add_block(cells: Doubles, moments: Doubles, rows: FoldedRows, sectors: int) -> None:
    """Add a block to the sums.

    ``cells`` holds count, upward power, downward power and squared power in each cell of the
    quadrant; ``moments`` the power of all, the power up to 0.25, and the tensor's xx, xy, yy up
    to 0.5 cycles per pixel.
    """
    moments[0] += rows.weigh(rows.up + rows.down)
    rows = rows.within_nyquist()
    radius = rows.radius
    if radius.size == 0:
        return
    cell = ring_of(radius, rows.longest)
    lowest, highest = int(cell.min()), int(cell.max())
    rings = highest - lowest + 1
    cell -= lowest
    cell *= cells.shape[2]
    cell += _sector(rows, sectors)
    count = rows.weight
    squares = rows.up**2
    squares += rows.down**2
    weights = count, rows.up * count, rows.down * count, squares * count
    for sums, weight in enumerate(weights):
        # Only the rings that the block touches: the whole grid may be larger than the block.
        summed = np.bincount(cell.ravel(), weight.ravel(), rings * cells.shape[2])
        cells[sums, lowest : lowest + rings] += summed.reshape(rings, -1)
    both, lean = rows.up + rows.down, rows.up - rows.down
    low = rows.weigh(both * (radius <= rows.longest / 4))
    inside = (radius <= rows.longest / 2).astype(np.float64)
    both *= inside
    lean *= inside
    tensor = rows.weigh(both, x=2), rows.weigh(lean, x=1, y=1), rows.weigh(both, y=2)
    moments[1:] += low, *tensor


def _sector(rows: FoldedRows, sectors: int) -> NDArray[np.intp]:
    """Sector of each coefficient's upward wave vector."""
    # In single precision: except for odd numbers of sectors, no boundary runs through the grid.
    angle = np.arctan2(rows.y.astype(np.float32), rows.x.astype(np.float32))
    angle *= np.float32(sectors / np.pi)
    return np.rint(angle).astype(np.intp)


def _unfold(up: Doubles, down: Doubles, sectors: int) -> Doubles:
    """Grid over [0, 180) degrees from those over the quadrants above and below the x axis."""
    grid = np.zeros((len(up), sectors))
    for sector in range(up.shape[1]):
        grid[:, sector % sectors] += up[:, sector]
        grid[:, -sector % sectors] += down[:, sector]
    return grid


def _rounding(spectrum: TaperedSpectrum, total: float) -> float:
    """Mean periodogram that rounding in the transform may add, from the energy with DC."""
    height, width = spectrum.shape
    size = height * width
    untapered = spectrum.spectrum
    epsilon = float(np.finfo(untapered.half.dtype).eps)
    return (_ROUNDING * epsilon) ** 2 * (total + untapered.dc**2 / size) / size
