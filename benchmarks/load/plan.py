"""How much load, and for how long: full, and small to check that everything works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds of each measurement, the pixels of a side of the images, and how many clients.

    Goals apply to the full load only: ``judged`` says whether to compare results with them.
    """

    side: int
    clients: int
    rate: float  # uploads a second
    paced: float
    at_once: float
    finishing: float
    retrieving: float
    sources: int  # images that thumbor makes renditions of
    judged: bool


FULL = Plan(
    side=1568,
    clients=4,
    rate=7,
    paced=30,
    at_once=5,
    finishing=10,
    retrieving=4,
    sources=12,
    judged=True,
)

QUICK = Plan(
    side=128,
    clients=2,
    rate=10,
    paced=0.5,
    at_once=0.3,
    finishing=1,
    retrieving=0.3,
    sources=1,
    judged=False,
)
