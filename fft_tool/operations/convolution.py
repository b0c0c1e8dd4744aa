"""Gaussian blur, unsharp mask and Sobel's gradient, in blocks of rows.

Images are extended by mirroring at their borders: ``c b a | a b c``, half-sample symmetric. For
that extension, convolution with a symmetric kernel multiplies the coefficients of the cosine
transform of type 2, which is how wide kernels are applied: the result is the same, and the time
does not depend on the width.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fft_tool.arrays import Doubles, FloatArray, Pixels
from fft_tool.image.grey import LUMA_WEIGHTS
from fft_tool.operations.gaussian import is_direct, radius_of
from fft_tool.operations.levels import colours_of, has_alpha, layout_of, to_levels, to_real
from fft_tool.parallel import map_rows, rows_per_block, worth_threads
from fft_tool.spectrum.kernel import BY_SIZE, UNSCALED, kernel

Take = Callable[[int, int, FloatArray], None]
"""Takes rows ``start`` to ``stop`` of a result, (n, w, channels), which it may overwrite."""


def blur(pixels: Pixels, white: int, sigma: float, *, threads: int = 1) -> Pixels:
    """Blur colours, weighted by alpha, and alpha itself."""
    result = np.empty_like(pixels, order="C")

    def take(start: int, stop: int, rows: FloatArray) -> None:
        if has_alpha(pixels):
            separate(rows, white)
        to_levels(rows, white, result[start:stop])

    _gaussian(pixels, white, sigma, take, threads)
    return result


def sharpen(pixels: Pixels, white: int, amount: float, sigma: float, *, threads: int = 1) -> Pixels:
    """Add ``amount`` times the difference from the blurred image; alpha stays."""
    result = np.empty_like(pixels, order="C")
    colours = colours_of(pixels)

    def take(start: int, stop: int, rows: FloatArray) -> None:
        if has_alpha(pixels):
            separate(rows, white)
        levels = pixels[start:stop, :, :colours]
        mask = rows[:, :, :colours]
        np.subtract(levels, mask, out=mask)
        mask *= amount
        mask += levels
        to_levels(mask, white, result[start:stop, :, :colours])
        result[start:stop, :, colours:] = pixels[start:stop, :, colours:]

    _gaussian(pixels, white, sigma, take, threads)
    return result


def edges(pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
    """Magnitude of Sobel's gradient of the luma, over black; alpha stays."""
    height, width = pixels.shape[:2]
    result = np.empty((height, width, 1 + has_alpha(pixels)), pixels.dtype)
    columns = mirrored(-1, width + 1, width)

    def block(start: int, stop: int) -> None:
        rows = pixels[mirrored(start - 1, stop + 1, height)]
        grey = _grey_over_black(rows, white)[:, columns]
        smooth = grey[:-2] + grey[2:] + 2 * grey[1:-1]
        across = smooth[:, 2:] - smooth[:, :-2]
        smooth = grey[:, :-2] + grey[:, 2:] + 2 * grey[:, 1:-1]
        down = smooth[2:] - smooth[:-2]
        strength = np.sqrt(across * across + down * down)
        strength *= 0.25
        to_levels(strength, white, result[start:stop, :, 0])
        result[start:stop, :, 1:] = pixels[start:stop, :, colours_of(pixels) :]

    map_rows(block, height, rows_per_block(8 * width), threads=threads)
    return result


def mirrored(start: int, stop: int, length: int) -> np.ndarray:
    """Indices ``start`` to ``stop`` of a line of ``length`` samples, mirrored at its ends."""
    places = np.arange(start, stop) % (2 * length)
    return np.minimum(places, 2 * length - 1 - places)


def gaussian_kernel(sigma: float) -> Doubles:
    """Sampled Gaussian, normalised: its centre, and what follows on one side."""
    steps = np.arange(radius_of(sigma) + 1)
    weights = np.exp(-0.5 * np.square(steps / sigma))
    return np.asarray(weights / (2 * weights.sum() - weights[0]))


def premultiplied(rows: Pixels, white: int) -> FloatArray:
    """Samples (n, w, channels) as real numbers, colours multiplied by alpha from 0 to 1."""
    values = to_real(rows)
    if has_alpha(rows):
        values[:, :, :-1] *= values[:, :, -1:] / white
    return values


def separate(values: FloatArray, white: int) -> None:
    """Divide colours by alpha, in place; where alpha rounds to nothing, colours are black."""
    alpha = values[:, :, -1:]
    gain = np.divide(white, alpha, out=np.zeros_like(alpha), where=alpha >= 0.5)
    values[:, :, :-1] *= gain


def _grey_over_black(rows: Pixels, white: int) -> FloatArray:
    """Luma (n, w), not rounded, of pixels over black."""
    values = premultiplied(rows, white)
    if values.shape[2] < 3:
        return values[:, :, 0]
    grey = values[:, :, 0] * (LUMA_WEIGHTS[0] / 65536)
    for index in (1, 2):
        grey += values[:, :, index] * (LUMA_WEIGHTS[index] / 65536)
    return grey


def _gaussian(pixels: Pixels, white: int, sigma: float, take: Take, threads: int) -> None:
    """Blur premultiplied samples and hand blocks of rows to ``take``."""
    weights = gaussian_kernel(sigma)
    if is_direct(layout_of(pixels), sigma):
        _tap_by_tap(pixels, white, weights, take, threads)
    else:
        _by_cosines(pixels, white, weights, take, threads)


def _tap_by_tap(pixels: Pixels, white: int, weights: Doubles, take: Take, threads: int) -> None:
    height, width, channels = pixels.shape
    radius = weights.size - 1
    left, right = mirrored(-radius, 0, width), mirrored(width, width + radius, width)

    def block(start: int, stop: int) -> None:
        inside = radius <= start and stop + radius <= height
        around = slice(start - radius, stop + radius)  # a view, where no row has to be mirrored
        places = around if inside else mirrored(around.start, around.stop, height)
        above = premultiplied(pixels[places], white)
        rows = _weighted(above.reshape(above.shape[0], -1), weights, axis=0)
        rows = rows.reshape(-1, width, channels)
        wide = np.concatenate([rows[:, left], rows, rows[:, right]], axis=1)
        rows = _weighted(wide.reshape(stop - start, -1), weights, axis=1, step=channels)
        take(start, stop, rows.reshape(-1, width, channels))

    map_rows(block, height, rows_per_block(4 * width * channels), threads=threads)


def _weighted(values: FloatArray, weights: Doubles, *, axis: int, step: int = 1) -> FloatArray:
    """Weighted sums of 2-D ``values``, ``step`` apart along an axis, wherever all of them exist."""
    taps = np.concatenate([weights[:0:-1], weights]).astype(values.dtype)
    windows = sliding_window_view(values, (taps.size - 1) * step + 1, axis=axis)
    return np.asarray(np.einsum("yxt,t->yx", windows[:, :, ::step], taps))


def _by_cosines(pixels: Pixels, white: int, weights: Doubles, take: Take, threads: int) -> None:
    height, width, channels = pixels.shape
    values = np.empty((channels, height, width), to_real(pixels[:0]).dtype)
    rows = rows_per_block(4 * width * channels)

    def load(start: int, stop: int) -> None:
        values[:, start:stop] = np.moveaxis(premultiplied(pixels[start:stop], white), 2, 0)

    map_rows(load, height, rows, threads=threads)
    gains = [_gains(weights, length).astype(values.dtype) for length in (height, width)]
    workers = worth_threads(values[0].nbytes, threads)
    for plane in values:
        kernel().dct(plane, 2, (0, 1), UNSCALED, plane, workers)
        for gain in (gains[0][:, None], gains[1]):
            np.multiply(plane, gain, out=plane)
        kernel().dct(plane, 3, (0, 1), BY_SIZE, plane, workers)

    def hand_over(start: int, stop: int) -> None:
        take(start, stop, np.ascontiguousarray(np.moveaxis(values[:, start:stop], 0, 2)))

    map_rows(hand_over, height, rows, threads=threads)


def _gains(weights: Doubles, length: int) -> Doubles:
    """What a symmetric kernel multiplies the cosine coefficients of a line by."""
    circle = np.zeros(2 * length)
    steps = np.arange(weights.size)
    np.add.at(circle, steps % circle.size, weights)
    np.add.at(circle, -steps[1:] % circle.size, weights[1:])
    return np.asarray(np.fft.rfft(circle).real[:length])
