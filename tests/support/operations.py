"""Operations for tests: how to apply one, images of every kind, and a strategy that draws them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from fft_tool.operations.geometry import Crop, Flip, Resize, Rotate
from fft_tool.operations.neighbourhood import Blur, Edges, Sharpen
from fft_tool.operations.operation import Operation
from fft_tool.operations.registry import OPERATIONS, parse_operations
from fft_tool.operations.spectral import Bandpass, Destripe, Highpass, Lowpass, NotchOut
from fft_tool.operations.tones import (
    Brightness,
    Contrast,
    Equalise,
    Gamma,
    Grayscale,
    Invert,
    Posterize,
    Sepia,
)
from fft_tool.spectrum.filters import BandPass, HighPass, LowPass, Notch, Stripe
from tests.support.images import noise
from tests.support.recipes import ANGLES, PERIODS, crops

Pixels = NDArray[np.unsignedinteger[Any]]
Reals = NDArray[np.float64]

SHAPES = ((1, 1), (1, 9), (9, 1), (2, 3), (17, 23), (40, 31))
DTYPES = (np.uint8, np.uint16)
CHANNELS = (1, 2, 3, 4)
EXAMPLES = [text for kind in OPERATIONS.values() for text in kind.examples]


def one(text: str) -> Operation:
    """The only operation of a text."""
    (operation,) = parse_operations(text)
    return operation


def applied(text: str, pixels: Pixels, white: int | None = None, *, threads: int = 1) -> Pixels:
    """Pixels (h, w, channels) after the operations of a text, one after the other."""
    white = int(np.iinfo(pixels.dtype).max) if white is None else white
    for operation in parse_operations(text):
        pixels = operation.apply(pixels, white, threads=threads)
    return pixels


def random_image(shape: tuple[int, int], channels: int, dtype: Any, seed: int = 0) -> Pixels:
    """Noise in all channels; of alpha, a third is transparent and a third opaque."""
    pixels: Pixels = noise((*shape, channels), dtype, seed)
    if channels in (2, 4):
        alpha = pixels[:, :, -1]
        third = int(np.iinfo(dtype).max) // 3
        alpha[alpha < third] = 0
        alpha[alpha > 2 * third] = np.iinfo(dtype).max
    return pixels


def rounded(values: NDArray[Any], white: int) -> NDArray[np.int64]:
    """Real numbers as levels."""
    levels: NDArray[np.int64] = np.clip(np.rint(values), 0, white).astype(np.int64)
    return levels


def assert_close(found: Pixels, expected: NDArray[Any], most: int = 1, share: float = 0.01) -> None:
    """Levels agree but for rounding: none by more than ``most``, few at all."""
    assert found.shape == expected.shape
    apart = np.abs(found.astype(np.int64) - expected)
    assert apart.max() <= most
    assert np.count_nonzero(apart) <= max(1, share * apart.size)


SIGMAS = st.floats(1e-3, 1000)
COLOURS = st.tuples(*[st.integers(0, 255)] * 3)
SIDES = st.integers(1, 1_000_000)

ANY_OPERATION: st.SearchStrategy[Operation] = st.one_of(
    st.sampled_from((Grayscale(), Sepia(), Invert(), Equalise(), Edges())),
    st.builds(Contrast, st.floats(0, 100)),
    st.builds(Brightness, st.floats(-100, 100)),
    st.builds(Gamma, st.floats(0.01, 100)),
    st.builds(Posterize, st.integers(2, 256)),
    st.builds(Blur, SIGMAS),
    st.builds(Sharpen, st.floats(0, 100), SIGMAS),
    st.builds(Rotate, st.floats(-1e6, 1e6), st.none() | COLOURS),
    st.builds(Flip, st.sampled_from(("horizontal", "vertical"))),
    st.builds(Crop, crops()),
    st.builds(Resize, SIDES, st.none() | SIDES),
    st.builds(Resize, percent=st.floats(1e-3, 10_000)),
    st.builds(lambda *given: Lowpass(LowPass(*given)), PERIODS, st.floats(0, 10)),
    st.builds(lambda *given: Highpass(HighPass(*given)), PERIODS),
    st.builds(lambda *given: Bandpass(BandPass(*given)), st.floats(2, 50), st.floats(51, 1e6)),
    st.builds(lambda *given: NotchOut(Notch(*given)), st.floats(3, 1e6), ANGLES, st.floats(0, 1)),
    st.builds(lambda *given: Destripe(Stripe(*given)), ANGLES, st.floats(2, 1e6)),
)
