"""Filters applied to spectra and to grey levels.

A chain of filters alternates between the spectrum, where masks are multiplied, and the pixels,
where fitted waves and stripes are subtracted; it is transformed only where it has to change sides.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np

from fft_tool.arrays import FloatArray, Plane
from fft_tool.parallel import map_rows, rows_per_block
from fft_tool.spectrum.filters import (
    AnyFilter,
    Applicable,
    FittedFilter,
    MaskFilter,
)
from fft_tool.spectrum.half import Spectrum, frequencies
from fft_tool.spectrum.masks import MaskFile
from fft_tool.spectrum.transform import PRECISIONS, forward, inverse, inverse_rows

T = TypeVar("T")
Group = tuple[tuple[MaskFilter, ...], tuple[FittedFilter, ...]]


def ready(filters: tuple[AnyFilter, ...], shape: tuple[int, int]) -> tuple[Applicable, ...]:
    """Filters that can be applied to images of ``shape`` (h, w): the masks of files are decoded.

    Raises :class:`~fft_tool.errors.RecipeError` if a mask cannot be decoded, or has another shape.
    """
    return tuple(each.decoded(shape) if isinstance(each, MaskFile) else each for each in filters)


def apply_filters(
    spectrum: Spectrum, filters: tuple[AnyFilter, ...], *, threads: int = 1
) -> Spectrum:
    """Filter a spectrum, in its own precision; the one that is passed in is not changed."""
    precision = "single" if spectrum.half.dtype == np.complex64 else "double"
    filtered = Spectrum(spectrum.half.copy(), spectrum.width)
    for masks, fitted in _groups(ready(filters, spectrum.shape)):
        _multiply(filtered, masks, threads)
        if fitted:
            levels = inverse(filtered, threads=threads)
            _subtract(levels, fitted, threads)
            filtered = forward(levels, precision=precision, threads=threads)
    return filtered


def filter_rows(
    plane: Plane,
    filters: tuple[AnyFilter, ...],
    take: Callable[[int, FloatArray], T],
    *,
    precision: str = "single",
    threads: int = 1,
) -> list[T]:
    """Filter grey levels (h, w) and hand the result, not rounded, to ``take(start, rows)``.

    Blocks of rows come in any order; returns what ``take`` returned, in their order.
    """
    real, _ = PRECISIONS[precision]
    levels: FloatArray | None = None
    for masks, fitted in _groups(ready(filters, (plane.shape[0], plane.shape[1]))):
        if masks:
            source = plane if levels is None else levels
            spectrum = forward(source, precision=precision, threads=threads)
            del source
            levels = None
            _multiply(spectrum, masks, threads)
            if not fitted:
                return inverse_rows(spectrum, take, threads=threads)
            levels = _levels(spectrum, threads)
            del spectrum
        elif levels is None:
            levels = plane.astype(real)
        _subtract(levels, fitted, threads)
    found = plane.astype(real) if levels is None else levels
    rows = rows_per_block(found.shape[1] * found.itemsize)
    return map_rows(
        lambda start, stop: take(start, found[start:stop]), found.shape[0], rows, threads=threads
    )


def _groups(filters: tuple[Applicable, ...]) -> Iterator[Group]:
    """Filters in their order, as masks with the fitted filters that follow them."""
    masks: tuple[MaskFilter, ...] = ()
    for are_fitted, group in itertools.groupby(
        filters, lambda each: isinstance(each, FittedFilter)
    ):
        if not are_fitted:
            masks = tuple(each for each in group if not isinstance(each, FittedFilter))
            continue
        yield masks, tuple(each for each in group if isinstance(each, FittedFilter))
        masks = ()
    if masks:
        yield masks, ()


def _multiply(spectrum: Spectrum, masks: tuple[MaskFilter, ...], threads: int) -> None:
    half, shape = spectrum.half, spectrum.shape
    fy, fx = frequencies(shape)

    def block(start: int, stop: int) -> None:
        for each in masks:
            half[start:stop] *= each.mask(fy[start:stop], fx, shape)

    rows = rows_per_block(half.shape[1] * half.dtype.itemsize)
    map_rows(block, half.shape[0], rows, threads=threads)


def _subtract(levels: FloatArray, fitted: tuple[FittedFilter, ...], threads: int) -> None:
    for each in fitted:
        each.subtract(levels, threads=threads)


def _levels(spectrum: Spectrum, threads: int) -> FloatArray:
    """Give the image of a spectrum, which is overwritten."""
    levels = np.empty(spectrum.shape, spectrum.half.real.dtype)

    def place(start: int, rows: FloatArray) -> None:
        levels[start : start + rows.shape[0]] = rows

    inverse_rows(spectrum, place, threads=threads)
    return levels
