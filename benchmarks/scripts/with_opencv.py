"""The same analysis with OpenCV throughout, following its tutorials.

``python with_opencv.py IMAGE OUT``
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def pictures(data: bytes) -> tuple[bytes, bytes]:
    """Magnitude and phase picture, both PNG, of an image file."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise ValueError("OpenCV cannot decode this image")
    spectrum = cv2.dft(image.astype(np.float32), flags=cv2.DFT_COMPLEX_OUTPUT)
    real, imaginary = cv2.split(spectrum)
    magnitude = cv2.log(cv2.magnitude(real, imaginary) + 1)
    return as_png(magnitude), as_png(cv2.phase(real, imaginary))


def as_png(values: NDArray[Any]) -> bytes:
    """Stretch values to 0 to 255, put DC in the centre, write with OpenCV's defaults.

    Quadrants are swapped last, when a pixel has one byte instead of four or eight.
    """
    codes = np.empty(values.shape, np.uint8)
    cv2.normalize(values, codes, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
    _, data = cv2.imencode(".png", np.fft.fftshift(codes))
    return data.tobytes()


def main() -> None:
    """Process one image."""
    path, out = Path(sys.argv[1]), Path(sys.argv[2])
    magnitude, phase = pictures(path.read_bytes())
    (out / f"{path.stem}_magnitude.png").write_bytes(magnitude)
    (out / f"{path.stem}_phase.png").write_bytes(phase)


if __name__ == "__main__":
    main()
