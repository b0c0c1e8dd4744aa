"""Linear prediction: a line of samples continued beyond its ends.

Filtering a line needs samples beyond its ends. Zeros, a mirror image or the line itself once more
break whatever wave runs through the end; a prediction from the line's own samples continues it.
"""

from __future__ import annotations

import numpy as np

from fft_tool.arrays import Doubles

ORDER = 64
"""Samples from which the next one is predicted, at most."""

_PREDICTED = 1e-12  # share of the energy below which nothing is left to predict


def extended(line: Doubles, count: int) -> Doubles:
    """Continue ``line`` by ``count`` samples at each end, shape ``(count + n + count,)``.

    >>> wave = np.cos(np.arange(100) / 3)
    >>> bool(np.allclose(extended(wave, 20)[-20:], np.cos(np.arange(100, 120) / 3), atol=0.1))
    True

    The coefficients are those of Burg (1975), whose predictions do not grow: waves go on, noise
    fades to the line's mean.
    """
    mean = float(line.mean())
    coefficients = burg(line - mean, min(ORDER, line.size // 3))
    whole = np.zeros(line.size + 2 * count)
    whole[count : count + line.size] = line - mean
    for ordered in (whole, whole[::-1]):
        _predict(ordered, count + line.size, coefficients)
    whole += mean
    return whole


def burg(line: Doubles, order: int) -> Doubles:
    """Coefficients that predict a sample from those before it, the nearest one first.

    They minimise the error of prediction both ways, forward and backward.
    """
    energy = float(np.square(line).sum())
    coefficients = np.ones(1)
    ahead, behind = line, line
    for _ in range(order):
        ahead, behind = ahead[1:], behind[:-1]
        power = float(np.square(ahead).sum() + np.square(behind).sum())
        if power <= _PREDICTED * energy:
            break
        reflection = -2 * float((ahead * behind).sum()) / power
        padded = np.append(coefficients, 0.0)
        coefficients = padded + reflection * padded[::-1]
        ahead, behind = ahead + reflection * behind, behind + reflection * ahead
    return -coefficients[1:]


def _predict(samples: Doubles, start: int, coefficients: Doubles) -> None:
    """Fill ``samples[start:]`` from those before."""
    backwards = coefficients[::-1]
    order = backwards.size
    for place in range(start, samples.size) if order else ():
        samples[place] = (samples[place - order : place] * backwards).sum()
