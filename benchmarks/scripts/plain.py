"""The plain script: numpy and Pillow, as such scripts are usually written.

``python plain.py IMAGE_OR_FOLDER OUT``
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def pictures(data: bytes) -> tuple[bytes, bytes]:
    """Magnitude and phase picture, both PNG, of an image file."""
    image = np.array(Image.open(io.BytesIO(data)).convert("L"))
    spectrum = np.fft.fft2(image)
    centred = np.fft.fftshift(spectrum)
    magnitude = np.log1p(np.abs(centred))
    phase = np.angle(centred)
    return as_png(magnitude), as_png(phase)


def as_png(values: NDArray[Any]) -> bytes:
    """Stretch values to 0 to 255 and write them with Pillow's defaults."""
    low, high = values.min(), values.max()
    codes = ((values - low) / (high - low) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(codes).save(buffer, format="PNG")
    return buffer.getvalue()


def main() -> None:
    """Process one image, or those of a folder one after the other."""
    given, out = Path(sys.argv[1]), Path(sys.argv[2])
    for path in sorted(given.glob("*.png")) if given.is_dir() else [given]:
        magnitude, phase = pictures(path.read_bytes())
        (out / f"{path.stem}_magnitude.png").write_bytes(magnitude)
        (out / f"{path.stem}_phase.png").write_bytes(phase)


if __name__ == "__main__":
    main()
