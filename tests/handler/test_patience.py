"""Time limits of images: proportional to their pixels, and never beyond the invocation."""

from __future__ import annotations

import pytest

from handler.patience import Patience


def granted(pixels: float, *, left: float = 100, last: bool = False, share: float = 1) -> float:
    return Patience(lambda: left, 100, share, last)(round(pixels))


@pytest.mark.parametrize(
    ("pixels", "seconds"), [(0, 1.0), (1e6, 1.5), (10e6, 6.0), (100e6, 51.0), (300e6, 100)]
)
def test_a_first_try_gets_a_second_plus_half_a_second_per_megapixel(
    pixels: float, seconds: float
) -> None:
    assert granted(pixels) == pytest.approx(seconds)


@pytest.mark.parametrize(("pixels", "seconds"), [(0, 10.0), (1e6, 15.0), (100e6, 100)])
def test_a_last_try_gets_ten_times_as_long(pixels: float, seconds: float) -> None:
    assert granted(pixels, last=True) == pytest.approx(seconds)


def test_half_a_processor_gets_twice_as_long() -> None:
    assert granted(1e6, share=0.5) == pytest.approx(3.0)


@pytest.mark.parametrize("left", [0.5, 0.0, -3.0])
@pytest.mark.parametrize("last", [True, False])
def test_no_try_exceeds_the_invocation(left: float, last: bool) -> None:
    assert granted(1e6, left=left, last=last) == max(0.0, left)


@pytest.mark.parametrize(
    ("pixels", "left", "enough"),
    [(0, 1.0, True), (0, 0.9, False), (100e6, 51, True), (100e6, 50, False), (300e6, 75, True)],
)
def test_enough_is_the_usual_time_or_most_of_an_invocation(
    pixels: float, left: float, enough: bool
) -> None:
    patience = Patience(lambda: left, 100)
    patience(round(pixels))
    assert patience.enough is enough


def test_the_time_of_the_first_try_counts_for_the_last() -> None:
    patience = Patience(lambda: 2.0, 100, last=True, had=True)
    patience(100_000_000)
    assert patience.enough
