"""Content of the record: consistent sections, a hash of every artifact, and no NaN."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

import fft_tool
from fft_tool import Recipe, Source
from fft_tool.codec import image_file
from fft_tool.errors import RecipeError
from fft_tool.spectrum.inversion import Inversion, restore_plane, spectrum_of_pictures
from tests.support.images import noise
from tests.support.planes import Plane, planes, source
from tests.support.recipes import recipes
from tests.support.runs import EVERYTHING, record_of, run

ORDER = ["crop", "histogram", "filtered", "spectrum", "phase", "magnitude"]


def test_the_record_lists_every_other_artifact_with_its_hash() -> None:
    outputs = fft_tool.run(source(noise((20, 30))), EVERYTHING)
    listed = record_of(outputs)["artifacts"]
    assert [entry["artifact"] for entry in listed] == ORDER
    for entry in listed:
        artifact = outputs[entry["artifact"]]
        assert entry == {
            "artifact": artifact.kind,
            "name": artifact.name,
            "content_type": artifact.content_type,
            "bytes": len(artifact.data),
            "sha256": hashlib.sha256(artifact.data).hexdigest(),
        }


def test_record_holds_source_recipe_and_spectrum() -> None:
    image = source(noise((20, 30)), "x/y.png")
    record = record_of(fft_tool.run(image, EVERYTHING))
    assert record["outcome"] == "done"
    assert record["source"] == {
        "name": "x/y.png",
        "bytes": len(image.data),
        "sha256": hashlib.sha256(image.data).hexdigest(),
    }
    assert Recipe.parse(record["recipe"]["values"]) == EVERYTHING
    assert Recipe.parse_text(record["recipe"]["text"]) == EVERYTHING
    assert record["recipe"]["sha256"] == EVERYTHING.sha256
    assert (record["spectrum"]["width"], record["spectrum"]["height"]) == (23, 12)


def test_spectrum_section_says_how_bright_the_image_is() -> None:
    plane = noise((20, 30))
    spectrum = record_of(run(plane, metadata="yes"))["spectrum"]
    assert spectrum["dc"] == spectrum["largest_magnitude"] == pytest.approx(int(plane.sum()))
    detrended = record_of(run(plane, metadata="yes", detrend="mean"))["spectrum"]
    assert detrended["dc"] == pytest.approx(0, abs=0.1)
    assert detrended["preparation"]["trend"]["level"] == pytest.approx(plane.mean())


DEGENERATE = [
    *[np.full((1, 1), level, np.uint8) for level in (0, 77, 255)],
    *[np.full(shape, level, np.uint8) for shape in ((1, 9), (9, 1), (8, 8)) for level in (0, 200)],
    np.full((7, 5), 65535, np.uint16),
    np.zeros((6, 4, 4), np.uint8),
]
TREATMENTS: list[dict[str, str]] = [
    {},
    {"window": "hann"},
    {"window": "blackman", "detrend": "linear"},
    {"detrend": "mean"},
    {"periodic": "yes"},
    {"scale": "db"},
    {"scale": "power", "bits": "16"},
    {"precision": "double", "colour": "yes"},
]


@pytest.mark.parametrize("texts", TREATMENTS, ids=str)
@pytest.mark.parametrize("pixels", DEGENERATE, ids=lambda p: f"{p.shape}-{p.flat[0]}")
def test_degenerate_images_have_records_without_nan(
    pixels: NDArray[Any], texts: dict[str, str]
) -> None:
    record_of(run(pixels, metadata="yes", spectrum="yes", histogram="yes", **texts))


@settings(max_examples=60, deadline=None)
@given(plane=planes(24, (255, 65535)), recipe=recipes(room=1))
def test_no_record_of_any_image_holds_nan(plane: Plane, recipe: Recipe) -> None:
    recipe = dataclasses.replace(recipe, metadata=True, channel="luma")
    record_of(fft_tool.run(source(plane), recipe))


def test_record_and_pictures_alone_restore_the_image() -> None:
    plane = noise((33, 44))
    outputs = run(plane, bits="16", metadata="yes")
    inversion = Inversion.from_record(record_of(outputs))
    spectrum = spectrum_of_pictures(outputs["magnitude"].data, outputs["phase"].data, inversion)
    assert np.array_equal(restore_plane(spectrum, inversion.preparation), plane)


@pytest.mark.parametrize(
    ("channels", "names"),
    [
        (1, ["grey"]),
        (2, ["grey", "alpha"]),
        (3, ["grey", "red", "green", "blue"]),
        (4, ["grey", "red", "green", "blue", "alpha"]),
    ],
)
def test_statistics_are_those_of_the_grey_plane_and_of_each_channel(
    channels: int, names: list[str]
) -> None:
    pixels = noise((9, 11, channels))
    statistics = record_of(run(pixels, metadata="yes"))["statistics"]
    assert list(statistics) == names
    for name in names[1:]:
        plane = pixels[:, :, names.index(name) - (channels > 2)]
        assert statistics[name]["mean"] == pytest.approx(plane.mean())
        assert statistics[name]["maximum"] == plane.max()
        assert sum(statistics[name]["histogram"]["counts"]) == plane.size


def test_the_pixel_size_in_the_recipe_overrides_the_one_in_the_source() -> None:
    with_size = fft_tool.run(
        Source("a.png", image_file.encode_image(noise((8, 8)), 255, pixel_size_um=(2.0, 4.0))),
        Recipe(metadata=True),
    )
    record = record_of(with_size)
    assert record["measures"]["pixel_size_um"] == [2, 4]
    assert record["image"]["pixel_size"] == {"x_um": 2.0, "y_um": 4.0, "from": "PNG pHYs"}
    told = record_of(run(noise((8, 8)), metadata="yes", pixel_size="65nm"))
    assert told["measures"]["pixel_size_um"] == pytest.approx([0.065, 0.065])
    assert record_of(run(noise((8, 8)), metadata="yes"))["measures"]["pixel_size_um"] is None


@pytest.mark.parametrize("size", ["5e-324um", "1e-300nm", "1e-200um", "1e150um", "1e300m"])
def test_absurd_pixel_sizes_are_errors_in_the_recipe_or_harmless(size: str) -> None:
    """Frequencies in cycles per micrometre must stay finite, and periods above nothing."""
    stripes = np.tile(np.array([0, 0, 0, 0, 255, 255, 255, 255], np.uint8), (40, 6))
    try:
        recipe = Recipe.parse({"metadata": "yes", "pixel-size": size})
    except RecipeError:
        return
    record_of(fft_tool.run(source(stripes), recipe))
