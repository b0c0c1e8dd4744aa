"""Lengths that the FFT transforms quickly."""

from __future__ import annotations


def smooth(length: int) -> int:
    """Smallest even number from ``length`` on that has no prime factor above 5.

    >>> smooth(1021)
    1024
    """
    best = 2
    while best < length:
        best *= 2
    fives = 1
    while fives < best:
        odd = fives
        while odd < best:
            candidate = 2 * odd
            while candidate < length:
                candidate *= 2
            best = min(best, candidate)
            odd *= 3
        fives *= 5
    return best
