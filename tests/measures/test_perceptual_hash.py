"""The perceptual hash is that of imagehash, and changes little where the image does."""

from __future__ import annotations

import io
from typing import Any

import imagehash
import numpy as np
import pytest
from PIL import Image

import fft_tool as ft
from fft_tool.measures.perceptual_hash import BITS, PerceptualHash, perceptual_hash
from tests.support.images import noise, pink_noise

SHAPES = [(1, 1), (2, 3), (7, 400), (32, 32), (33, 31), (240, 320), (500, 64)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("make", [noise, pink_noise])
def test_it_is_that_of_imagehash(make: Any, shape: tuple[int, int]) -> None:
    for seed in range(5):
        plane = make(shape, np.uint8, seed=seed)
        peer = imagehash.phash(Image.fromarray(plane))
        ours = perceptual_hash(plane)
        assert str(ours) == str(peer)
        assert ours.distance(PerceptualHash(0)) == peer - imagehash.hex_to_hash("0" * 16)


@pytest.mark.parametrize("level", [0, 7, 255])
def test_constant_images_have_that_of_imagehash_too(level: int) -> None:
    plane = np.full((40, 50), level, np.uint8)
    assert str(perceptual_hash(plane)) == str(imagehash.phash(Image.fromarray(plane)))


def test_colour_has_that_of_imagehash_for_its_luma() -> None:
    pixels = np.stack([pink_noise((90, 120), seed=seed) for seed in range(3)], axis=2)
    luma = ft.apply_operations(pixels, "grayscale")
    grey = luma if luma.ndim == 2 else luma[:, :, 0]
    assert str(perceptual_hash(grey)) == str(imagehash.phash(Image.fromarray(pixels)))


def test_depth_makes_no_difference() -> None:
    plane = pink_noise((80, 90))
    expected = perceptual_hash(plane)
    assert perceptual_hash(plane.astype(np.uint16) * 257) == expected
    assert perceptual_hash(plane.astype(np.uint16) * 16, white=4080) == expected
    assert perceptual_hash(np.asfortranarray(plane)) == expected


def test_copies_differ_in_few_bits_and_other_images_in_about_half() -> None:
    planes = [pink_noise((240, 320), seed=seed) for seed in range(12)]
    hashes = [perceptual_hash(plane) for plane in planes]
    for plane, own in zip(planes, hashes, strict=True):
        image = Image.fromarray(plane)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=50)
        copies = Image.open(buffer), image.resize((100, 75)), image.point(lambda v: v // 2 + 60)
        for copy in copies:
            assert own.distance(perceptual_hash(np.asarray(copy))) <= 4
    apart = [a.distance(b) for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(apart) > 12
    assert np.mean(apart) == pytest.approx(BITS / 2, abs=3)


def test_its_text_reads_back() -> None:
    own = perceptual_hash(pink_noise((50, 60)))
    assert PerceptualHash.parse(str(own)) == own
    assert len(str(PerceptualHash(1))) == 16
    for wrong in ("", "12", "g" * 16, "0x" + "1" * 14, " " * 16):
        with pytest.raises(ValueError, match="16 hexadecimal digits"):
            PerceptualHash.parse(wrong)


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="uint8 or uint16"):
        perceptual_hash(noise((8, 8), np.float64))
