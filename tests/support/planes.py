"""Grey planes of every kind, sources made of them, and strategies to draw both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from fft_tool import Source
from tests.support.images import opened, png_bytes

Plane: TypeAlias = NDArray[np.unsignedinteger[Any]]
Shape: TypeAlias = tuple[int, int]
Rng: TypeAlias = np.random.Generator
Family: TypeAlias = Callable[[Shape, int, Rng], NDArray[Any]]

# One pixel, one line, even, odd, powers of two, primes, and all of them side by side.
SMALL_SHAPES: tuple[Shape, ...] = (
    *((1, 1), (1, 2), (2, 1), (2, 2), (1, 16), (16, 1), (1, 13), (13, 1)),
    *((2, 3), (3, 2), (8, 8), (8, 9), (9, 8), (7, 11), (12, 5), (16, 31), (31, 16), (29, 23)),
)


def source(pixels: Plane, name: str = "image.png") -> Source:
    """A source that holds a PNG of ``pixels``, written without the product's help."""
    return Source(name, png_bytes(pixels))


def read_png(data: bytes) -> Plane:
    """Pixels of a picture, read without the product's help."""
    return np.asarray(opened(data))


def _impulse(shape: Shape, white: int, rng: Rng) -> NDArray[Any]:
    plane = np.zeros(shape)
    plane[rng.integers(shape[0]), rng.integers(shape[1])] = white
    return plane


def _checkerboard(shape: Shape, white: int, rng: Rng) -> NDArray[Any]:
    cell = int(rng.integers(1, 5))
    return np.asarray(white * (np.add.outer(*_indices(shape, cell)) % 2))


def _indices(shape: Shape, cell: int = 1) -> tuple[NDArray[Any], NDArray[Any]]:
    return np.arange(shape[0]) // cell, np.arange(shape[1]) // cell


def _gradient(shape: Shape, white: int, rng: Rng) -> NDArray[Any]:
    down, across = rng.uniform(-1, 1, 2)
    rows, columns = _indices(shape)
    slope = np.add.outer(down * rows, across * columns)
    span = np.ptp(slope) or 1.0
    return np.asarray(np.rint(white * (slope - slope.min()) / span))


def _text_like(shape: Shape, white: int, rng: Rng) -> NDArray[Any]:
    """Black strokes on white, in lines with gaps between them."""
    strokes = np.repeat(rng.random((shape[0], shape[1] // 3 + 1)) < 0.4, 3, axis=1)[:, : shape[1]]
    strokes[np.arange(shape[0]) % 7 >= 5] = False
    return np.where(strokes, 0, white)


def _sparse(shape: Shape, white: int, rng: Rng) -> NDArray[Any]:
    return np.where(rng.random(shape) < 0.02, rng.integers(0, white + 1, shape), 0)


def _wave(shape: Shape, white: int, rng: Rng) -> NDArray[Any]:
    rows, columns = _indices(shape)
    down, across, start = rng.uniform(0, 3, 3)
    path = np.add.outer(down * rows, across * columns)
    return np.asarray(np.rint(white / 2 * (1 + np.sin(path + start))))


def _smooth(shape: Shape, white: int, rng: Rng) -> NDArray[Any]:
    """Noise summed both ways and wrapped: edges, ramps and texture at once."""
    steps = rng.integers(-3, 4, shape).cumsum(axis=0).cumsum(axis=1)
    return np.asarray(steps % (white + 1))


FAMILIES: dict[str, Family] = {
    "noise": lambda shape, white, rng: rng.integers(0, white + 1, shape),
    "faint noise": lambda shape, white, rng: white // 2 + rng.integers(0, 2, shape),
    "extremes": lambda shape, white, rng: white * rng.integers(0, 2, shape),
    "constant": lambda shape, white, rng: np.full(shape, rng.integers(0, white + 1)),
    "black": lambda shape, _, __: np.zeros(shape),
    "white": lambda shape, white, _: np.full(shape, white),
    "impulse": _impulse,
    "hole": lambda shape, white, rng: white - _impulse(shape, white, rng),
    "checkerboard": _checkerboard,
    "gradient": _gradient,
    "text": _text_like,
    "sparse": _sparse,
    "wave": _wave,
    "smooth": _smooth,
}


def plane_of(family: str, shape: Shape, white: int = 255, seed: int = 0) -> Plane:
    """A plane of one of the families, reproducible."""
    values = FAMILIES[family](shape, white, np.random.default_rng(seed))
    return values.astype(np.uint8 if white < 256 else np.uint16)


def shapes(largest: int = 96) -> st.SearchStrategy[Shape]:
    """Heights and widths, with lines and single pixels more often than chance has them."""
    side = st.one_of(st.integers(1, largest), st.sampled_from((1, 2, 3)))
    return st.tuples(side, side)


def planes(largest: int = 96, whites: tuple[int, ...] = (255,)) -> st.SearchStrategy[Plane]:
    """Planes of any family, shape and depth."""
    return st.builds(
        plane_of,
        st.sampled_from(sorted(FAMILIES)),
        shapes(largest),
        st.sampled_from(whites),
        st.integers(0, 2**32 - 1),
    )
