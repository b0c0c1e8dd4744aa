"""Arrays: types that have one meaning everywhere, and checks of those that callers pass in.

Each message of a check names what was given and the remedy.
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
    """Sum of the squares, in double precision and pairwise.

    Not a dot product: BLAS would start threads of its own inside a row block, and its last digits
    depend on how many.
    """
    return float(np.square(values, dtype=np.float64).sum())


def sha256_of_levels(plane: Plane) -> str:
    """SHA-256, in hexadecimal, of grey levels (h, w): row by row, 16-bit ones little-endian."""
    digest = hashlib.sha256()
    rows = max(1, (1 << 20) // (plane.shape[1] * plane.itemsize))
    for start in range(0, plane.shape[0], rows):
        block = plane[start : start + rows]
        digest.update(np.ascontiguousarray(block, block.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


def to_base64(values: NDArray[Any], dtype: str) -> str:
    """Write numbers as text: their bytes as ``dtype``, such as ``"<i2"``, in base64.

    >>> to_base64(np.array([1, -1]), "<i2")
    'AQD//w=='
    """
    return base64.b64encode(values.astype(dtype).tobytes()).decode()


def from_base64(text: Any, dtype: str, count: int) -> NDArray[Any]:
    """Read ``count`` numbers that :func:`to_base64` has written; else raise ``ValueError``.

    >>> from_base64("AQD//w==", "<i2", 2).tolist()
    [1, -1]

    The text may come from anywhere: no more memory is taken than ``count`` numbers need.
    """
    size = count * np.dtype(dtype).itemsize
    if not isinstance(text, str) or len(text) != 4 * -(-size // 3):
        raise ValueError(f"it does not hold {count:,} numbers")
    data = base64.b64decode(text, validate=True)
    if len(data) != size:
        raise ValueError(f"it does not hold {count:,} numbers")
    return np.frombuffer(data, dtype)


def check_real(image: Any) -> NDArray[Any]:
    """Return a real, finite image of shape (h, w), any real dtype; else raise an error."""
    array = check_grey(image)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"array of type {array.dtype}: {_remedy_for(array.dtype)}")
    check_finite(array)
    return array


def check_levels(image: Any) -> NDArray[np.unsignedinteger[Any]]:
    """Return an image of shape (h, w), uint8 or uint16; else raise an error."""
    return check_unsigned(check_grey(image))


def check_grey(image: Any) -> NDArray[Any]:
    """Return an array of shape (h, w) with at least one pixel, any dtype; else raise an error."""
    array = check_array(image)
    if array.ndim != 2:
        raise ValueError(
            f"{array.ndim}-D array of shape {array.shape}: {_remedy_for_shape(array.shape)}"
        )
    return array


def check_array(image: Any) -> NDArray[Any]:
    """Return a numpy array with at least one element and no mask; else raise an error."""
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
    """Return an array of uint8 or uint16 in the machine's byte order; else raise an error."""
    if array.dtype.kind != "u" or array.dtype.itemsize > 2:
        raise TypeError(
            f"array of type {array.dtype}, should be uint8 or uint16: {_remedy_for_levels(array)}"
        )
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def check_finite(array: NDArray[Any]) -> None:
    """Raise an error if a value is NaN or infinite."""
    # The smallest and the largest value are NaN if any is: no array of flags has to be made.
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
