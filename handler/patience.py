"""How long the analysis of one object may take, so that others in the batch get their time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MB_PER_CPU = 1769  # Lambda gives a function one virtual processor for each so many megabytes

# Several times what an image takes, with the costliest recipe, on one whole processor.
SECONDS, SECONDS_PER_MEGAPIXEL = 1.0, 0.5
LAST = 10  # times as long has a second try, since a machine may be slow for a while
MOST = 0.75  # of an invocation: no try can be given more


@dataclass(slots=True)
class Patience:
    """Seconds for one try, given the number of pixels (0: not known yet).

    ``seconds_left`` tells how long the invocation goes on, which had ``whole`` seconds when it
    began; ``processors`` is the share of a processor that the function has. ``enough`` says whether
    an image that has used up its time would not do with more of it either; a try before this one
    may have ``had`` that already.
    """

    seconds_left: Callable[[], float]
    whole: float
    processors: float = 1.0
    last: bool = False
    had: bool = False
    enough: bool = False

    def __call__(self, pixels: int) -> float:
        """Give the seconds from now on."""
        left = max(0.0, self.seconds_left())
        usual = (SECONDS + SECONDS_PER_MEGAPIXEL * pixels / 1e6) / self.processors
        self.enough = self.had or left >= min(usual, MOST * self.whole)
        return min(left, usual * LAST if self.last else usual)
