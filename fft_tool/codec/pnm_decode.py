"""The decoder for PBM, PGM and PPM (Netpbm): a header of text, and rows of samples."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Pixels
from fft_tool.codec.containers import check_frame
from fft_tool.codec.header import Header
from fft_tool.codec.raster import full_range
from fft_tool.errors import CorruptImage, TooCostly

SIGNATURE = re.compile(rb"P[1-6][\s#]")

_LONGEST_HEADER = 1 << 14
TEXT_BYTES = 8
"""Maximum of bytes per sample, on average, where samples are written as decimal numbers."""
_GAP = rb"(?:\s|#[^\n\r]*[\n\r])"
_NUMBER = rb"+(\d{1,10})"
_BITMAP = re.compile(rb"P[14]" + _GAP + _NUMBER + _GAP + _NUMBER + rb"(\s)")
_LEVELS = re.compile(rb"P[2356]" + (_GAP + _NUMBER) * 3 + rb"\s")
_NO_NUMBER = re.compile(rb"[^\d\s]")
_COMMENT = re.compile(rb"#[^\n\r]*")


class PnmDecoder:
    """One image. Of samples up to 255, the largest value becomes 255; larger ones are kept."""

    upright = True

    def __init__(self, data: bytes, frame: int) -> None:
        self._kind = kind = data[1:2]
        bitmap = kind in b"14"
        found = (_BITMAP if bitmap else _LEVELS).match(data[:_LONGEST_HEADER])
        if not found:
            raise CorruptImage("PNM header is damaged: it should hold width, height and maximum")
        width, height = int(found[1]), int(found[2])
        self._top = 1 if bitmap else int(found[3])
        if not 0 < self._top < 1 << 16 or not width or not height:
            raise CorruptImage(f"PNM header says {width} x {height} pixels up to {self._top}")
        self._body = memoryview(data)[found.end() :]
        check_frame(frame, 1)
        self.header = Header(
            "pnm",
            width,
            height,
            3 if kind in b"36" else 1,
            self._top.bit_length(),
            file_bytes=len(data),
        )

    def pixels(self) -> Pixels:
        """Decode the first image of the file."""
        shape = (self.header.height, self.header.width, self.header.channels)
        levels = self._packed_bits() if self._kind == b"4" else self._samples()
        if self._kind in b"14":
            levels = 1 - levels  # 1 is black
        pixels = levels.reshape(shape)
        return full_range(pixels, self._top) if self._top < 256 else pixels

    def _samples(self) -> Pixels:
        count = self.header.width * self.header.height * self.header.channels
        dtype = np.uint8 if self._top < 256 else np.uint16
        if self._kind in b"123":
            return self._checked(self._numbers(count)).astype(dtype)
        stored = np.dtype(dtype).newbyteorder(">")
        self._require(count * stored.itemsize)
        return self._checked(np.frombuffer(self._body, stored, count)).astype(dtype)

    def _checked(self, levels: NDArray[Any]) -> NDArray[Any]:
        if int(levels.max()) > self._top:
            raise CorruptImage(f"PNM has samples above its maximum of {self._top}")
        return levels

    def _packed_bits(self) -> Pixels:
        row_bytes = -(-self.header.width // 8)
        self._require(row_bytes * self.header.height)
        rows = np.frombuffer(self._body, np.uint8, row_bytes * self.header.height)
        bits = np.unpackbits(rows.reshape(-1, row_bytes), axis=1)
        return np.ascontiguousarray(bits[:, : self.header.width])

    def _numbers(self, count: int) -> NDArray[np.int64]:
        """Samples written as decimal numbers; those of a bitmap need no space between them."""
        if len(self._body) > TEXT_BYTES * count + _LONGEST_HEADER:
            raise TooCostly(
                f"PNM has {len(self._body):,} bytes of text for {count:,} samples: save it in "
                "binary form"
            )
        text = _COMMENT.sub(b" ", bytes(self._body))
        if self._kind == b"1":
            digits = np.frombuffer(text, np.uint8)
            numbers = (digits[digits > ord(" ")] - np.uint8(ord("0"))).astype(np.int64)
        else:
            if _NO_NUMBER.search(text):
                raise CorruptImage("PNM has samples that are not whole numbers")
            # Not with a count: missing numbers would become 0.
            numbers = np.fromstring(text, np.int64, sep=" ")
        if numbers.size < count:
            raise self._truncated()
        return numbers[:count]

    def _require(self, size: int) -> None:
        if len(self._body) < size:
            raise self._truncated()

    def _truncated(self) -> CorruptImage:
        header = self.header
        return CorruptImage(
            f"PNM is truncated: it has fewer samples than {header.width} x {header.height} pixels"
        )
