"""Renditions made in a child process: those of the core, and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from fft_tool.errors import CorruptImage, Killed, TookTooLong, TooManyPixels
from fft_tool.image.presets import Rendition, parse_presets
from fft_tool.limits import Limits
from fft_tool.recipe import Recipe
from fft_tool.rendering import DEFAULT, render
from fft_tool.results.outputs import Source
from fft_tool.runs.child import Child
from tests.support.images import pink_noise, png_bytes

PRESETS = parse_presets("thumb=20 card=30x10")
IMAGE = Source("a.png", png_bytes(np.stack([pink_noise((24, 32), seed=n) for n in range(3)], 2)))


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    made = Child()
    made.prepare(Recipe())
    yield made
    made.close()


def rendered(
    child: Child,
    source: Source = IMAGE,
    name: str = DEFAULT,
    limits: Limits | None = None,
    *,
    seconds: float = 60,
) -> tuple[Rendition, ...]:
    return child.render(source, PRESETS, name, limits or Limits(), patience=lambda _: seconds)


@pytest.mark.parametrize("name", [DEFAULT, "webp", "avif", "png", "jpeg"])
def test_renditions_are_those_of_the_core(child: Child, name: str) -> None:
    assert rendered(child, name=name) == render(IMAGE, PRESETS, name)


def test_errors_of_the_core_are_raised_and_the_process_goes_on(child: Child) -> None:
    with pytest.raises(CorruptImage, match="truncated"):
        rendered(child, Source("a.png", IMAGE.data[:-20]))
    with pytest.raises(TooManyPixels):
        rendered(child, limits=Limits(max_pixels=100))
    assert rendered(child)


def test_what_takes_too_long_is_ended_and_the_next_image_gets_a_new_process(child: Child) -> None:
    with pytest.raises(TookTooLong):
        rendered(child, seconds=0)
    assert rendered(child) == render(IMAGE, PRESETS)


def test_a_reply_with_sizes_that_no_preset_allows_is_not_believed(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = child._answer  # noqa: SLF001  (in place of a process that was taken over)

    def forged(*arguments: Any) -> Any:
        reply = answer(*arguments)
        reply.found["made"][0][1] = 21
        return reply

    monkeypatch.setattr(child, "_answer", forged)
    with pytest.raises(Killed, match="invalid reply"):
        rendered(child)
