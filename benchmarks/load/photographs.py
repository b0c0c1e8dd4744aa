"""JPEG files of about one megabyte, any number of them, no two alike."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator

import numpy as np
from images import pink
from PIL import Image

_START = b"\xff\xd8"
_COMMENT = b"\xff\xfe"


def photograph(side: int) -> bytes:
    """Noise in colour with the statistics of a photograph, (side, side) pixels, quality 90."""
    light = pink(side, seed=1).astype(np.int16)
    tints = [pink(side, seed=seed, slope=1.5).astype(np.int16) - 128 for seed in (2, 3, 4)]
    colours = np.stack([light + tint // 4 for tint in tints], axis=-1)
    stream = io.BytesIO()
    Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8)).save(stream, "jpeg", quality=90)
    return stream.getvalue()


def copies(data: bytes) -> Iterator[bytes]:
    """The same picture again and again, each time with another comment, so with other bytes."""
    for number in itertools.count():
        comment = f"{number:012}".encode()
        size = (2 + len(comment)).to_bytes(2, "big")
        yield b"".join((_START, _COMMENT, size, comment, data[len(_START) :]))
