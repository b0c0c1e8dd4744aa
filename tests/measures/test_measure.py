from __future__ import annotations

import json
import math
from importlib import import_module

import numpy as np
import pytest
from numpy.typing import NDArray

from fft_tool.measures.measure import MAX_JSON_BINS, measure, thinned
from fft_tool.measures.orientation import orientation
from fft_tool.measures.peaks import find_peaks
from fft_tool.measures.radial import high_frequency_fraction, radial_profile
from fft_tool.measures.slope import fit_slope
from fft_tool.spectrum.half import Spectrum

fft = import_module("scipy.fft")

EDGES = [(1, 1), (1, 2), (2, 1), (1, 31), (31, 1), (2, 2), (3, 5), (17, 17), (64, 63)]


def transformed(image: NDArray[np.float64]) -> Spectrum:
    return Spectrum(fft.rfft2(image.astype(np.float32)), image.shape[1])


def striped(shape: tuple[int, int] = (120, 160)) -> Spectrum:
    y, x = np.mgrid[: shape[0], : shape[1]]
    rng = np.random.default_rng(0)
    wave = 40 * np.cos(2 * np.pi * (x / 8 - y / 6))
    return transformed(wave + rng.normal(128, 5, shape))


def test_measures_are_those_of_the_single_functions() -> None:
    spectrum = striped()
    found = measure(spectrum)
    profile = radial_profile(spectrum)
    alone = orientation(spectrum)
    assert np.array_equal(found.profile.mean, profile.mean)
    assert found.slope == fit_slope(spectrum)
    assert found.high_frequency_fraction == high_frequency_fraction(spectrum)
    assert found.orientation is not None
    assert alone is not None
    assert found.orientation.to_json() == alone.to_json()
    assert list(found.peaks) == find_peaks(spectrum)


@pytest.mark.parametrize("shape", EDGES)
@pytest.mark.parametrize("kind", ["black", "constant", "noise"])
@pytest.mark.parametrize("size", [None, (0.5, 0.5), (0.5, 0.8)])
def test_json_is_plain_for_every_shape(
    shape: tuple[int, int], kind: str, size: tuple[float, float] | None
) -> None:
    noise = np.random.default_rng(1).uniform(0, 255, shape)
    image = {"black": 0 * noise, "constant": 0 * noise + 200, "noise": noise}[kind]
    content = measure(transformed(image), pixel_size_um=size).to_json()
    text = json.dumps(content, allow_nan=False)
    assert json.loads(text) == content
    assert "-0.0," not in text
    if kind != "noise":
        nothing = (content[key] for key in ("slope", "high_frequency_fraction", "orientation"))
        assert not any(nothing)
        assert content["peaks"] == []


def test_without_a_pixel_size_there_are_no_physical_units() -> None:
    text = json.dumps(measure(striped()).to_json())
    assert "_um" not in text.replace('"pixel_size_um": null', "")
    assert "physical" not in text


def test_square_pixels_scale_frequencies_and_keep_angles() -> None:
    content = measure(striped(), pixel_size_um=(0.25, 0.25)).to_json()
    (peak,) = content["peaks"]
    assert peak["period"] == pytest.approx(4.8, rel=1e-4)
    assert peak["period_um"] == pytest.approx(1.2, rel=1e-4)
    assert peak["frequency_per_um"] == pytest.approx(4 * peak["frequency"], rel=1e-5)
    assert peak["physical_angle"] == pytest.approx(peak["angle"], abs=1e-3)
    turned = content["orientation"]
    assert turned["physical_angle"] == pytest.approx(turned["angle"], abs=1e-3)
    scaled = np.array(content["radial_profile"]["frequency_per_um"])
    assert scaled == pytest.approx(4 * np.array(content["radial_profile"]["frequency"]), rel=1e-5)


def test_oblong_pixels_turn_angles_and_have_no_radial_frequency() -> None:
    content = measure(striped(), pixel_size_um=(1.0, 2.0)).to_json()
    (peak,) = content["peaks"]
    fx, fy = 1 / 8, 1 / 6 / 2
    assert peak["angle"] == pytest.approx(math.degrees(math.atan2(8, 6)), abs=0.02)
    assert peak["physical_angle"] == pytest.approx(math.degrees(math.atan2(fy, fx)), abs=0.02)
    assert peak["period_um"] == pytest.approx(1 / math.hypot(fx, fy), rel=1e-3)
    turned = content["orientation"]["physical_angle"]
    assert turned == pytest.approx(peak["physical_angle"], abs=2)
    assert "frequency_per_um" not in content["radial_profile"]


@pytest.mark.parametrize("size", [(0.0, 1.0), (1.0, -1.0), (math.inf, 1.0), (1.0, math.nan)])
def test_impossible_pixel_size_is_refused_with_what_is_allowed(size: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="both positive and finite"):
        measure(striped(), pixel_size_um=size)


@pytest.mark.parametrize("width", [511, 512, 515, 1200, 1301])
def test_thinned_profile_keeps_counts_energy_and_spread(width: int) -> None:
    image = np.random.default_rng(2).uniform(0, 255, (40, width))
    profile = radial_profile(transformed(image))
    fewer = thinned(profile)
    assert len(fewer.frequency) <= MAX_JSON_BINS
    for values in (fewer, profile):
        assert values.count.sum() == profile.count.sum()
    energy = (profile.count * profile.mean).sum()
    assert (fewer.count * fewer.mean).sum() == pytest.approx(energy)
    squares = (profile.count * (profile.std**2 + profile.mean**2)).sum()
    assert (fewer.count * (fewer.std**2 + fewer.mean**2)).sum() == pytest.approx(squares)
    assert np.all(np.diff(fewer.frequency) > 0)


def test_profile_of_at_most_256_rings_is_not_thinned() -> None:
    profile = radial_profile(transformed(np.random.default_rng(3).uniform(0, 255, (3, 512))))
    assert len(profile.frequency) == 256
    assert thinned(profile) is profile
    assert measure(striped()).to_json()["radial_profile"]["rings_per_bin"] == 1


def test_numbers_in_json_have_at_most_six_significant_digits() -> None:
    means = measure(striped()).to_json()["radial_profile"]["mean"]
    assert all(value == float(f"{value:.6g}") for value in means)
