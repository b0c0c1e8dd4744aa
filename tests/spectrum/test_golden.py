"""Golden pictures: reference pictures of a few tiny images.

The pictures under ``golden/`` were computed in double precision with numpy, straight from the
documented formulas, and written without the code under test:
``python -m tests.spectrum.test_golden`` regenerates them.

They are compared code by code with a tolerance, since the FFT of another machine or library may
round the last digit otherwise.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fft_tool
from fft_tool import Recipe
from tests.support.images import png_bytes
from tests.support.planes import Plane, Shape, read_png, source

FOLDER = Path(__file__).with_name("golden")
TOP = 65535
# Even and odd sides, a single line, and a source of 16 bits.
SHAPES: dict[str, tuple[Shape, int]] = {
    "even": ((16, 24), 255),
    "odd": ((15, 21), 255),
    "line": ((1, 33), 255),
    "deep": ((13, 10), 65535),
}


def image(name: str) -> Plane:
    """Image from integer arithmetic, the same everywhere; irregular, so no coefficient is tiny."""
    shape, white = SHAPES[name]
    y, x = np.indices(shape)
    values = (37 * x * x + 91 * y * y * y + 53 * x * y + 1009 * x) % (white - 4)
    levels: Plane = values.astype(np.uint8 if white == 255 else np.uint16)
    return levels


def pictures(plane: Plane) -> dict[str, Plane]:
    """Magnitude and phase picture by the documented formulas."""
    full = np.fft.fftshift(np.fft.fft2(plane.astype(np.float64)))
    magnitude, angle = np.abs(full), np.angle(full)
    codes = {
        "magnitude": np.log1p(magnitude) / np.log1p(magnitude.max()),
        "phase": (angle + np.pi) / (2 * np.pi),
    }
    return {kind: np.rint(TOP * values).astype(np.uint16) for kind, values in codes.items()}


def path_of(name: str, kind: str) -> Path:
    return FOLDER / f"{name}_{kind}.png"


@pytest.mark.parametrize("name", SHAPES)
def test_no_coefficient_is_so_small_that_rounding_moves_its_code(name: str) -> None:
    magnitude = np.abs(np.fft.fft2(image(name)))
    assert magnitude.min() > magnitude.mean() / 100


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("name", SHAPES)
def test_pictures_agree_with_the_golden_ones(name: str, precision: str) -> None:
    plane = image(name)
    outputs = fft_tool.run(source(plane), Recipe.parse({"bits": "16", "precision": precision}))
    seen = {kind: read_png(outputs[kind].data) for kind in ("magnitude", "phase")}
    golden = {kind: read_png(path_of(name, kind).read_bytes()) for kind in seen}

    def distance(kind: str) -> int:
        off = np.abs(seen[kind].astype(int) - golden[kind])
        if kind == "phase":
            off = np.minimum(off, TOP - off)  # π and -π are one
        return int(off.max())

    assert seen["magnitude"].shape == golden["magnitude"].shape == plane.shape
    assert distance("magnitude") <= 1
    assert distance("phase") <= 2


@pytest.mark.parametrize("name", SHAPES)
def test_golden_pictures_follow_from_the_design_s_formulas(name: str) -> None:
    """They agree with the code above, to within the rounding of numpy's FFT."""
    for kind, made in pictures(image(name)).items():
        stored = read_png(path_of(name, kind).read_bytes())
        off = np.abs(stored.astype(int) - made)
        assert np.minimum(off, TOP - off).max() <= 1


def main() -> None:
    """Regenerate the golden pictures."""
    FOLDER.mkdir(exist_ok=True)
    for name in SHAPES:
        for kind, codes in pictures(image(name)).items():
            path_of(name, kind).write_bytes(png_bytes(codes))


if __name__ == "__main__":
    main()
