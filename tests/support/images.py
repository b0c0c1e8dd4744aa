"""Images made in memory: PNG files built chunk by chunk, and arrays to fill them with."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.unsignedinteger[Any]]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def noise(
    shape: Sequence[int],
    dtype: Any = None,
    seed: int = 0,
    *,
    white: int = 0,
    deviation: float | None = None,
) -> NDArray[Any]:
    """White noise, the same for the same arguments.

    By default it is uniform over the full range of ``dtype``, or from 0 to ``white``; the default
    dtype is uint8, or uint16 if ``white`` needs it. A floating-point ``dtype`` gives values from 0
    to 255. With ``deviation`` it is normally distributed around 128, in double precision.
    """
    rng = np.random.default_rng(seed)
    if deviation is not None:
        return rng.normal(128, deviation, shape)
    if dtype is None:
        dtype = np.uint8 if white < 256 else np.uint16
    if np.issubdtype(dtype, np.floating):
        return rng.uniform(0, 255, shape)
    values: Pixels = rng.integers(0, white or np.iinfo(dtype).max, shape, dtype, endpoint=True)
    return values


def pink_noise(shape: tuple[int, int], dtype: Any = np.uint8, seed: int = 0) -> Pixels:
    """Noise with amplitudes like 1/f, as natural images have, stretched to the range of dtype."""
    height, width = shape
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    fall = 1 / np.maximum(np.hypot(fy, fx), 1 / max(shape))
    white = np.random.default_rng(seed).standard_normal(shape)
    field = np.fft.irfft2(np.fft.rfft2(white) * fall, shape)
    field -= field.min()
    scaled = field * (np.iinfo(dtype).max / max(float(field.max()), 1e-9))
    pixels: Pixels = np.rint(scaled).astype(dtype)
    return pixels


def ramp(height: int, width: int, channels: int = 1) -> Pixels:
    """Small 8-bit image without any symmetry, shape (h, w) or (h, w, channels)."""
    count = height * width * channels
    values = (np.arange(count) * 37 % 251).astype(np.uint8)
    pixels: Pixels = values.reshape((height, width, channels)[: 2 + (channels > 1)])
    return pixels


def chunk(kind: bytes, body: bytes = b"", *, crc_error: int = 0) -> bytes:
    """One PNG chunk; ``crc_error`` is mixed into its checksum."""
    checksum = zlib.crc32(kind + body) ^ crc_error
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def header(width: int, height: int, depth: int = 8, colour: int = 0, interlace: int = 0) -> bytes:
    """A PNG header chunk."""
    values = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return chunk(b"IHDR", values)


def png_file(*chunks: bytes) -> bytes:
    """A PNG file of the given chunks and an end chunk."""
    return b"".join((SIGNATURE, *chunks, chunk(b"IEND")))


def png_of_zeros(width: int, height: int) -> bytes:
    """A black image of 1 bit a pixel: as few bytes as so many pixels can have."""
    squeeze, row = zlib.compressobj(9), bytes(1 + -(-width // 8))
    body = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    return png_file(header(width, height, depth=1), chunk(b"IDAT", body))


def chunks_of(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and body of every chunk of a sound PNG file."""
    position = len(SIGNATURE)
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        yield data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        position += 12 + length


def scanlines(packed: Pixels, step: int = 1, filtering: int = 0) -> bytes:
    """Bytes (h, row bytes) as PNG rows, all with one filter (0 to 4); ``step`` bytes a pixel."""
    raw = packed.astype(np.int16)
    left, up, corner = np.zeros_like(raw), np.zeros_like(raw), np.zeros_like(raw)
    left[:, step:], up[1:], corner[1:, step:] = raw[:, :-step], raw[:-1], raw[:-1, :-step]
    estimate = left + up - corner
    by_left, by_up, by_corner = (abs(estimate - near) for near in (left, up, corner))
    nearest = np.where(by_up <= by_corner, up, corner)
    paeth = np.where((by_left <= by_up) & (by_left <= by_corner), left, nearest)
    predicted = (np.zeros_like(raw), left, up, (left + up) // 2, paeth)[filtering]
    rows = np.empty((raw.shape[0], 1 + raw.shape[1]), np.uint8)
    rows[:, 0] = filtering
    rows[:, 1:] = (raw - predicted) & 0xFF
    return rows.tobytes()


def png_bytes(pixels: Pixels, *extra: bytes, filtering: int = 0) -> bytes:
    """A PNG of pixels (h, w) or (h, w, channels); ``extra`` chunks stand before the data.

    Written without the product's help, so that it can be held against it.
    """
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    size = pixels.dtype.itemsize
    packed = np.ascontiguousarray(pixels.astype(f">u{size}")).reshape(height, -1).view(np.uint8)
    data = zlib.compress(scanlines(packed, channels * size, filtering), 1)
    head = header(width, height, 8 * size, COLOUR_TYPES[channels])
    return png_file(head, *extra, chunk(b"IDAT", data))


TiffEntry = tuple[int, str, Sequence[Any]]


def tiff_directory(*entries: TiffEntry, order: str = "<") -> bytes:
    """A TIFF file, or EXIF block, of one directory: (tag, type in struct's letters, values).

    A rational is two ``I`` or ``i`` values.
    """
    types = {"s": 2, "H": 3, "I": 4, "II": 5, "ii": 10, "f": 11, "d": 12}
    start = 8 + 2 + 12 * len(entries) + 4
    fields, outside = b"", b""
    for tag, letters, values in entries:
        body = b"".join(
            value if isinstance(value, bytes) else struct.pack(order + letters[0], value)
            for value in values
        )
        count = len(body) if letters == "s" else len(values) // len(letters)
        if len(body) > 4:
            body, outside = struct.pack(order + "I", start + len(outside)), outside + body
        fields += struct.pack(order + "HHI", tag, types[letters], count) + body.ljust(4, b"\0")
    magic = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return magic + struct.pack(order + "H", len(entries)) + fields + bytes(4) + outside


def npy(array: NDArray[Any]) -> bytes:
    """A .npy file as numpy writes it."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """An image file as Pillow writes it."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    """An image file as Pillow reads it."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
