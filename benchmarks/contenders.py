"""The contenders in this process: whole analyses, transforms alone, and the parts of the floor.

Peers are imported only when they are used, since they may not be installed. All may use two
threads.
"""

from __future__ import annotations

import functools
import importlib.util
import io
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import reference
from images import decoded
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image
from reference import Codes, Look
from scripts import plain

import fft_tool
from fft_tool.spectrum.transform import forward

Array = NDArray[Any]
Call = Callable[[], Any]

THREADS = 2
OURS = "ours"


def installed(module: str) -> bool:
    """Whether a Python peer is installed."""
    return importlib.util.find_spec(module) is not None


@dataclass(frozen=True, slots=True)
class Painter:
    """A function from the bytes of an image to those of its two pictures."""

    name: str
    module: str
    paint: Callable[[bytes], tuple[bytes, bytes]]
    look: Look


@dataclass(frozen=True, slots=True)
class Transformer:
    """A real transform of a float32 image.

    ``prepare`` takes the image and returns the call to time; ``unpack`` converts the result of the
    call to the layout of ``np.fft.rfft2``.
    """

    name: str
    module: str
    prepare: Callable[[Array], Call]
    unpack: Callable[[Any], Array] = np.asarray
    rival: bool = True


def paint_ours(data: bytes) -> tuple[bytes, bytes]:
    """Call the library with its default recipe."""
    source = fft_tool.Source("image.png", data)
    outputs = fft_tool.run(source, fft_tool.Recipe(), threads=THREADS)
    return outputs["magnitude"].data, outputs["phase"].data


def paint_with_opencv(data: bytes) -> tuple[bytes, bytes]:
    """Call the OpenCV script's function."""
    _opencv()
    pair: tuple[bytes, bytes] = import_module("scripts.with_opencv").pictures(data)
    return pair


def codes_of(magnitude: bytes, phase: bytes) -> Codes:
    """Decode a pair of pictures."""
    return Codes(decoded(magnitude), decoded(phase))


PAINTERS = (
    Painter(OURS, "fft_tool", paint_ours, reference.fixed),
    Painter("plain script", "numpy", plain.pictures, reference.stretched),
    Painter("OpenCV", "cv2", paint_with_opencv, reference.from_zero),
)


def _transform_ours(image: Array) -> Call:
    return lambda: forward(image, threads=THREADS)


def _transform_with_ducc0(image: Array) -> Call:
    r2c = import_module("ducc0").fft.r2c
    return lambda: r2c(image, axes=(0, 1), nthreads=THREADS)


def _transform_with_mkl(image: Array) -> Call:
    rfft2 = import_module(
        "mkl_fft"
    ).rfft2  # its number of threads is set by MKL_NUM_THREADS, see run.py
    return lambda: rfft2(image)


def _transform_with_fftw(image: Array) -> Call:
    """Plan first: only the execution of the plan, into an existing array, is timed."""
    plan: Call = import_module("pyfftw").builders.rfft2(
        image.copy(), threads=THREADS, planner_effort="FFTW_ESTIMATE"
    )
    return plan


def _transform_with_opencv(image: Array) -> Call:
    dft = _opencv().dft
    return lambda: dft(image)


def _transform_with_scipy(image: Array) -> Call:
    rfft2 = import_module("scipy.fft").rfft2
    return lambda: rfft2(image, workers=THREADS)


def _transform_with_numpy(image: Array) -> Call:
    return lambda: np.fft.rfft2(image)


def _unpack_opencv(packed: Array) -> Array:
    """Unpack OpenCV's format: real and imaginary parts side by side, without redundant values.

    The first column, and for even widths the last, are packed vertically.
    """
    height, width = packed.shape
    half = np.empty((height, width // 2 + 1), np.complex64)
    inner = (width - 1) // 2
    half[:, 1 : inner + 1] = packed[:, 1 : 2 * inner : 2] + 1j * packed[:, 2 : 2 * inner + 1 : 2]
    for column in {0, -1} if width % 2 == 0 else {0}:
        half[:, column] = _unpack_column(packed[:, column])
    return half


def _unpack_column(packed: Array) -> Array:
    """Full spectrum of a real column: the packed half, and its mirror."""
    height = packed.size
    inner = (height - 1) // 2
    half = np.zeros(height // 2 + 1, np.complex64)
    half[0] = packed[0]
    half[1 : inner + 1] = packed[1 : 2 * inner : 2] + 1j * packed[2 : 2 * inner + 1 : 2]
    if height % 2 == 0:
        half[-1] = packed[-1]
    return np.concatenate([half, np.conj(half[inner:0:-1])])


def _half(spectrum: fft_tool.Spectrum) -> Array:
    return spectrum.half


TRANSFORMERS = (
    Transformer(OURS, "fft_tool", _transform_ours, _half),
    Transformer("ducc0", "ducc0", _transform_with_ducc0),
    Transformer("MKL", "mkl_fft", _transform_with_mkl),
    Transformer("FFTW", "pyfftw", _transform_with_fftw),
    Transformer("OpenCV", "cv2", _transform_with_opencv, _unpack_opencv),
    Transformer("scipy.fft", "scipy", _transform_with_scipy, rival=False),
    Transformer("numpy.fft", "numpy", _transform_with_numpy, rival=False),
)


def floor_pieces(data: bytes, pictures: Codes) -> Mapping[str, Call]:
    """Decoding and deflating, which every contender has to do."""
    magnitude, phase = raw_rows(pictures.magnitude), raw_rows(pictures.phase)
    return {
        "decode": lambda: Image.open(io.BytesIO(data)).load(),
        "deflate magnitude": lambda: isal_zlib.compress(magnitude, 1),
        "deflate phase": lambda: isal_zlib.compress(phase, 1),
        "deflate both at once": lambda: _deflate_both(magnitude, phase),
    }


def raw_rows(picture: Array | None) -> bytes:
    """Rows as PNG compresses them: a zero for "not filtered", then the pixels."""
    assert picture is not None  # noqa: S101  (every painter makes both pictures)
    return np.pad(picture, ((0, 0), (1, 0))).tobytes()


def _deflate_both(*pictures: bytes) -> list[bytes]:
    return list(_threads().map(lambda rows: isal_zlib.compress(rows, 1), pictures))


@functools.cache
def _threads() -> ThreadPoolExecutor:
    """A permanent pool, so that starting threads is not timed."""
    return ThreadPoolExecutor(THREADS)


def _opencv() -> Any:
    cv2 = import_module("cv2")
    cv2.setNumThreads(THREADS)
    return cv2
