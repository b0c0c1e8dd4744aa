"""The correction: what it keeps, how much that can be, and what it refuses to read."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

import fft_tool
from fft_tool import Recipe
from fft_tool.limits import Limits
from fft_tool.results.correction import NEAR, Correction, Missed
from fft_tool.results.record import LONGEST, max_corrected, max_correction_bytes
from fft_tool.spectrum.choices import MAX_JUMPS
from fft_tool.spectrum.inversion import Inversion, restore_rows, spectrum_of_pictures
from tests.support.images import noise
from tests.support.planes import Plane, plane_of, planes, source

SHAPE, SIZE = (64, 64), 64 * 64
MOST_PERIODIC = 322.3  # grey levels, root mean square


def errors_of(plane: Plane, recipe: Recipe) -> tuple[NDArray[np.float64], float]:
    """Errors before rounding of an image from its pictures, and the largest magnitude."""
    outputs = fft_tool.run(source(plane), recipe)
    inversion = Inversion.from_record(json.loads(outputs["metadata"].data))
    pictures = outputs["magnitude"].data, outputs["phase"].data
    errors = np.empty(plane.shape)

    def take(start: int, levels: NDArray[Any]) -> None:
        errors[start : start + len(levels)] = levels - plane[start : start + len(levels)].astype(
            float
        )

    restore_rows(spectrum_of_pictures(*pictures, inversion), inversion.preparation, take)
    return errors, inversion.largest


def relative_error(largest: float) -> float:
    """Bound d: 16-bit log pictures store a coefficient F to within d (1 + |F|).

    Half a code of magnitude and half a code of phase, at right angles.
    """
    magnitude = np.expm1(np.log1p(largest) / 65535 / 2)
    return float(np.hypot(magnitude, np.pi / 65535))


# The bound


@settings(max_examples=30, deadline=None)
@given(plane=planes(96))
def test_the_mean_square_error_obeys_the_bound(plane: Plane) -> None:
    errors, largest = errors_of(plane, Recipe(bits=16, metadata=True))
    bound = relative_error(largest) * (plane.std() + plane.size**-0.5)
    rounding = 2e-5  # of single precision
    assert np.sqrt(np.mean(np.square(errors))) <= bound + rounding


@pytest.mark.parametrize("family", ["extremes", "noise", "smooth"])
def test_the_mean_square_error_of_a_periodic_split_obeys_its_bound(family: str) -> None:
    """Without its smooth component an image has at most 322 grey levels RMS.

    The smooth component is made of two ramps of at most 255 levels, each 255 / sqrt(12) RMS, and an
    image of mean m has a standard deviation of at most sqrt(m (255 - m)).
    """
    plane = plane_of(family, (130, 111))
    errors, largest = errors_of(plane, Recipe(bits=16, metadata=True, periodic=True))
    means = np.linspace(0, 255, 1000)
    deviation = np.sqrt(means * (255 - means)) + 255 / np.sqrt(3)
    most = np.sqrt(np.square(means) + np.square(deviation)).max()
    assert most < MOST_PERIODIC
    bound = relative_error(largest) * (MOST_PERIODIC + plane.size**-0.5)
    assert np.sqrt(np.mean(np.square(errors))) <= bound


def test_there_is_room_for_all_pixels_that_an_8_bit_image_can_need() -> None:
    """By Chebyshev's inequality; with the periodic split for images of up to 12 megapixels."""
    for pixels, most in (
        *((10**4, MOST_PERIODIC), (10**6, MOST_PERIODIC), (12_000_000, MOST_PERIODIC)),
        *((10**4, 127.5), (80_000_000, 127.5)),
    ):
        d = relative_error(255.0 * pixels)
        share = (d * (most + pixels**-0.5) / NEAR) ** 2
        assert share * pixels <= max_corrected(pixels)
    assert relative_error(255.0 * Limits().max_pixels) < 2.0e-4
    assert (2.0e-4 * 127.5 / NEAR) ** 2 < 1 / 300


def test_a_record_has_room_for_two_corrections_and_the_jumps() -> None:
    most = 2 * max_correction_bytes(10**12, 2) + MAX_JUMPS * 4 * 4 // 3
    assert most + (64 << 10) <= LONGEST


@pytest.mark.parametrize("white", [255, 65535])
def test_no_correction_is_longer_than_stated(white: int) -> None:
    for size in (32, 4096, 100_000):
        count = max_corrected(size)
        levels = noise((count,), white=white)
        text = json.dumps(Correction(np.arange(count), levels).to_json(), indent=2)
        assert len(text) <= max_correction_bytes(size, levels.itemsize)


# What it keeps


def test_every_pixel_with_an_error_above_the_threshold_is_kept() -> None:
    plane = noise(SHAPE)
    errors = np.zeros(SHAPE)
    errors[3, 5], errors[3, 6], errors[40, 63], errors[9, 9] = 0.46, 0.44, 7.0, np.nan
    missed = Missed(plane)
    for start in (32, 0):  # blocks come in any order
        missed.add(start, errors[start : start + 32])
    correction = missed.correction()
    assert correction is not None
    assert correction.places.tolist() == [3 * 64 + 5, 9 * 64 + 9, 40 * 64 + 63]
    black = np.zeros(SHAPE, np.uint8)
    correction.apply(black)
    assert (black == np.where((errors > NEAR) | np.isnan(errors), plane, 0)).all()


def test_nothing_is_kept_where_nothing_or_too_much_is_wrong() -> None:
    plane = noise(SHAPE)
    assert Missed(plane).correction() is None
    missed = Missed(plane)
    errors = np.ones((1, 64))
    for row in range(max_corrected(SIZE) // 64):
        missed.add(row, errors)
    assert not missed.too_many
    missed.add(60, errors[:, :1])
    assert missed.too_many
    missed.add(61, errors)
    assert missed.correction() is None


def test_any_number_of_threads_gives_the_same_correction() -> None:
    plane, errors = noise((64, 64)), np.zeros((64, 64))
    errors.flat[::97] = 1
    missed = Missed(plane)
    workers = [
        threading.Thread(target=missed.add, args=(row, errors[row : row + 8]))
        for row in range(56, -1, -8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    correction = missed.correction()
    assert correction is not None
    assert correction.places.tolist() == list(range(0, SIZE, 97))


@pytest.mark.parametrize("white", [255, 4095, 65535])
def test_a_correction_reads_back(white: int) -> None:
    correction = Correction(np.array([0, 5, SIZE - 1]), noise((3,), white=white))
    back = Correction.from_json(json.loads(json.dumps(correction.to_json())), SHAPE, white)
    assert back.places.tolist() == correction.places.tolist()
    assert back.levels.tolist() == correction.levels.tolist()


# Hostile ones


def text(values: list[int], dtype: str) -> str:
    return base64.b64encode(np.array(values, dtype).tobytes()).decode()


SOUND = {"pixels": 2, "places": text([3, 9], "<u4"), "levels": text([7, 8], "u1")}


def test_the_sound_counterpart_of_all_these_is_accepted() -> None:
    assert Correction.from_json(SOUND, SHAPE, 255).pixels == 2


@pytest.mark.parametrize(
    "change",
    [
        {"pixels": 0},
        {"pixels": 1},
        {"pixels": 3},
        {"pixels": -2},
        {"pixels": 2.0},
        {"pixels": True},
        {"pixels": "2"},
        {"pixels": None},
        {"pixels": 10**18},
        {"pixels": max_corrected(SIZE) + 1},
        {"places": text([9, 3], "<u4")},
        {"places": text([3, 3], "<u4")},
        {"places": text([3, SIZE], "<u4")},
        {"places": text([3, 2**32 - 1], "<u4")},
        {"places": text([3], "<u4")},
        {"places": text([3, 9, 10], "<u4")},
        {"places": "A" * 10**7},
        {"places": "not base64!!"},
        {"places": "ÄÄÄÄÄÄÄÄÄÄÄ="},
        {"places": 3},
        {"places": None},
        {"levels": text([7, 8], "<u2")},
        {"levels": text([7], "u1")},
        {"levels": ["7", "8"]},
        {"levels": ""},
    ],
    ids=lambda change: str(change)[:40],
)
def test_a_correction_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Correction.from_json(SOUND | change, SHAPE, 255)


def test_levels_above_white_are_refused() -> None:
    levels = SOUND | {"levels": text([7, 4096], "<u2")}
    with pytest.raises(ValueError, match="exceed the white of 4,095"):
        Correction.from_json(levels, SHAPE, 4095)


@pytest.mark.parametrize("key", list(SOUND))
def test_a_correction_that_lacks_a_key_is_refused(key: str) -> None:
    values = dict(SOUND)
    del values[key]
    with pytest.raises(KeyError):
        Correction.from_json(values, SHAPE, 255)
