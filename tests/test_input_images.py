"""The sample images match their script, and their spectra show the documented features."""

from __future__ import annotations

import math
import struct
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.support.programs import loaded

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = Path(__file__).parent.parent / "input_images"
SCRIPT = FOLDER / "make_images.py"

# As stated in input_images/README.md: size (width, height) and mode of each file.
FORMATS = {
    "grating.png": ((388, 320), "L"),
    "fabric_moire.png": ((480, 384), "L"),
    "landscape.png": ((512, 384), "L"),
    "landscape_striped.png": ((512, 384), "L"),
    "text.png": ((416, 512), "L"),
    "sharp.png": ((448, 448), "L"),
    "blurred.png": ((448, 448), "L"),
    "zone_plate.png": ((400, 400), "L"),
    "micrograph.png": ((400, 352), "I;16"),
    "colour.png": ((480, 360), "RGB"),
}

# File, channel, period in pixels and angle in degrees of a spot in its spectrum.
SPOTS = [
    ("grating.png", None, 16.0, 30.0),
    ("fabric_moire.png", None, 12.80, -9.9),
    ("fabric_moire.png", None, 12.80, 80.1),
    ("fabric_moire.png", None, 18.10, 35.1),
    ("fabric_moire.png", None, 18.10, -54.9),
    ("landscape_striped.png", None, 8.0, 90.0),
    ("text.png", None, 18.0, 93.0),
    ("text.png", None, 9.0, 93.0),
    ("micrograph.png", None, 10.39, 38.0),
    ("micrograph.png", None, 10.39, 98.0),
    ("micrograph.png", None, 10.39, 158.0),
    ("colour.png", 0, 6.0, 15.0),
    ("colour.png", 0, 6.0, 105.0),
    ("colour.png", 1, 6.0, 75.0),
    ("colour.png", 2, 6.0, 0.0),
    ("colour.png", 0, 6.0, 45.0),
    ("colour.png", 1, 6.0, 45.0),
    ("colour.png", 2, 6.0, 45.0),
]


def pixels(name: str, folder: Path = FOLDER) -> NDArray[np.float64]:
    with Image.open(folder / name) as image:
        return np.asarray(image, dtype=np.float64)


def magnitude(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centred |F| of the plane less its mean, under a Hann window."""
    window = np.hanning(plane.shape[0])[:, None] * np.hanning(plane.shape[1])
    return np.abs(np.fft.fftshift(np.fft.fft2((plane - plane.mean()) * window)))


def frequency_plane(shape: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centred frequencies (fx, fy up) in cycles per pixel."""
    height, width = shape
    fx = (np.arange(width) - width // 2)[None, :] / width
    fy = (height // 2 - np.arange(height))[:, None] / height
    return fx, fy


@pytest.fixture(scope="module")
def remade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("input_images")
    subprocess.run([sys.executable, str(SCRIPT), "--out", str(folder)], check=True, timeout=120)
    return folder


def test_the_script_generates_exactly_the_images_in_the_folder(remade: Path) -> None:
    made = {path.name for path in remade.iterdir()}
    assert made == set(FORMATS)
    assert made == {path.name for path in FOLDER.glob("*.png")}


@pytest.mark.parametrize("name", FORMATS)
def test_the_script_reproduces_every_image_to_one_level(name: str, remade: Path) -> None:
    assert np.abs(pixels(name, remade) - pixels(name)).max() <= 1


def test_another_run_gives_the_same_bytes(remade: Path, tmp_path: Path) -> None:
    script = loaded(SCRIPT)
    for name in ("grating.png", "text.png", "micrograph.png"):
        script.write(name, tmp_path)
        assert (tmp_path / name).read_bytes() == (remade / name).read_bytes()


@pytest.mark.parametrize("name", FORMATS)
def test_every_image_has_the_stated_size_and_depth(name: str) -> None:
    with Image.open(FOLDER / name) as image:
        assert (image.format, image.size, image.mode) == ("PNG", *FORMATS[name])
    bits, colour_type = (FOLDER / name).read_bytes()[24:26]
    assert bits == (16 if name == "micrograph.png" else 8)
    assert colour_type == (2 if name == "colour.png" else 0)


def test_all_images_together_stay_small() -> None:
    assert sum((FOLDER / name).stat().st_size for name in FORMATS) < 1_600_000


def test_the_readme_lists_every_image() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in FORMATS if f"`{name}`" not in text] == []


def test_only_the_micrograph_states_a_pixel_size_and_it_is_five_nanometres() -> None:
    with_size = {n for n in FORMATS if b"pHYs" in (FOLDER / n).read_bytes()}
    assert with_size == {"micrograph.png"}
    content = (FOLDER / "micrograph.png").read_bytes()
    start = content.index(b"pHYs") + 4
    assert struct.unpack(">IIB", content[start : start + 9]) == (200_000_000, 200_000_000, 1)


def test_the_micrograph_uses_most_of_the_sixteen_bits() -> None:
    levels = pixels("micrograph.png")
    assert np.ptp(levels) > 0.8 * 65535
    assert levels.max() < 65535
    assert len(np.unique(levels)) > 20_000


@pytest.mark.parametrize(("name", "channel", "period", "angle"), SPOTS)
def test_the_spectrum_has_the_promised_spot(
    name: str, channel: int | None, period: float, angle: float
) -> None:
    plane = pixels(name)
    plane = plane if channel is None else plane[..., channel]
    spectrum = magnitude(plane)
    fx, fy = frequency_plane(plane.shape)
    x, y = math.cos(math.radians(angle)) / period, math.sin(math.radians(angle)) / period
    distance = np.hypot((fx - x) * plane.shape[1], (fy - y) * plane.shape[0])
    around = (distance > 8) & (distance < 12)
    assert spectrum[distance < 1.5].max() > 8 * np.median(spectrum[around])
    assert spectrum[distance < 1.5].max() == spectrum[distance < 5].max()


def test_the_grating_has_its_stated_period_and_angle() -> None:
    plane = pixels("grating.png")
    spectrum = magnitude(plane)
    fx, fy = frequency_plane(plane.shape)
    spectrum[:, : plane.shape[1] // 2] = 0
    row, column = np.unravel_index(spectrum.argmax(), spectrum.shape)
    near = np.s_[row - 3 : row + 4, column - 3 : column + 4]
    weights = spectrum[near] ** 2 / (spectrum[near] ** 2).sum()
    x = float((weights * fx[:, near[1]]).sum())
    y = float((weights * fy[near[0]]).sum())
    assert 1 / math.hypot(x, y) == pytest.approx(16.0, abs=0.01)
    assert math.degrees(math.atan2(y, x)) == pytest.approx(30.0, abs=0.05)


def test_the_grating_has_its_stated_mean_amplitude() -> None:
    plane = pixels("grating.png")
    height, width = plane.shape
    x, y = np.arange(width)[None, :], -np.arange(height)[:, None]
    along = x * math.cos(math.radians(30)) + y * math.sin(math.radians(30))
    wave = (plane - plane.mean()) * np.exp(-2j * np.pi * along / 16)
    assert 2 * abs(wave.mean()) == pytest.approx(4.7, abs=0.05)


def test_the_grating_shows_two_spots_in_an_8_bit_picture() -> None:
    spectrum = np.fft.fftshift(np.abs(np.fft.fft2(pixels("grating.png"))))
    picture = np.rint(255 * np.log1p(spectrum) / np.log1p(spectrum).max())
    fx, fy = frequency_plane(spectrum.shape)
    height, width = spectrum.shape
    x, y = math.cos(math.radians(30)) / 16, math.sin(math.radians(30)) / 16
    distance = np.hypot((np.abs(fx) - x) * width, (np.abs(fy) - y) * height)
    distance[fx * fy < np.zeros_like(distance)] = np.inf
    noise = picture[(distance > 12) & (np.hypot(fx, fy) > 0)]
    assert picture[distance < 2].min() > np.median(noise) + 80
    seen = picture > noise.max()
    seen[height // 2, width // 2] = False
    rows, columns = (np.unique(np.nonzero(seen & (fy > 0))[axis]) for axis in (0, 1))
    assert 8 <= np.ptp(rows) + 1 <= 12
    assert 8 <= np.ptp(columns) + 1 <= 14
    assert (distance[seen] < 8).all(), "nothing else is brighter than the noise"


def test_the_stripes_are_the_same_in_every_column() -> None:
    difference = pixels("landscape_striped.png") - pixels("landscape.png")
    assert np.abs(difference - np.median(difference, axis=1, keepdims=True)).max() <= 1
    amplitude = 2 * np.abs(np.fft.fft(difference.mean(axis=1))[384 // 8]) / 384
    assert amplitude == pytest.approx(12.0, abs=0.5)


def test_the_landscape_has_a_spectrum_of_about_one_over_f() -> None:
    plane = pixels("landscape.png")
    frequency = np.hypot(*frequency_plane(plane.shape))
    edges = np.geomspace(0.02, 0.4, 13)
    rings = [(frequency >= a) & (frequency < b) for a, b in pairwise(edges)]
    spectrum = magnitude(plane)
    middles = np.sqrt(edges[1:] * edges[:-1])
    slope = np.polyfit(np.log(middles), [np.log(spectrum[r].mean()) for r in rings], 1)[0]
    assert slope == pytest.approx(-1.0, abs=0.25)


def test_the_blurred_chart_is_the_sharp_one_moved_by_fifteen_pixels_at_thirty_degrees() -> None:
    sharp, blurred = pixels("sharp.png"), pixels("blurred.png")
    fx, fy = frequency_plane(sharp.shape)
    frequency = fx * math.cos(math.radians(30)) + fy * math.sin(math.radians(30))
    transfer = np.fft.ifftshift(np.sinc(15 * frequency))
    moved = np.fft.ifft2(np.fft.fft2(sharp) * transfer).real
    assert np.abs(moved - blurred).max() <= 1.5

    spectrum = magnitude(blurred)
    dark = np.abs(np.abs(15 * frequency) - 1) < 0.02
    bright = np.abs(np.abs(15 * frequency) - 1.43) < 0.02
    assert np.median(spectrum[bright]) > 4 * np.median(spectrum[dark])


def test_the_spectrum_of_the_zone_plate_is_again_a_zone_plate() -> None:
    # DFT of cos(π r² / N) is N sin(π k² / N) for even N.
    plane, n = pixels("zone_plate.png"), 400
    k = np.arange(n) - n // 2
    squared = k[:, None] ** 2 + k[None, :] ** 2
    expected = 120 * n * np.abs(np.sin(np.pi * squared / n))
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2(plane - 127.5)))
    assert np.abs(spectrum - expected).max() < 0.02 * 120 * n
