"""Reproducible random decisions: each depends only on the seed and on its occasion.

They do not depend on time or on earlier decisions, so threads may ask in any order.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Dice:
    """Random decisions that are determined by a seed."""

    seed: int

    def random(self, *occasion: object) -> random.Random:
        """A generator for one occasion, which is identified by any printable values."""
        return random.Random(repr((self.seed, *occasion)))

    def happens(self, chance: float, *occasion: object) -> bool:
        """Whether something happens on this occasion."""
        return self.random(*occasion).random() < chance

    def one_of(self, options: Sequence[T], *occasion: object) -> T:
        """One of several options, with equal probability."""
        return self.random(*occasion).choice(options)

    def between(self, low: int, high: int, *occasion: object) -> int:
        """A whole number, including both ends."""
        return self.random(*occasion).randint(low, high)
