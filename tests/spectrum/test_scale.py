"""Scales of the magnitude picture: limits, order, and inversion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fft_tool.spectrum import choices
from fft_tool.spectrum.scale import DB_FLOOR, SCALES

FORMULAS: dict[str, Callable[[Any, float], Any]] = {
    "log": lambda m, _: np.log(1 + m),
    "linear": lambda m, _: m,
    "power": lambda m, _: m * m,
    "db": lambda m, largest: 20 * np.log10(np.maximum(m / largest, 1e-6)),
}
LARGEST = st.floats(1e-3, 1e13)
NAMES = sorted(FORMULAS)


def test_the_scales_are_those_documented() -> None:
    assert {name: scale.name for name, scale in SCALES.items()} == {name: name for name in NAMES}
    assert tuple(SCALES) == choices.SCALES, "what a recipe may choose"


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(largest=LARGEST)
def test_shown_values_follow_the_formula_within_the_limits(name: str, largest: float) -> None:
    magnitudes = np.linspace(0, largest, 50)
    low, high = SCALES[name].limits(largest)
    shown = SCALES[name].shown(magnitudes.copy(), largest)
    np.testing.assert_allclose(shown, FORMULAS[name](magnitudes, largest), rtol=1e-6, atol=1e-9)
    assert (shown[0], shown[-1]) == pytest.approx((low, high))
    assert (np.diff(shown) >= 0).all()


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(largest=LARGEST)
def test_magnitude_undoes_shown(name: str, largest: float) -> None:
    magnitudes = np.linspace(0, largest, 50)
    back = SCALES[name].magnitude(SCALES[name].shown(magnitudes.copy(), largest), largest)
    np.testing.assert_allclose(back, magnitudes, rtol=1e-9, atol=1e-12 * largest)


@settings(deadline=None)
@given(largest=LARGEST)
def test_decibels_are_clipped_at_the_floor_which_means_zero(largest: float) -> None:
    scale = SCALES["db"]
    faint = np.array([0, largest * 1e-7, largest * 0.9e-6])
    assert (scale.shown(faint, largest) == DB_FLOOR).all()
    assert (scale.magnitude(np.full(3, DB_FLOOR), largest) == 0).all()
    assert scale.limits(largest) == (-120, 0)


@pytest.mark.parametrize("name", NAMES)
def test_black_has_defined_values_on_every_scale(name: str) -> None:
    """A black image causes neither division by zero nor infinity."""
    low, high = SCALES[name].limits(0.0)
    shown = SCALES[name].shown(np.zeros(4), 0.0)
    assert np.isfinite([low, high, *shown]).all()
    assert (shown == low).all()
    assert (SCALES[name].magnitude(shown, 0.0) == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_values_keep_their_precision(name: str) -> None:
    shown = SCALES[name].shown(np.array([0, 1, 250], np.float32), 250.0)
    assert shown.dtype == np.float32
    assert SCALES[name].magnitude(shown, 250.0).dtype == np.float32
