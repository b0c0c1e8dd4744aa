"""The certificate is correct: it agrees with an independent recomputation."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import get_window

import fft_tool
from fft_tool import Outputs, Recipe
from fft_tool.codec import png_encode
from fft_tool.results.certificate import Certificate, certify, prepared_energy
from fft_tool.results.correction import Correction
from fft_tool.results.spectrum_file import load_spectrum
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.preparation import Preparation
from tests.support.images import noise, png_bytes
from tests.support.planes import Plane, plane_of, planes, read_png, source

PICTURES = Recipe(bits=16, metadata=True)


@dataclass
class Truth:
    """Expected values of a certificate, computed in double precision with numpy and scipy only."""

    exact: bool
    max_abs_error: int
    psnr_db: float | None
    parseval_ratio: float | None
    lost_pixels: int


def half_of_pictures(outputs: Outputs, section: dict[str, Any]) -> NDArray[np.complex128]:
    """The half spectrum that the two log pictures show, by the formulas of the design."""
    magnitude, phase = (read_png(outputs[kind].data) for kind in ("magnitude", "phase"))
    top = np.iinfo(magnitude.dtype).max
    moduli = np.expm1(magnitude / top * math.log1p(section["largest_magnitude"]))
    full = moduli * np.exp(1j * (phase / top * 2 * np.pi - np.pi))
    full = np.fft.ifftshift(full)
    # A real image's coefficients that are their own mirror are real.
    for index in np.ndindex(full.shape):
        if all(2 * i % size == 0 for i, size in zip(index, full.shape, strict=True)):
            full[index] = np.copysign(abs(full[index]), full[index].real)
    return np.asarray(full[:, : magnitude.shape[1] // 2 + 1])


def half_that_was_saved(outputs: Outputs) -> NDArray[np.complex128]:
    with np.load(io.BytesIO(outputs["spectrum"].data)) as file:
        return np.asarray(file["half"].astype(np.complex128))


def smooth_component(across: NDArray[np.float64], down: NDArray[np.float64]) -> NDArray[np.float64]:
    """Smooth component of an image with these jumps, from the paper's definition."""
    shape = down.size, across.size
    jumps = np.zeros(shape)
    jumps[0] -= across
    jumps[-1] += across
    jumps[:, 0] -= down
    jumps[:, -1] += down
    ky, kx = np.indices(shape)
    divisor = 4 - 2 * np.cos(2 * np.pi * ky / shape[0]) - 2 * np.cos(2 * np.pi * kx / shape[1])
    divisor[0, 0] = 1
    transformed = np.fft.fft2(jumps) / divisor
    transformed[0, 0] = 0
    return np.asarray(np.fft.ifft2(transformed).real)


def numbers(text: str, dtype: str) -> NDArray[np.int64]:
    """Numbers that a record keeps as text."""
    return np.frombuffer(base64.b64decode(text), dtype).astype(np.int64)


def corrected(levels: NDArray[np.float64], way: dict[str, Any], white: int) -> NDArray[np.float64]:
    """Rounded grey levels with the record's correction."""
    rounded = np.clip(np.rint(levels), 0, white)
    if correction := way.get("correction"):
        places = numbers(correction["places"], "<u4")
        assert correction["pixels"] == places.size == way["corrected_pixels"]
        rounded.flat[places] = numbers(correction["levels"], "u1" if white < 256 else "<u2")
    else:
        assert way["corrected_pixels"] == 0
    return rounded


def truth(
    half: NDArray[np.complex128], plane: Plane, record: dict[str, Any], way: str = "pictures"
) -> Truth:
    section, own = record["spectrum"], record["certificate"]["ways"][way]
    how, (height, width) = section["preparation"], plane.shape
    trend = (
        how["trend"]["level"]
        + how["trend"]["per_row"] * (np.arange(height) - (height - 1) / 2)[:, None]
        + how["trend"]["per_column"] * (np.arange(width) - (width - 1) / 2)[None, :]
    )
    name = {"none": "boxcar", "tukey": ("tukey", 0.5)}.get(how["window"], how["window"])
    weights = np.outer(get_window(name, height), get_window(name, width))
    kept = weights >= 1e-3

    seen = np.fft.irfft2(half, plane.shape)
    if how["periodic"]:
        jumps = numbers(how["jumps"], "<i2" if how["white"] < 1 << 15 else "<i4")
        across = jumps[:width] - how["trend"]["per_row"] * (height - 1)
        down = jumps[width:] - how["trend"]["per_column"] * (width - 1)
        seen = seen + smooth_component(across, down)
    levels = np.where(kept, seen / np.where(kept, weights, 1), 0) + trend
    error = levels - plane
    worst = int(np.abs(corrected(levels, own, how["white"]) - plane).max())

    meant = float(np.square((plane - trend) * weights).sum()) * plane.size
    columns = np.where(np.arange(half.shape[1]) % (width / 2) == 0, 1, 2)
    written = float((np.square(np.abs(half)) * columns).sum())
    ratio = None if how["periodic"] or not meant else written / meant
    mean_square = float(np.square(error).mean())
    psnr = 10 * math.log10(how["white"] ** 2 / mean_square) if mean_square else None
    return Truth(worst == 0, worst, psnr, ratio, int(np.count_nonzero(~kept)))


def assert_truthful(said: dict[str, Any], true: Truth) -> None:
    assert said["exact"] == true.exact
    # Levels in the middle between two may be rounded either way.
    assert abs(said["max_abs_error"] - true.max_abs_error) <= 1
    assert said["lost_pixels"] == true.lost_pixels
    if true.psnr_db is None or true.psnr_db > 125:  # no error but that of single precision
        assert said["psnr_db"] is None or said["psnr_db"] > 120
    else:
        assert said["psnr_db"] == pytest.approx(true.psnr_db, abs=0.1)
    if true.parseval_ratio is None:
        assert said["parseval_ratio"] is None
    else:
        assert said["parseval_ratio"] == pytest.approx(true.parseval_ratio, rel=2e-6)


def analysed(plane: Plane, **texts: str) -> tuple[Outputs, dict[str, Any]]:
    outputs = fft_tool.run(source(plane), Recipe.parse({"metadata": "yes", **texts}))
    return outputs, json.loads(outputs["metadata"].data)


PREPARATIONS: list[dict[str, str]] = [
    {},
    {"detrend": "mean"},
    {"detrend": "linear"},
    {"window": "hann"},
    {"window": "hamming"},
    {"window": "blackman", "detrend": "linear"},
    {"window": "tukey", "detrend": "mean"},
    {"periodic": "yes"},
    {"periodic": "yes", "detrend": "mean"},
    {"periodic": "yes", "detrend": "linear"},
]


@pytest.mark.parametrize("preparation", PREPARATIONS, ids=str)
@pytest.mark.parametrize("bits", ["8", "16"])
@pytest.mark.parametrize("precision", ["single", "double"])
def test_certificate_of_the_pictures_is_true(
    precision: str, bits: str, preparation: dict[str, str]
) -> None:
    for family, shape in (("noise", (40, 51)), ("smooth", (64, 64)), ("text", (33, 20))):
        plane = plane_of(family, shape)
        outputs, record = analysed(plane, bits=bits, precision=precision, **preparation)
        half = half_of_pictures(outputs, record["spectrum"])
        assert_truthful(record["certificate"], truth(half, plane, record))


@pytest.mark.parametrize("preparation", PREPARATIONS, ids=str)
@pytest.mark.parametrize("white", [255, 65535])
def test_certificate_of_the_saved_spectrum_is_true(white: int, preparation: dict[str, str]) -> None:
    plane = noise((48, 37), white=white)
    outputs, record = analysed(plane, spectrum="yes", phase="no", precision="double", **preparation)
    assert record["certificate"]["from"] == "spectrum"
    true = truth(half_that_was_saved(outputs), plane, record, "spectrum")
    assert_truthful(record["certificate"]["ways"]["spectrum"], true)


@settings(max_examples=60, deadline=None)
@given(
    plane=planes(48), bits=st.sampled_from(("8", "16")), window=st.sampled_from(("none", "hamming"))
)
def test_certificate_of_any_image_is_true(plane: Plane, bits: str, window: str) -> None:
    outputs, record = analysed(plane, bits=bits, window=window, precision="double")
    true = truth(half_of_pictures(outputs, record["spectrum"]), plane, record)
    said = record["certificate"]
    # Images whose few coefficients are all rounding noise have no meaningful phase to compare.
    if true.parseval_ratio is None:
        assert said["exact"]
        assert said["parseval_ratio"] == 1
    else:
        assert_truthful(said, true)


@pytest.mark.parametrize("white", [255, 65535])
def test_the_hash_is_that_of_the_grey_levels_row_by_row(white: int) -> None:
    plane = noise((30, 40), white=white)
    record = analysed(plane, bits="16")[1]
    levels = plane.astype("u1" if white == 255 else "<u2").tobytes()
    assert record["certificate"]["grey_sha256"] == hashlib.sha256(levels).hexdigest()


def test_pixels_that_a_window_has_suppressed_are_not_corrected() -> None:
    """They were meant to go, and are few enough to be kept."""
    certificate = analysed(noise((256, 256)), bits="16", window="tukey")[1]["certificate"]
    assert certificate["lost_pixels"] > 0
    assert (certificate["exact"], certificate["corrected_pixels"]) == (False, 0)


def test_every_way_back_has_its_certificate_and_the_best_comes_first() -> None:
    record = analysed(noise((30, 40), white=65535), bits="16", spectrum="yes")[1]
    certificate = record["certificate"]
    assert certificate["from"] == "spectrum"
    assert set(certificate["ways"]) == {"spectrum", "pictures"}
    own = ("from", "grey_sha256", "ways")
    assert certificate["ways"]["spectrum"] == {
        key: value for key, value in certificate.items() if key not in own
    }
    assert certificate["exact"]
    assert not certificate["ways"]["pictures"]["exact"]


@pytest.mark.parametrize(
    "texts", [{"phase": "no"}, {"colour": "yes"}, {"phase": "no", "bits": "16"}]
)
def test_artifacts_that_cannot_be_inverted_have_no_certificate(texts: dict[str, str]) -> None:
    assert analysed(noise((8, 8)), **texts)[1]["certificate"] is None


@pytest.mark.parametrize("scale", ["linear", "power", "db"])
def test_scales_that_keep_too_little_are_certified_as_what_they_are(scale: str) -> None:
    plane = noise((64, 64))
    record = analysed(plane, bits="16", scale=scale)[1]
    said = record["certificate"]
    outputs = fft_tool.run(source(plane), Recipe.parse({"bits": "16", "scale": scale}))
    magnitude, phase = (read_png(outputs[kind].data) / 65535 for kind in ("magnitude", "phase"))
    largest = record["spectrum"]["largest_magnitude"]
    moduli = {
        "linear": magnitude * largest,
        "power": np.sqrt(magnitude) * largest,
        "db": np.where(magnitude, largest * 10 ** (-6 * (1 - magnitude)), 0),
    }[scale]
    full = np.fft.ifftshift(moduli * np.exp(2j * np.pi * (phase - 0.5)))
    error = np.fft.irfft2(full[:, :33], plane.shape) - plane
    assert said["psnr_db"] == pytest.approx(
        10 * math.log10(255**2 / np.square(error).mean()), abs=0.1
    )
    assert said["exact"] == (np.abs(error).max() < 0.5)


def damaged_when_written(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Corrupt one code of every picture of the given ``kind`` as it is written."""
    write = png_encode.encode_rows
    written: list[str] = []

    def encode_rows(*arguments: Any, **options: Any) -> bytes:
        written.append(("phase", "magnitude")[len(written) % 2])
        data = write(*arguments, **options)
        if written[-1] != kind:
            return data
        codes = read_png(data).copy()
        codes[3, 14] ^= 0x4000  # in the half that is read; the other is its mirror
        return png_bytes(codes)

    monkeypatch.setattr(png_encode, "encode_rows", encode_rows)


@pytest.mark.parametrize("kind", ["magnitude", "phase"])
def test_damage_to_a_single_code_does_not_go_unnoticed(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The certificate is about the artifacts as written, not as computed."""
    assert analysed(noise((16, 20)), bits="16")[1]["certificate"]["exact"]
    damaged_when_written(monkeypatch, kind)
    certificate = analysed(noise((16, 20)), bits="16")[1]["certificate"]
    assert not certificate["exact"]
    assert certificate["max_abs_error"] > 0


@pytest.mark.parametrize("row", [0, 3, 11])
def test_damage_to_a_saved_coefficient_does_not_go_unnoticed(row: int) -> None:
    plane = noise((12, 14))
    outputs = fft_tool.run(source(plane), Recipe(spectrum=True))
    spectrum, preparation = load_spectrum(outputs["spectrum"].data)
    spectrum.half[row, 2] += 4000
    certificate = certify(spectrum, preparation, plane)
    assert not certificate.exact
    assert certificate.max_abs_error >= 4000 * 2 // plane.size // 2
    assert certificate.parseval_ratio != pytest.approx(1, abs=1e-6)


def test_swapped_images_are_not_certified() -> None:
    outputs = fft_tool.run(source(noise((12, 14), seed=1)), Recipe(spectrum=True))
    certificate = certify(*load_spectrum(outputs["spectrum"].data), noise((12, 14), seed=2))
    assert not certificate.exact
    assert certificate.max_abs_error > 100


@pytest.mark.parametrize("level", [0, 1, 254, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (16, 16), (13, 17)])
def test_constant_images_are_certified_exact_without_nan(
    shape: tuple[int, int], level: int
) -> None:
    for texts in PREPARATIONS:
        # A window takes pixels away that only the trend can bring back.
        lossless = texts.get("detrend", "none") != "none" or "window" not in texts
        certificate = analysed(np.full(shape, level, np.uint8), bits="16", **texts)[1][
            "certificate"
        ]
        assert certificate["exact"] or not lossless
        ratio = certificate["parseval_ratio"]
        assert ratio is None or ratio == pytest.approx(1, abs=2e-4)


def test_energy_without_a_prepared_image_gives_no_ratio() -> None:
    """The prepared image is black, but the written one is not: the ratio is undefined."""
    black = np.zeros((4, 6), np.uint8)
    bright = Spectrum(np.full((4, 4), 0.1, np.complex64), 6)
    certificate = certify(bright, Preparation(255), black)
    assert certificate.parseval_ratio is None
    assert certificate.exact  # a fraction of a grey level everywhere


@settings(max_examples=40, deadline=None)
@given(plane=planes(40, (255, 65535)), threads=st.sampled_from((1, 3)))
def test_prepared_energy_is_that_of_the_windowed_image(plane: Plane, threads: int) -> None:
    weights = np.outer(*(get_window("hann", size) for size in plane.shape))
    expected = float(np.square(plane * weights).sum()) * plane.size
    preparation = Preparation(65535, window="hann")
    assert prepared_energy(preparation, plane, threads=threads) == pytest.approx(expected)
    assert prepared_energy(Preparation(255, periodic=True), plane) is None


def test_json_holds_every_attribute() -> None:
    certificate = Certificate(
        exact=False, max_abs_error=3, psnr_db=40.5, parseval_ratio=None, lost_pixels=7
    )
    assert certificate.to_json() == {
        "exact": False,
        "max_abs_error": 3,
        "corrected_pixels": 0,
        "psnr_db": 40.5,
        "parseval_ratio": None,
        "lost_pixels": 7,
    }
    mended = Correction(np.array([3]), np.array([200], np.uint8))
    said = Certificate(
        exact=True,
        max_abs_error=0,
        psnr_db=90.0,
        parseval_ratio=1.0,
        lost_pixels=0,
        correction=mended,
    )
    assert said.corrected_pixels == said.to_json()["corrected_pixels"] == 1
