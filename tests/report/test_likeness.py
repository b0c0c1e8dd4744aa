"""What a comparison says, of images of which it is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fft_tool.codec.image_file import encode_image
from fft_tool.codec.picture_encode import encode
from fft_tool.comparing import compare_sources, picture_difference
from fft_tool.report.likeness import are_apart, measures
from fft_tool.report.rings import ring_chart
from fft_tool.results.likeness import Comparison
from fft_tool.results.outputs import Source
from tests.support.images import noise, opened, pink_noise

SCENE = pink_noise((256, 320), seed=5)


def source(pixels: NDArray[Any]) -> Source:
    return Source("a.png", encode_image(pixels, int(np.iinfo(pixels.dtype).max)))


def compared(first: NDArray[Any], second: NDArray[Any]) -> Comparison:
    return compare_sources(source(first), source(second))


def told(found: Comparison, pixel_um: float | None = None) -> dict[str, str]:
    return {each.name: each.says for each in measures(found, pixel_um)}


def exposures(deviation: float) -> list[NDArray[Any]]:
    chance = np.random.default_rng(8)
    return [
        np.clip(SCENE + chance.normal(0, deviation, SCENE.shape), 0, 255).astype(np.uint8)
        for _ in range(2)
    ]


def test_equal_images_are_said_to_be_equal() -> None:
    says = told(compared(SCENE, SCENE))
    assert says["PSNR"] == "There is no difference to measure."
    assert says["difference"] == "Every pixel has the same grey level in both."
    assert "versions of one picture" in says["hash"]
    assert says["shift"] == "They are aligned: pixels show the same."
    assert "finest detail that pixels can hold" in says["resolution"]


def test_the_ratio_is_told_as_a_difference_in_grey_levels() -> None:
    other = SCENE.clip(4, 251) + np.where(noise(SCENE.shape) % 2, 4, -4)
    says = told(compared(SCENE.clip(4, 251), other.astype(np.uint8)))["PSNR"]
    assert says.startswith("The root mean square difference is 4.00 of 255 grey levels")


def test_six_decibels_are_half_the_difference() -> None:
    ratios = [compared(SCENE // 2, SCENE // 2 + step).likeness.psnr_db or 0 for step in (4, 2)]
    assert ratios[1] - ratios[0] == pytest.approx(6, abs=0.03)


def test_a_compressed_copy_is_a_version_of_one_picture() -> None:
    copy = Source("b.jpg", encode(SCENE, "jpeg", quality=30))
    assert "versions of one picture" in told(compare_sources(source(SCENE), copy))["hash"]


def test_unrelated_pictures_are_said_to_be_unrelated() -> None:
    says = [
        told(compared(pink_noise((128, 128), seed=seed), pink_noise((128, 128), seed=seed + 50)))
        for seed in range(8)
    ]
    assert not [each["hash"] for each in says if "versions of one" in each["hash"]]
    assert sum("unrelated" in each["hash"] for each in says) >= 6
    assert all("unrelated images, or more, reach" in each["shift"] for each in says)


def test_a_shift_is_told_with_its_direction_and_spoils_the_resolution() -> None:
    found = compared(SCENE[20:220, 30:290], SCENE[17:217, 35:295])
    assert are_apart(found)
    says = told(found)
    assert "is at (x − 5.00, y + 3.00) in the second" in says["shift"]
    assert "not aligned" in says["resolution"]


def test_finer_detail_is_lost_in_more_noise() -> None:
    periods = []
    for deviation in (20, 60):
        found = compared(*exposures(deviation))
        frequency = found.rings.resolution["0.143"]
        assert frequency
        says = told(found)["resolution"]
        assert says == f"They agree in detail down to a period of {1 / frequency:.3g} px."
        periods.append(1 / frequency)
    assert periods[0] < periods[1]


def test_the_resolution_is_told_in_units_of_length_where_they_are_known() -> None:
    found = compared(*exposures(60))
    frequency = found.rings.resolution["0.143"]
    assert frequency
    expected = f"= {1000 * 0.065 / frequency:.3g} nm."
    assert told(found, 0.065)["resolution"].endswith(expected)
    assert expected[:-1] in str(ring_chart(found.rings, 0.065))


def test_noise_alone_has_nothing_in_common() -> None:
    found = compared(noise((128, 128), seed=1), noise((128, 128), seed=2))
    assert "could be chance" in told(found)["resolution"]
    assert "px" not in str(ring_chart(found.rings)).split("correlation")[0]


def test_constant_images_are_said_to_be_constant() -> None:
    flat = np.full((16, 16), 7, np.uint8)
    found = compared(flat, flat + 2)
    assert {each.value for each in measures(found) if each.name in ("shift", "correlation")} == {
        "none: an image is constant"
    }


def test_the_difference_picture_is_in_proportion_to_the_largest_difference() -> None:
    other = SCENE.copy()
    other[10, 20] ^= 128
    step = 32 if other[11, 20] < 128 else -32
    other[11, 20] = int(other[11, 20]) + step
    picture = np.asarray(opened(picture_difference(source(SCENE), source(other))))
    assert picture[10, 20] == 255
    assert picture[11, 20] == 64
    assert np.count_nonzero(picture) == 2


def test_the_difference_of_equal_images_is_black() -> None:
    assert not np.asarray(opened(picture_difference(source(SCENE), source(SCENE)))).any()
