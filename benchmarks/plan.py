"""Sizes of the measurements: full, and small ones to check that everything works."""

from __future__ import annotations

from dataclasses import dataclass

from measure import Effort


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes in pixels; ``growth`` holds a small and a large side, both multiples of 16.

    Goals apply to the full sizes only: ``judged`` says whether to compare results with them.
    """

    effort: Effort
    picture_sides: tuple[int, ...]
    transform_shapes: tuple[tuple[int, int], ...]
    process_side: int
    folder_count: int
    folder_side: int
    memory_side: int
    growth: tuple[int, int]
    photographs: int
    compared_sides: tuple[int, ...]
    judged: bool


FULL = Plan(
    effort=Effort(),
    picture_sides=(512, 2048, 4096),
    transform_shapes=(
        (512, 512),
        (1080, 1920),
        (2048, 2048),
        (3000, 4000),
        (4093, 4093),
        (4096, 4096),
    ),
    process_side=2048,
    folder_count=200,
    folder_side=512,
    memory_side=4096,
    growth=(2048, 16384),
    photographs=14,
    compared_sides=(512, 2048),
    judged=True,
)

QUICK = Plan(
    effort=Effort(repeats=2, fill=0),
    picture_sides=(128,),
    transform_shapes=((128, 128), (60, 81), (61, 61)),
    process_side=256,
    folder_count=6,
    folder_side=64,
    memory_side=512,
    growth=(256, 1024),
    photographs=2,
    compared_sides=(128,),
    judged=False,
)
