"""What must hold for any input: only the project's own errors escape, and results are sound."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from fft_tool.admission import memory_needed
from fft_tool.codec import image_file, png_file, raster
from fft_tool.codec.header import Header
from fft_tool.errors import CropOutside, FftToolError, RecipeError
from fft_tool.image.grey import grey_plane
from fft_tool.image.region import Box
from fft_tool.limits import FORMATS, Limits
from fft_tool.recipe import Recipe

LIMITS = Limits(max_bytes=1 << 20, max_pixels=1 << 16)


def check_decoder(data: bytes) -> bool:
    """Decode any bytes; True if they were an image. Any exception is a finding."""
    for key, value in png_file.read_text(data).items():
        assert isinstance(key, str)
        assert isinstance(value, str)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in production: a warning is no refusal
        first = _decodes(data, 1)
        _decodes(data, 2)
    return first


def _decodes(data: bytes, frame: int) -> bool:
    try:
        image = image_file.open_image(data, LIMITS, frame=frame)
        _check_header(image.header)
        _check_raster(image.decode())
    except FftToolError as refused:
        _check_error(refused)
        return False
    return True


def _check_error(error: FftToolError) -> None:
    assert error.code != "error", "a leaf of the tree"
    assert str(error).strip()
    assert not error.transient


def _check_header(header: Header) -> None:
    assert header.format in FORMATS
    assert header.width >= 1
    assert header.height >= 1
    assert header.width * header.height <= LIMITS.max_pixels
    assert header.channels in (1, 2, 3, 4)
    assert 1 <= header.depth <= 64
    assert 1 <= header.frame <= header.frames
    for number in (header.width, header.height, header.frames, header.orientation, header.depth):
        assert type(number) is int, f"{number!r} is not a plain whole number"
    assert header.frames >= 1
    assert 1 <= header.orientation <= 8
    assert (header.pixel_size_um is None) == (header.pixel_size_from is None)
    for size in header.pixel_size_um or ():
        assert type(size) is float
        assert math.isfinite(size)
        assert size > 0
    json.dumps(dataclasses.asdict(header), allow_nan=False)
    assert memory_needed(header, Recipe()) > header.width * header.height


def _check_raster(raster: raster.Raster) -> None:
    pixels, header = raster.pixels, raster.header
    assert pixels.dtype in (np.uint8, np.uint16)
    assert pixels.dtype.isnative
    assert pixels.shape == (*header.shape, header.channels)
    assert len(raster.names) == header.channels
    assert raster.white <= np.iinfo(pixels.dtype).max
    assert pixels.max() <= raster.white
    plane = grey_plane(pixels, raster.names, white=raster.white)
    assert plane.shape == header.shape
    assert plane.dtype == pixels.dtype
    assert plane.max() <= raster.white


def check_recipe_text(text: str) -> bool:
    """Parse any text as a recipe; True if it was one. Any exception is a finding."""
    try:
        recipe = Recipe.parse_text(text)
    except RecipeError as refused:
        _check_faults(refused)
        return False
    _check_recipe(recipe)
    return True


def check_recipe_mapping(mapping: Mapping[str, Any]) -> bool:
    """Parse any mapping as a recipe; True if it was one. Any exception is a finding."""
    try:
        recipe = Recipe.parse(mapping)
    except RecipeError as refused:
        _check_faults(refused)
        return False
    _check_recipe(recipe)
    return True


def _check_faults(error: RecipeError) -> None:
    assert error.faults
    for fault in error.faults:
        assert fault.allowed.strip(), "what is allowed instead"
        assert str(fault) in str(error)


def _check_recipe(recipe: Recipe) -> None:
    text = str(recipe)
    assert text.isascii()
    assert Recipe.parse_text(text) == recipe
    assert str(Recipe.parse_text(text)) == text
    assert Recipe.parse(recipe.texts()) == recipe
    assert Recipe.parse(json.loads(json.dumps(recipe.texts()))).sha256 == recipe.sha256
    for width, height in ((1, 1), (3, 500), (4096, 4096)):
        _check_crop(recipe, width, height)


def _check_crop(recipe: Recipe, width: int, height: int) -> None:
    if recipe.crop is None:
        return
    with contextlib.suppress(CropOutside):
        box = recipe.crop.resolve(width, height)
        assert isinstance(box, Box)
        assert min(box.x, box.y) >= 0
        assert min(box.width, box.height) >= 1
        assert box.x + box.width <= width
        assert box.y + box.height <= height
