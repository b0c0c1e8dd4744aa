"""Sizes, memory and bytes from the header alone, compared with what comes out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fft_tool import Limits, Source
from fft_tool.codec import image_file
from fft_tool.codec.header import Header
from fft_tool.errors import (
    CropOutside,
    FftToolError,
    OperationsError,
    TooManyPixels,
    TooMuchMemory,
    TooMuchOutput,
)
from fft_tool.operations.operation import Operation
from fft_tool.operations.prediction import admit, predict
from fft_tool.operations.registry import OPERATIONS, parse_operations
from fft_tool.operations.run import run_operations
from tests.support.images import png_bytes, png_of_zeros
from tests.support.operations import ANY_OPERATION, CHANNELS, DTYPES, one, random_image

SMALL = Limits(max_pixels=100_000)


@settings(deadline=None, max_examples=60)
@given(
    chain=st.lists(ANY_OPERATION, min_size=1, max_size=4),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    channels=st.sampled_from(CHANNELS),
    dtype=st.sampled_from(DTYPES),
)
def test_images_have_the_predicted_layout_and_no_more_than_the_predicted_bytes(
    chain: list[Operation], shape: tuple[int, int], channels: int, dtype: Any
) -> None:
    source = Source("a.png", png_bytes(random_image(shape, channels, dtype)))
    header = image_file.open_image(source.data).header
    try:
        found = predict(header, chain, SMALL)
    except FftToolError as refused:
        with pytest.raises(type(refused)):
            run_operations(source, chain, SMALL)
        return
    outputs = run_operations(source, chain, SMALL)
    for artifact, layout in zip(outputs, (*found.independent, found.combined[-1]), strict=True):
        pixels = image_file.decode(artifact.data).pixels
        assert pixels.shape == (layout.height, layout.width, layout.channels)
        assert pixels.itemsize == layout.sample
    written = sum(len(artifact.data) for artifact in outputs)
    admit(header, chain, Limits(max_pixels=100_000, max_output_bytes=1 << 40))
    with pytest.raises(TooMuchOutput, match="the images"):
        admit(header, chain, Limits(max_pixels=100_000, max_output_bytes=written - 1))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("invert,resize:100000,100000", TooManyPixels, "operation 2, resize:100000,100000 would"),
        ("resize:10000%", TooManyPixels, "would make 10000 x 8000 = 80,000,000 pixels, at most"),
        ("rotate:45,rotate:45", TooManyPixels, "operation 2, rotate:45 would make"),
        ("resize:0.1%", OperationsError, "into 0 x 0, which is no image"),
        ("blur,crop:0,0,200,5", CropOutside, "operation 2, crop:0,0,200,5: the crop"),
        ("crop:0,0,50,50,crop:60,0,5,5", CropOutside, "operation 2, crop:60,0,5,5: the crop"),
        ("resize:101%,crop:0,0,101,5", CropOutside, "operation 2, .*, alone on the original"),
    ],
)
def test_operations_that_do_not_suit_the_image_are_refused_before_decoding(
    text: str, error: type[FftToolError], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise AssertionError("decoded before it was checked")

    monkeypatch.setattr(image_file.Encoded, "decode", refuse)
    source = Source("a.png", png_of_zeros(100, 80))
    limits = Limits(max_pixels=30_000 if "rotate" in text else 1_000_000)
    with pytest.raises(error, match=message) as caught:
        run_operations(source, parse_operations(text), limits)
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("limits", "error", "message"),
    [
        (Limits(max_memory=200 << 20), TooMuchMemory, "takes about"),
        (Limits(max_output_bytes=10**6), TooMuchOutput, "the images .* crop or resize first"),
    ],
)
def test_limits_are_checked_before_decoding(
    limits: Limits, error: type[FftToolError], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise AssertionError("decoded before it was checked")

    monkeypatch.setattr(image_file.Encoded, "decode", refuse)
    with pytest.raises(error, match=message):
        run_operations(Source("a.png", png_of_zeros(9000, 9000)), (one("sepia"),), limits)


def test_turned_images_are_predicted_by_their_upright_size() -> None:
    header = Header("jpeg", 300, 100, 3, 8, orientation=6)
    found = predict(header, parse_operations("crop:0,0,100,300,resize:50%"), Limits())
    assert [(each.height, each.width) for each in found.combined] == [(300, 100), (150, 50)]


@pytest.mark.parametrize("name", OPERATIONS)
def test_more_pixels_never_need_less_memory(name: str) -> None:
    chain = parse_operations(OPERATIONS[name].examples[0])
    needed = [
        predict(Header("png", side, side, 3, 8), chain, Limits()).memory
        for side in (500, 1000, 2000)
    ]
    assert needed == sorted(needed)
