"""Time limit for the analysis of one object, so that the rest of its batch gets processed too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fft_tool.errors import Aborted, FftToolError, TooCostly, TookTooLong
from handler.errors import OutOfTime

MB_PER_CPU = 1769  # Lambda allocates one vCPU per this many megabytes

# Several times what an image takes with the most expensive recipe on one full vCPU.
SECONDS, SECONDS_PER_MEGAPIXEL = 1.0, 0.5
LAST = 10  # factor for the second try, since a machine may be slow for a while
MOST = 0.75  # share of an invocation that a try can be given at most


@dataclass(slots=True)
class Patience:
    """Seconds for one try, given the number of pixels (0: not known yet).

    ``seconds_left`` gives the remaining time of the invocation, which had ``whole`` seconds at the
    start; ``processors`` is the share of a vCPU that the function has. ``enough`` says whether the
    image was given its usual time or most of the invocation, so that running out of it is the
    image's fault; ``had`` says that an earlier try was.
    """

    seconds_left: Callable[[], float]
    whole: float
    processors: float = 1.0
    last: bool = False
    had: bool = False
    enough: bool = False

    def again(self) -> Patience:
        """The time limit for the second try of the same image."""
        return Patience(self.seconds_left, self.whole, self.processors, last=True, had=self.enough)

    def __call__(self, pixels: int) -> float:
        """Seconds that the try may take from now on."""
        left = max(0.0, self.seconds_left())
        usual = (SECONDS + SECONDS_PER_MEGAPIXEL * pixels / 1e6) / self.processors
        self.enough = self.had or left >= min(usual, MOST * self.whole)
        return min(left, usual * LAST if self.last else usual)


def given_up(error: Aborted, patience: Patience) -> FftToolError:
    """The error of work that has also broken off at its second try, which had ``patience``."""
    if isinstance(error, TookTooLong) and not patience.enough:
        return OutOfTime(
            "the invocation has too little time left for this image: returned for a retry; "
            "if this recurs, give the function more time or memory"
        )
    return TooCostly(f"this image failed again at the second try: {error}")
