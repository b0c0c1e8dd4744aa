"""The decoder for arrays in numpy's .npy format.

The header is matched against the form in which all writers write it and never evaluated, and the
samples are a view of the file's bytes: nothing in a file can run code or take memory.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.codec.containers import check_frame
from fft_tool.codec.header import Header
from fft_tool.errors import CorruptImage, UnsupportedImage

SIGNATURE = b"\x93NUMPY"

_LONGEST_HEADER = 1 << 12
_HEADER = re.compile(
    r"\{ *'descr': *'([<>|=])([a-zA-Z])(\d{0,6})(?:\[[^']*\])?', *"
    r"'fortran_order': *(True|False), *"
    r"'shape': *\(( *(?:\d{1,18} *(?:, *\d{1,18} *)*,?)? *)\) *,? *\} *\n?"
)
_TYPES = {"b": "uint", "u": "uint", "i": "int", "f": "float"}
_REMEDIES = {
    "c": "complex numbers: save the real part or numpy.abs(array)",
    "O": "Python objects, which are never loaded: save array.astype(float)",
}


class NpyDecoder:
    """An array of shape (h, w), (h, w, channels), (frames, h, w) or (frames, h, w, channels).

    An array of three axes holds channels if the last axis has at most four entries, and frames
    otherwise. Two channels are grey and alpha, three are RGB and four are RGBA.
    """

    upright = True

    def __init__(self, data: bytes, frame: int) -> None:
        dtype, fortran, shape, start = _parsed(data)
        stack = _stack_shape(shape)
        frames, height, width, channels = stack
        count = math.prod(stack)
        if not count:
            raise UnsupportedImage(f"the array of shape {shape} is empty: save at least one pixel")
        if len(data) - start != count * dtype.itemsize:
            raise CorruptImage(
                f"the .npy file holds {len(data) - start:,} bytes of samples, its header says "
                f"{count * dtype.itemsize:,}: save it again"
            )
        check_frame(frame, frames)
        samples = np.frombuffer(data, dtype, count, start)
        # Axes that are added have length 1 and do not change the order of the samples.
        self._frame = samples.reshape(stack, order="F" if fortran else "C")[frame - 1]
        self.header = Header(
            "npy",
            width,
            height,
            channels,
            1 if dtype.kind == "b" else 8 * dtype.itemsize,
            file_bytes=len(data),
            frames=frames,
            frame=frame,
            sample_type=_TYPES[dtype.kind],
        )

    def pixels(self) -> NDArray[Any]:
        """Return the samples in native byte order; 0 and 255 for an array of truth values."""
        frame = self._frame
        if frame.dtype.kind == "b":
            levels: NDArray[Any] = np.where(frame.view(np.uint8) != 0, 255, 0).astype(np.uint8)
            return levels
        native: NDArray[Any] = np.ascontiguousarray(frame, frame.dtype.newbyteorder("="))
        return native


def _parsed(data: bytes) -> tuple[np.dtype[Any], bool, tuple[int, ...], int]:
    """Dtype, order, shape and offset of the samples."""
    width = 2 if data[6:7] == b"\1" else 4
    start = 8 + width
    length = int.from_bytes(data[8:start], "little")
    if data[6:7] not in (b"\1", b"\2", b"\3") or len(data) < start + length:
        raise CorruptImage("the .npy file is truncated inside its header, or of an unknown version")
    text = data[start : start + min(length, _LONGEST_HEADER)].decode("latin-1")
    found = _HEADER.fullmatch(text)
    if not found:
        raise UnsupportedImage(
            "the header of the .npy file does not describe a plain array of numbers: save it again "
            "with numpy.save, without fields"
        )
    order, kind, size, fortran, axes = found.groups()
    sizes = {"b": (1,), "u": (1, 2, 4, 8), "i": (1, 2, 4, 8), "f": (2, 4, 8)}.get(kind, ())
    if not size or int(size) not in sizes:
        what = _REMEDIES.get(kind, f"values of type {kind}{size}: save array.astype(float)")
        raise UnsupportedImage(f"the .npy file holds {what}")
    shape = tuple(int(axis) for axis in axes.replace(",", " ").split())
    return np.dtype(f"{order}{kind}{size}"), fortran == "True", shape, start + length


def _stack_shape(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Shape as (frames, h, w, channels)."""
    if len(shape) == 2:
        return (1, *shape, 1)
    if len(shape) == 3:
        return (1, *shape) if shape[2] <= 4 else (*shape, 1)
    if len(shape) == 4 and shape[3] <= 4:
        return shape
    raise UnsupportedImage(
        f"the .npy file holds an array of shape {shape}: save images of shape (h, w), "
        "(h, w, channels) or (frames, h, w)"
    )
