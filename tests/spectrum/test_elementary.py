"""Arctangent and logarithm on processors for which numpy has no vectorised version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fft_tool
from fft_tool.spectrum import elementary
from fft_tool.spectrum.elementary import arctan2, log1p
from fft_tool.spectrum.pictures import paint
from fft_tool.spectrum.scale import SCALES
from fft_tool.spectrum.transform import forward
from tests.support.command import tool
from tests.support.images import pink_noise

pytestmark = pytest.mark.usefixtures("_plain_processor")

TYPES = ((np.float32, 4e-7), (np.float64, 1e-15))


@pytest.fixture
def _plain_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elementary, "_is_vectorised", lambda _: False)


@pytest.mark.parametrize(("dtype", "error"), TYPES)
@pytest.mark.parametrize("length", [1e-36, 1e-20, 1.0, 12345.0, 1e20, 3e38])
def test_every_angle_is_accurate(length: float, dtype: type[np.floating], error: float) -> None:
    exact = np.linspace(-np.pi, np.pi, 100_001)
    y, x = ((length * f(exact)).astype(dtype) + dtype(0) for f in (np.sin, np.cos))
    angle = arctan2(y, x)
    assert angle.dtype == dtype
    away = np.abs(angle - np.arctan2(y.astype(float), x.astype(float)))
    assert away.max() < error


@pytest.mark.parametrize(("dtype", "error"), TYPES)
@pytest.mark.parametrize("y", [-2.0, 0.0, 2.0])
@pytest.mark.parametrize("x", [-2.0, 0.0, 2.0])
def test_axes_and_diagonals_are_accurate(x: float, y: float, dtype: Any, error: float) -> None:
    """Including zero, with angle zero, and negative numbers, with angle π and never -π."""
    angle = arctan2(np.array([y], dtype), np.array([x], dtype))
    assert angle[0] == pytest.approx(float(np.arctan2(y, x)), abs=error)
    if y == 0 <= x:
        assert angle[0] == 0


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 140_000])
def test_the_number_of_values_makes_no_difference(size: int) -> None:
    y, x = np.random.default_rng(size).standard_normal((2, size)).astype(np.float32)
    one_by_one = [arctan2(y[n : n + 1], x[n : n + 1])[0] for n in range(0, size, 997)]
    assert arctan2(y, x)[::997].tolist() == one_by_one


def test_two_dimensional_arrays_keep_their_layout() -> None:
    y, x = np.random.default_rng(1).standard_normal((2, 5, 7)).astype(np.float32)
    angle = arctan2(y, x)
    assert angle.shape == (5, 7)
    assert angle[2, 3] == arctan2(y[2:3, 3], x[2:3, 3])[0]


@pytest.mark.parametrize("largest", [1e-30, 1e-3, 0.999, 1.0, 7.0, 1e9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logarithms_are_accurate_relative_to_the_largest(
    largest: float, dtype: type[np.floating]
) -> None:
    values = np.linspace(0, largest, 10_001)
    exact = np.log1p(values)
    seen = log1p(values.astype(dtype), largest)
    assert seen.dtype == dtype
    assert np.abs(seen - exact).max() <= 4 * np.finfo(dtype).eps * exact[-1]


def test_other_processor_features_make_no_difference(repository: Path, tmp_path: Path) -> None:
    """With AVX-512 disabled, any machine gives the same bytes as with AVX2."""
    newer = np.show_config(mode="dicts")["SIMD Extensions"]["found"][1:]
    images = sorted((repository / "input_images").glob("*.png"))
    wishes = ("--bits", "16", "--metadata", "--histogram", "--spectrum", "-o", "out")
    words: list[str | Path] = ["analyze", *images, *wishes]
    done = tool(*words, cwd=tmp_path, NPY_DISABLE_CPU_FEATURES=" ".join(newer))
    assert done.code == 0, done.err
    recipe = fft_tool.Recipe(bits=16, metadata=True, histogram=True, spectrum=True)
    for image in images:
        for artifact in fft_tool.run(fft_tool.Source(image.name, image.read_bytes()), recipe):
            assert (tmp_path / "out" / artifact.name).read_bytes() == artifact.data, artifact.name


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("scale", sorted(SCALES))
def test_pictures_agree_with_numpy_to_one_code(
    scale: str, bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = codes(scale, bits)
    monkeypatch.setattr(elementary, "_is_vectorised", lambda _: True)
    for seen, numpys in zip(plain, codes(scale, bits), strict=True):
        away = np.abs(seen.astype(int) - numpys)
        assert np.minimum(away, 2**bits - 1 - away).max() <= 1
        assert (away > 0).mean() < 0.01


def codes(scale: str, bits: int) -> tuple[np.ndarray, np.ndarray]:
    spectrum = forward(pink_noise((96, 130)).astype(np.float32))
    painted = paint(spectrum, scale=scale, bits=bits)
    assert painted.phase is not None
    return painted.magnitude.full(), painted.phase.full()
