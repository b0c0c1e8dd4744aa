"""Counts of black and white pixels, as a plain value that costs nothing to load."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of pixels of an image on either side of the threshold."""

    black: int
    white: int

    @property
    def pixels(self) -> int:
        """Number of all pixels."""
        return self.black + self.white
