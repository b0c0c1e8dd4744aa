"""Spectra as they would be had the image been faded out towards its borders.

The DFT takes an image for one tile of an endless wallpaper. Where the borders of the tiles do not
match, each jump adds power along the axes that falls only as 1/f²: it hides the high frequencies
of a steep spectrum, and weak waves beside a strong one. A window that fades out to zero prevents
that. Multiplication by a periodic Hann window is, on the spectrum, a convolution with
(-¼, ½, -¼) along each axis, so that what was transformed without a window can still be tapered
afterwards, block by block.

The image's mean is taken out first. What is read here is scaled by the window's energy: white
noise keeps its mean power.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles
from fft_tool.spectrum.half import HalfArray, Spectrum, check_spectrum, multiplicity
from fft_tool.spectrum.preparation import window_weights
from fft_tool.spectrum.transform import forward

IndexArray = NDArray[np.intp]

_MOST_SAMPLES = 1 << 14  # of a window: what it does to a spectrum hardly depends on their number
_SHORTEST = 8  # pixels; of shorter sides a taper would leave too little
_ABRUPT = ("none", "hamming", "tukey")
_ACROSS = 0.7  # cycles per pixel: mean width of the disc of radius 0.45
_UNTAPERED = ((0, 1.0),)
_TAPS = ((-1, -0.25), (0, 0.5), (1, -0.25))


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of an image: what its window and the taper do to the spectrum.

    Attributes
    ----------
    length : int
        Its pixels.
    taps : sequence of (offset, weight)
        The convolution that tapers the spectrum.
    response : array
        DFT of the window's weights without the taper, divided by their sum, from DC on. It is real
        and even, and zero beyond the entries that are kept; without a window these are only DC's.
    mean : float
        Mean weight of window and taper together: what is left of a wave's amplitude.
    energy : float
        Mean squared weight: what is left of the power of noise.
    correlated : float
        How many coefficients say as much about the power of noise as one that is independent. The
        periodograms of coefficients d apart have the correlation |DFT of the squared weights|² at
        d, relative to d = 0; this is its sum over all d, each with the share of pairs d apart
        that lie within 0.45 cycles per pixel.
    spread : float
        Mean square distance, in cycles² per pixel², over which power is smeared. Zero without a
        window and a taper: the power of waves that fit the frame stays where it is.
    """

    length: int
    taps: tuple[tuple[int, float], ...]
    response: Doubles
    mean: float
    energy: float
    correlated: float
    spread: float

    @property
    def halo(self) -> int:
        """How many coefficients to either side the convolution reads."""
        return len(self.taps) // 2

    def response_at(self, k: IndexArray) -> Doubles:
        """Response at any coefficients, negative ones included."""
        k = k % self.length
        k = np.minimum(k, self.length - k)
        last = len(self.response) - 1
        return np.where(k > last, 0.0, self.response[np.minimum(k, last)])


@dataclass(frozen=True, slots=True)
class TaperedSpectrum:
    """A spectrum, read through a taper. Nothing of the spectrum's size is kept beside it.

    ``window`` is the one that the image was given before the transform. ``down`` and ``across``
    describe the axes along y and along x. The mean (of a windowed image, the weighted mean) is
    taken out: of the spectrum, the window's response times DC.
    """

    spectrum: Spectrum
    window: str
    down: Axis
    across: Axis

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image."""
        return self.spectrum.shape

    @property
    def gain(self) -> float:
        """What is left of a wave's amplitude beside noise, from 0 to 1.

        A cosine of amplitude A on a coefficient of an image of N pixels has there
        ``|F| = gain · A · N / 2``.
        """
        amplitude = self.down.mean * self.across.mean
        return amplitude / float(np.sqrt(self.down.energy * self.across.energy))

    def power(self, first: int, stop: int, left: int, right: int) -> Doubles:
        """|F|² of rows ``first`` to ``stop``, which may be negative, and columns of the half.

        Shape ``(stop - first, right - left)``, in double precision; DC is zero.
        """
        values = self._block(first, stop, left, right)
        power = np.square(values.real, dtype=np.float64)
        power += np.square(values.imag, dtype=np.float64)
        # The convolutions of a block are not divided by four.
        power *= 16.0 ** -(self.down.halo + self.across.halo) / self._energy
        if first <= 0 < stop and left == 0:
            power[-first, 0] = 0.0
        return power

    def values(self, ky: IndexArray, kx: IndexArray) -> NDArray[np.complex128]:
        """F at any rows and columns, negative ones and those beyond the half included; DC is 0."""
        height, width = self.shape
        ky, kx = np.broadcast_arrays(ky, kx)
        taps = [(*dy, *dx) for dy in self.down.taps for dx in self.across.taps]
        rows, weights_y, columns, weights_x = (np.array(each) for each in zip(*taps, strict=True))
        # One look-up for all taps: most calls ask for few coefficients.
        before = self._values_before(ky[..., None] + rows, kx[..., None] + columns)
        total: NDArray[np.complex128] = (before * (weights_y * weights_x)).sum(axis=-1)
        total /= np.sqrt(self._energy)
        total[(ky % height == 0) & (kx % width == 0)] = 0.0
        return total

    @property
    def _energy(self) -> float:
        return self.down.energy * self.across.energy

    def _values_before(self, ky: IndexArray, kx: IndexArray) -> NDArray[np.complex128]:
        """F without the mean, not yet tapered, at any rows and columns."""
        height, width = self.shape
        mirrored = kx % width > width // 2
        row = np.where(mirrored, -ky, ky) % height
        column = np.where(mirrored, -kx, kx) % width
        value: NDArray[np.complex128] = self.spectrum.half[row, column].astype(np.complex128)
        if self.window == "none":
            value[(row == 0) & (column == 0)] = 0.0
        else:
            mean = self.spectrum.dc * self.down.response_at(row)
            value -= mean * self.across.response_at(column)
        return np.where(mirrored, value.conj(), value)

    def _block(self, first: int, stop: int, left: int, right: int) -> HalfArray:
        """Tapered coefficients, times four for each axis that is tapered."""
        rows = np.arange(first - self.down.halo, stop + self.down.halo)
        values = self._rows_before(rows, left, right)
        if self.across.halo:
            values = _four_times_tapered(values.T).T
        return _four_times_tapered(values) if self.down.halo else values

    def _rows_before(self, rows: IndexArray, left: int, right: int) -> HalfArray:
        """Rows without the mean, with a column more at each side where x is tapered."""
        halo = self.across.halo
        padded = np.empty((len(rows), right - left + 2 * halo), self.spectrum.half.dtype)
        self._fill(padded[:, halo : halo + right - left], rows, left)
        if halo:
            self._fill_column(padded[:, :1], rows, left - 1)
            self._fill_column(padded[:, -1:], rows, right)
        return padded

    def _fill_column(self, out: HalfArray, rows: IndexArray, column: int) -> None:
        """Fill in one column without the mean, which may lie outside the half."""
        width = self.spectrum.width
        if 0 <= column <= width // 2:
            self._fill(out, rows, column)
        else:
            self._fill(out, -rows, -column % width)
            np.conjugate(out, out=out)

    def _fill(self, out: HalfArray, rows: IndexArray, left: int) -> None:
        """Fill in rows of the half spectrum without the mean, from column ``left`` on."""
        rows = rows % self.shape[0]
        right = left + out.shape[1]
        consecutive = rows[-1] - rows[0] == len(rows) - 1
        chosen = slice(rows[0], rows[-1] + 1) if consecutive else rows
        out[:] = self.spectrum.half[chosen, left:right]
        if self.window != "none":
            mean = self.spectrum.dc * self.down.response_at(rows)
            out -= np.multiply.outer(mean, self.across.response_at(np.arange(left, right)))
        elif left == 0:
            out[rows == 0, 0] = 0.0


def tapered(spectrum: Spectrum, window: str = "none", *, taper: bool = True) -> TaperedSpectrum:
    """Read a spectrum as that of an image which fades out to zero towards its borders.

    >>> from fft_tool.spectrum.transform import forward
    >>> wave = 100 + 50 * np.cos(2 * np.pi * np.arange(64) / 8)
    >>> view = tapered(forward(np.tile(wave, (48, 1))))
    >>> magnitude = abs(view.values(np.array([0]), np.array([8])))
    >>> float((2 * magnitude / (48 * 64) / view.gain).round(3)[0])
    50.0

    Parameters
    ----------
    spectrum : Spectrum
        Not changed.
    window : str
        Name of the window that the image was given before the transform. If it does not fade out
        to zero itself (``none``, ``hamming``), a Hann window is applied, but not along sides
        shorter than eight pixels.
    taper : bool
        False reads the spectrum as it is, but for the mean and the scale.
    """
    check_spectrum(spectrum)
    taper = taper and window in _ABRUPT
    down, across = (axis_of(window, length, taper=taper) for length in spectrum.shape)
    return TaperedSpectrum(spectrum, window, down, across)


@lru_cache(maxsize=8)
def axis_of(window: str, length: int, *, taper: bool = False) -> Axis:
    """What a window, and the taper, do to the spectrum along a side of ``length`` pixels."""
    taper = taper and length >= _SHORTEST
    # Of a longer side, that many samples say the same.
    samples = min(length, _MOST_SAMPLES)
    own = window_weights(window, samples)
    weights = own * window_weights("hann", samples) if taper else own
    apart = np.arange(samples // 2 + 1)
    pairs = multiplicity(samples)[0] * np.maximum(1 - apart / (_ACROSS * length), 0.0)
    correlation = np.square(_dft(weights**2))
    smear = multiplicity(samples)[0] * np.square(_dft(weights))
    return Axis(
        length,
        _TAPS if taper else _UNTAPERED,
        np.ones(1) if window == "none" else _dft(own) / own.sum(),
        mean=float(weights.mean()),
        energy=float(np.square(weights).mean()),
        correlated=float((correlation * pairs).sum() / correlation[0]),
        spread=float((smear * (apart / length) ** 2).sum() / smear.sum()),
    )


def _dft(weights: Doubles) -> Doubles:
    """Half of the DFT of even weights, which is real."""
    # By the same kernel as images: numpy's own would have to be loaded.
    half: Doubles = forward(weights[None, :], precision="double").half[0].real
    return half


def _four_times_tapered(values: HalfArray) -> HalfArray:
    """Convolve rows with (-1, 2, -1): two rows fewer."""
    middle = values[1:-1]
    result: HalfArray = middle + middle
    result -= values[:-2]
    result -= values[2:]
    return result
