"""Chance that can be replayed: what is thrown depends on the seed and on what it is thrown for.

Not on when, nor on what was thrown before: threads may ask in any order.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Dice:
    """Decisions that follow from a seed."""

    seed: int

    def random(self, *occasion: object) -> random.Random:
        """Random numbers of one occasion, which any printable values tell from all others."""
        return random.Random(repr((self.seed, *occasion)))

    def happens(self, chance: float, *occasion: object) -> bool:
        """Whether something happens on this occasion."""
        return self.random(*occasion).random() < chance

    def one_of(self, options: Sequence[T], *occasion: object) -> T:
        """One of several options, all alike."""
        return self.random(*occasion).choice(options)

    def between(self, low: int, high: int, *occasion: object) -> int:
        """A whole number, both ends included."""
        return self.random(*occasion).randint(low, high)
