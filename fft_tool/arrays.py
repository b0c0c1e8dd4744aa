"""Array types, and checks of arrays that callers pass in.

Every error message names what was given and how to fix it.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.unsignedinteger[Any]]
"""Grey levels, shape (h, w), uint8 or uint16."""

Pixels = NDArray[np.unsignedinteger[Any]]
"""Samples of an image, shape (h, w, channels), uint8 or uint16."""

FloatArray = NDArray[np.floating[Any]]
"""Real numbers in single or double precision."""

Doubles = NDArray[np.float64]
"""Real numbers in double precision."""


def sum_of_squares(values: FloatArray) -> float:
    """Sum of squares, in double precision with pairwise summation.

    This is not a dot product because BLAS would start its own threads inside a row block, and the
    last digits of its results depend on the number of threads.
    """
    return float(np.square(values, dtype=np.float64).sum())


def sha256_of_levels(plane: Plane) -> str:
    """Return the SHA-256 of grey levels (h, w) in hexadecimal.

    They are hashed row by row, 16-bit ones in little-endian order.
    """
    digest = hashlib.sha256()
    rows = max(1, (1 << 20) // (plane.shape[1] * plane.itemsize))
    for start in range(0, plane.shape[0], rows):
        block = plane[start : start + rows]
        digest.update(np.ascontiguousarray(block, block.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


def to_base64(values: NDArray[Any], dtype: str) -> str:
    """Return the bytes of ``values``, as ``dtype`` such as ``"<i2"``, in base64.

    >>> to_base64(np.array([1, -1]), "<i2")
    'AQD//w=='
    """
    return base64.b64encode(values.astype(dtype).tobytes()).decode()


def from_base64(text: Any, dtype: str, count: int) -> NDArray[Any]:
    """Read ``count`` numbers written by :func:`to_base64`; else raise ``ValueError``.

    >>> from_base64("AQD//w==", "<i2", 2).tolist()
    [1, -1]

    The text may come from anywhere: its length is checked before it is decoded.
    """
    size = count * np.dtype(dtype).itemsize
    if not isinstance(text, str) or len(text) != 4 * -(-size // 3):
        raise ValueError(f"it does not hold {count:,} numbers")
    data = base64.b64decode(text, validate=True)
    if len(data) != size:
        raise ValueError(f"it does not hold {count:,} numbers")
    return np.frombuffer(data, dtype)


def check_real(image: Any) -> NDArray[Any]:
    """Return a real, finite image of shape (h, w), any real dtype; raise an error otherwise."""
    array = check_grey(image)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"array of type {array.dtype}: {_remedy_for(array.dtype)}")
    check_finite(array)
    return array


def check_pair(first: Any, second: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return two real, finite images of one shape (h, w); raise an error otherwise."""
    a, b = check_real(first), check_real(second)
    if a.shape != b.shape:
        raise ValueError(
            f"images of shapes {a.shape} and {b.shape}: "
            "crop or resize one of them to the shape of the other"
        )
    return a, b


def check_levels(image: Any) -> NDArray[np.unsignedinteger[Any]]:
    """Return an image of shape (h, w), uint8 or uint16; raise an error otherwise."""
    return check_unsigned(check_grey(image))


def check_grey(image: Any) -> NDArray[Any]:
    """Return a non-empty array of shape (h, w), any dtype; raise an error otherwise."""
    array = check_array(image)
    if array.ndim != 2:
        raise ValueError(
            f"{array.ndim}-D array of shape {array.shape}: {_remedy_for_shape(array.shape)}"
        )
    return array


def check_array(image: Any) -> NDArray[Any]:
    """Return a non-empty, unmasked numpy array; raise an error otherwise."""
    if not isinstance(image, np.ndarray):
        raise TypeError(
            f"{type(image).__name__} is not a numpy array: "
            "pass numpy.asarray(image), with one number for each pixel"
        )
    if image.size == 0:
        raise ValueError(f"empty array of shape {image.shape}: pass an image of at least one pixel")
    if hasattr(image, "mask"):
        raise TypeError("masked array: pass image.filled(value), a value for every pixel")
    return image


def check_unsigned(array: NDArray[Any]) -> NDArray[np.unsignedinteger[Any]]:
    """Return an array of uint8 or uint16 in native byte order; raise an error otherwise."""
    if array.dtype.kind != "u" or array.dtype.itemsize > 2:
        raise TypeError(
            f"array of type {array.dtype}, should be uint8 or uint16: {_remedy_for_levels(array)}"
        )
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def check_finite(array: NDArray[Any]) -> None:
    """Raise an error if a value is NaN or infinite."""
    # Minimum and maximum are NaN if any value is, so no array of flags is needed.
    if array.dtype.kind != "f" or (np.isfinite(array.min()) and np.isfinite(array.max())):
        return
    wrong = array.size - int(np.count_nonzero(np.isfinite(array)))
    what = "NaN" if np.isnan(array).any() else "infinite values"
    raise ValueError(
        f"array with {what} ({wrong} of {array.size} values are not finite): replace them, "
        "for instance with numpy.where(numpy.isfinite(image), image, 0)"
    )


def _remedy_for_shape(shape: tuple[int, ...]) -> str:
    if len(shape) == 3 and shape[2] <= 4:
        return "pass one channel, for instance image[..., 0], or use analyze() for colour"
    if len(shape) == 3:
        return "pass one plane at a time, for instance image[0]"
    if len(shape) == 1:
        return "pass an image of shape (h, w), for instance image[numpy.newaxis, :] for one row"
    return "pass an image of shape (h, w)"


def _remedy_for(dtype: np.dtype[Any]) -> str:
    remedies: dict[str, str] = {
        "c": "pass real values, for instance numpy.abs(image) or image.real",
        "O": "pass numbers, for instance image.astype(numpy.float64)",
    }
    return remedies.get(dtype.kind, "pass integers or floating-point numbers")


def _remedy_for_levels(array: NDArray[Any]) -> str:
    remedies = {
        "b": "pass image * numpy.uint8(255)",
        "f": "scale the values to 0 … 65535, round them and pass image.astype(numpy.uint16)",
        "i": "if no value is negative or above 65535, pass image.astype(numpy.uint16)",
        "u": "if no value is above 65535, pass image.astype(numpy.uint16)",
    }
    return remedies.get(array.dtype.kind) or _remedy_for(array.dtype)
