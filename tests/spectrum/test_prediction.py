"""Linear prediction: waves go on, noise fades, short lines do no harm."""

from __future__ import annotations

import numpy as np
import pytest

from fft_tool.spectrum.prediction import burg, extended


def test_waves_go_on_beyond_both_ends() -> None:
    place = np.arange(-50, 250)
    truth = 40 + 10 * np.cos(place / 7.3) + 5 * np.cos(place / 1.9 + 1)
    found = extended(truth[50:250], 50)
    np.testing.assert_allclose(found, truth, atol=1.5)
    np.testing.assert_array_equal(found[50:250], truth[50:250])


def test_noise_fades_to_the_mean() -> None:
    line = 30 + np.random.default_rng(1).normal(0, 1, 400)
    found = extended(line, 300)
    assert np.abs(found[-100:] - line.mean()).max() < 0.5


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_short_and_constant_lines_stay_within_their_values(size: int) -> None:
    assert np.array_equal(extended(np.full(size, 5.0), 10), np.full(size + 20, 5.0))
    line = np.arange(size, dtype=float)
    assert np.abs(extended(line, 50) - line.mean()).max() <= size


def test_coefficients_of_a_known_process_are_found() -> None:
    random = np.random.default_rng(4)
    line = np.zeros(20000)
    for place in range(2, line.size):
        line[place] = 1.2 * line[place - 1] - 0.5 * line[place - 2] + random.normal()
    np.testing.assert_allclose(burg(line, 2), [1.2, -0.5], atol=0.02)
