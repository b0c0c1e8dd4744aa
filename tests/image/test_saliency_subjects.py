"""Smart crop finds what people look at: the subjects of photographs, boxed by hand."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest
from numpy.typing import NDArray

from fft_tool.image.saliency import salient_box
from tests.support.subjects import SUBJECTS, held, photograph, score


def ours(image: NDArray[np.uint8], width: int, height: int) -> tuple[int, int]:
    return salient_box(image, width, height)[:2]


def test_crops_hold_five_sixths_of_the_subjects_of_fourteen_photographs() -> None:
    assert len(SUBJECTS) == 14
    assert fmean(score(name, ours) for name in SUBJECTS) > 5 / 6


@pytest.mark.parametrize("name", ["astronaut.png", "rocket.jpg", "coffee.png", "camera.png"])
@pytest.mark.parametrize("side", [128, 200, 300])
def test_crop_of_a_photograph_is_on_its_subject(name: str, side: int) -> None:
    x, y = ours(photograph(name), side, side)
    assert held((x, y, x + side, y + side), SUBJECTS[name][0]) > 0.5
