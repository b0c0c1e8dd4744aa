"""Frames of an animated PNG, composed as the specification says (PNG third edition, section 12).

Each frame is a rectangle that replaces what is there or is blended over it. After it has been
shown, it stays, is cleared, or gives way to what was there before.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from fft_tool.arrays import Pixels
from fft_tool.codec.png_file import Png
from fft_tool.errors import CorruptImage

_CLEAR, _RESTORE = 1, 2  # how a frame is disposed of
_OVER = 1  # how a frame is blended
_CONTROL_BYTES = 26


@dataclass(frozen=True, slots=True)
class _Frame:
    width: int
    height: int
    x: int
    y: int
    dispose: int
    blend: int
    image: Png

    @property
    def place(self) -> tuple[slice, slice]:
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


def compose(file: Png, frame: int, channels: int, decode: Callable[[Png], Pixels]) -> Pixels:
    """Pixels (h, w, channels) of a frame, counted from 1, on the whole canvas."""
    dtype = np.uint8 if file.depth <= 8 else np.uint16
    canvas: Pixels = np.zeros((file.height, file.width, channels), dtype)
    missing = CorruptImage(f"PNG has no frame {frame:,}, though it announces {file.frames:,}")
    number = 0 if file.animated_from_start else 1
    if number == frame:
        return decode(file)
    for each in _frames(file):
        number += 1
        part = decode(each.image)
        before = canvas[each.place].copy() if each.dispose == _RESTORE else None
        _draw(canvas[each.place], part, each.blend)
        if number == frame:
            return canvas
        if before is not None:
            canvas[each.place] = before
        elif each.dispose == _CLEAR:
            canvas[each.place] = 0
    raise missing


def _draw(target: Pixels, part: Pixels, blend: int) -> None:
    if blend != _OVER or part.shape[2] not in (2, 4):
        target[:] = part
        return
    top = float(np.iinfo(part.dtype).max)
    for above, below in zip(part, target, strict=True):  # rows, so that little memory is needed
        alpha, under = above[:, -1:] / top, below[:, -1:] / top
        kept = under * (1 - alpha)
        total = alpha + kept
        mixed = above[:, :-1] * alpha + below[:, :-1] * kept
        below[:, :-1] = np.rint(mixed / np.maximum(total, 1 / top**2))
        below[:, -1:] = np.rint(total * top)


def _frames(file: Png) -> Iterator[_Frame]:
    """Frames in their order, with their image data."""
    control, parts = b"", list[memoryview]()
    for chunk_type, body in (*file.animation, (b"fcTL", memoryview(b""))):
        if chunk_type != b"fcTL":
            parts.append(body if chunk_type == b"IDAT" else body[4:])
            continue
        if control:
            yield _frame(file, control, tuple(parts))
        control, parts = bytes(body), []


def _frame(file: Png, control: bytes, parts: tuple[memoryview, ...]) -> _Frame:
    if len(control) != _CONTROL_BYTES or not parts:
        raise CorruptImage("PNG has a frame without data, or whose control chunk is damaged")
    width, height, x, y, dispose, blend = struct.unpack(">4xIIII4xBB", control)
    if not (0 < width <= file.width - x and 0 < height <= file.height - y):
        raise CorruptImage(f"PNG has a frame of {width} x {height} pixels outside its canvas")
    image = replace(file, width=width, height=height, idat=parts)
    return _Frame(width, height, x, y, dispose, blend, image)
