"""The pipeline: same bytes always, the right artifacts in the right order, records that hold."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import subprocess
import sys
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import fft_tool
from fft_tool import Limits, Outputs, Recipe, Source, codec
from fft_tool.crop import Box
from fft_tool.errors import (
    CorruptImage,
    CropOutside,
    EmptyImage,
    RecipeError,
    TooManyBytes,
    TooManyPixels,
    TooMuchMemory,
    UnknownFormat,
)
from fft_tool.invert import Inversion, load_spectrum, restore_plane, spectrum_of_pictures
from fft_tool.pipeline import plan, run_crop, run_filter, run_stats
from tests.images import opened, png_bytes
from tests.planes import Plane, noise, planes, read_png, source
from tests.recipes import recipes

EVERYTHING = Recipe.parse(
    {
        "crop": "pct:10,10,75,60",
        "bits": "16",
        "spectrum": "yes",
        "histogram": "yes",
        "filter": "lowpass:4",
        "metadata": "yes",
        "detrend": "linear",
        "window": "hann",
    }
)
ORDER = ["crop", "histogram", "filtered", "spectrum", "phase", "magnitude", "metadata"]


def kinds(outputs: Outputs) -> list[str]:
    return [artifact.kind for artifact in outputs]


def contents(outputs: Outputs) -> list[tuple[str, bytes]]:
    return [(artifact.name, artifact.data) for artifact in outputs]


def run(pixels: NDArray[Any], **texts: Any) -> Outputs:
    return fft_tool.run(source(pixels), Recipe.parse(texts))


def record_of(outputs: Outputs) -> dict[str, Any]:
    """The record as it stands in its file, which must be JSON in the strict sense."""

    def refuse(word: str) -> NoReturn:
        raise AssertionError(f"the record holds {word}")

    record: dict[str, Any] = json.loads(outputs["metadata"].data, parse_constant=refuse)
    assert record == json.loads(json.dumps(outputs.record))
    return record


# Same source, same recipe, same bytes.


@pytest.mark.parametrize("texts", [{}, {"periodic": "yes", "metadata": "yes"}, {"colour": "yes"}])
def test_any_number_of_threads_gives_the_same_bytes(texts: dict[str, str]) -> None:
    image = source(noise((700, 900, 3)))
    recipe = Recipe.parse(texts)
    alone = contents(fft_tool.run(image, recipe))
    for threads in (2, 3):
        assert contents(fft_tool.run(image, recipe, threads=threads)) == alone


def test_all_artifacts_are_the_same_bytes_for_any_number_of_threads_and_every_time() -> None:
    image = source(noise((500, 700, 4), 65535))
    first = contents(fft_tool.run(image, EVERYTHING))
    assert contents(fft_tool.run(image, EVERYTHING)) == first
    assert contents(fft_tool.run(image, EVERYTHING, threads=3)) == first


@settings(max_examples=15, deadline=None)
@given(recipe=recipes(room=16), name=st.sampled_from(("a.png", "b/c.tif", "d")))
def test_the_same_arguments_give_the_same_bytes_whatever_the_recipe(
    recipe: Recipe, name: str
) -> None:
    image = Source(name, png_bytes(noise((18, 21, 4))))
    assert contents(fft_tool.run(image, recipe)) == contents(fft_tool.run(image, recipe, threads=2))


# Steps, artifacts, names, order.


def test_steps_are_told_as_they_begin() -> None:
    def steps(recipe: Recipe) -> list[str]:
        told: list[str] = []
        fft_tool.run(source(noise((8, 8))), recipe, on_step=told.append)
        return told

    assert steps(Recipe()) == ["decode", "transform", "paint", "encode"]
    assert steps(EVERYTHING) == ["decode", "transform", "measure", "paint", "encode", "certify"]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({}, ["phase", "magnitude"]),
        ({"phase": "no"}, ["magnitude"]),
        ({"metadata": "yes"}, ["phase", "magnitude", "metadata"]),
        ({"crop": "square"}, ["crop", "phase", "magnitude"]),
        ({"smart-crop": "5,5"}, ["crop", "phase", "magnitude"]),
        ({"histogram": "yes"}, ["histogram", "phase", "magnitude"]),
        ({"filter": "highpass:4"}, ["filtered", "phase", "magnitude"]),
        ({"spectrum": "yes"}, ["spectrum", "phase", "magnitude"]),
    ],
)
def test_each_key_brings_its_artifact(texts: dict[str, str], expected: list[str]) -> None:
    assert kinds(run(noise((9, 12)), **texts)) == expected


def test_all_artifacts_come_in_order_and_the_seal_last() -> None:
    outputs = fft_tool.run(source(noise((20, 30)), "plants/forest.png"), EVERYTHING)
    assert kinds(outputs) == ORDER
    assert [(artifact.name, artifact.content_type) for artifact in outputs] == [
        ("plants/forest_crop.png", "image/png"),
        ("plants/forest_histogram.png", "image/png"),
        ("plants/forest_filtered.png", "image/png"),
        ("plants/forest_spectrum.npz", "application/x-npz"),
        ("plants/forest_phase.png", "image/png"),
        ("plants/forest_magnitude.png", "image/png"),
        ("plants/forest_metadata.json", "application/json"),
    ]


@settings(max_examples=60, deadline=None)
@given(recipe=recipes(room=16), name=st.sampled_from(("a.png", "b/c.tif", "d", "e.x.png")))
def test_plan_names_what_run_makes(recipe: Recipe, name: str) -> None:
    image = Source(name, png_bytes(noise((17, 16, 4))))
    outputs = fft_tool.run(image, recipe)
    assert plan(image, recipe) == tuple(artifact.name for artifact in outputs)
    assert (outputs.record is None) == (not recipe.metadata)


def test_outputs_are_found_by_kind() -> None:
    outputs = run(noise((4, 4)))
    assert outputs["magnitude"] is outputs.artifacts[-1]
    with pytest.raises(KeyError, match="crop"):
        outputs["crop"]


# What stands in the artifacts.


def test_pictures_tell_what_made_them_from_what() -> None:
    image = source(noise((20, 30)))
    for artifact in fft_tool.run(image, EVERYTHING):
        if artifact.name.endswith(".png"):
            text = getattr(opened(artifact.data), "text")  # noqa: B009  (Image lacks it)
            assert text == {
                "Software": f"fft-tool {fft_tool.__version__}",
                "Source-SHA256": hashlib.sha256(image.data).hexdigest(),
                "Recipe": str(EVERYTHING),
            }


def test_provenance_is_enough_to_make_a_picture_again() -> None:
    image = source(noise((20, 30)))
    picture = fft_tool.run(image, EVERYTHING)["magnitude"].data
    text = getattr(opened(picture), "text")  # noqa: B009
    again = fft_tool.run(image, Recipe.parse_text(text["Recipe"]))
    assert again["magnitude"].data == picture


def test_record_lists_every_other_artifact_with_its_hash() -> None:
    outputs = fft_tool.run(source(noise((20, 30))), EVERYTHING)
    listed = record_of(outputs)["artifacts"]
    assert [entry["artifact"] for entry in listed] == ORDER[:-1]
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


def test_crop_is_the_source_s_pixels_and_the_spectrum_is_the_crop_s() -> None:
    pixels = noise((20, 30, 3))
    outputs = run(pixels, crop="3,4,11,7", metadata="yes", bits="16")
    region = pixels[4:11, 3:14]
    assert np.array_equal(read_png(outputs["crop"].data), region)
    alone = run(region, bits="16")
    for kind in ("magnitude", "phase"):
        assert np.array_equal(read_png(outputs[kind].data), read_png(alone[kind].data))
    assert record_of(outputs)["region"] == {
        "x": 3,
        "y": 4,
        "width": 11,
        "height": 7,
        "method": "given",
    }


def test_smart_crop_is_recorded_as_the_box_that_was_cut() -> None:
    pixels = np.full((60, 80), 128, np.uint8)
    pixels[40:50, 50:64] = noise((10, 14))
    outputs = run(pixels, smart_crop="30,20", metadata="yes")
    region = record_of(outputs)["region"]
    assert (region["width"], region["height"]) == (30, 20)
    assert region["method"] == "spectral residual"
    box = Box(region["x"], region["y"], 30, 20).within(80, 60)
    cut = pixels[box.y : box.y + 20, box.x : box.x + 30]
    assert np.array_equal(read_png(outputs["crop"].data), cut)
    again = run(pixels, crop=str(box))
    assert (
        read_png(again["magnitude"].data).tolist() == read_png(outputs["magnitude"].data).tolist()
    )


def test_16_bit_colour_keeps_its_depth_and_channels() -> None:
    pixels = noise((12, 15, 3), 65535)
    outputs = run(pixels, crop="0,0,15,12", metadata="yes", spectrum="yes")
    decoded = codec.decode(outputs["crop"].data)
    assert np.array_equal(decoded.pixels, pixels)
    record = record_of(outputs)
    assert record["image"] | {"frames": 1} == {
        "format": "png",
        "width": 15,
        "height": 12,
        "channels": ["red", "green", "blue"],
        "depth": 16,
        "white": 65535,
        "frames": 1,
        "frame": 0,
        "orientation": 1,
        "pixel_size": None,
    }
    assert record["certificate"]["exact"]
    luma = pixels.astype(float) @ [0.299, 0.587, 0.114]
    restored = restore_plane(*load_spectrum(outputs["spectrum"].data))
    assert np.abs(restored - luma).max() <= 0.5 + 65535 * 2e-5  # rounded, and weights of 16 bits


@pytest.mark.parametrize(
    ("channel", "index"), [("red", 0), ("green", 1), ("blue", 2), ("alpha", 3)]
)
def test_one_channel_is_analysed_as_if_it_were_the_image(channel: str, index: int) -> None:
    pixels = noise((14, 17, 4))
    if channel != "alpha":
        pixels[:, :, 3] = 255  # opaque: nothing shines through
    outputs = run(pixels, channel=channel, bits="16")
    alone = run(np.ascontiguousarray(pixels[:, :, index]), bits="16")
    for kind in ("magnitude", "phase"):
        assert np.array_equal(read_png(outputs[kind].data), read_png(alone[kind].data))


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


def test_filtered_image_has_the_depth_of_its_source_and_keeps_its_mean() -> None:
    for white in (255, 65535):
        plane = noise((32, 48), white)
        filtered = read_png(run(plane, filter="lowpass:8")["filtered"].data)
        assert filtered.dtype == plane.dtype
        assert filtered.shape == plane.shape
        assert filtered.mean() == pytest.approx(plane.mean(), abs=0.01 * white)
        assert filtered.std() < plane.std() / 2


def test_recipe_s_pixel_size_goes_before_the_source_s() -> None:
    with_size = fft_tool.run(
        Source("a.png", codec.encode_image(noise((8, 8)), 255, pixel_size_um=(2.0, 4.0))),
        Recipe(metadata=True),
    )
    record = record_of(with_size)
    assert record["measures"]["pixel_size_um"] == [2, 4]
    assert record["image"]["pixel_size"] == {"x_um": 2.0, "y_um": 4.0, "from": "PNG pHYs"}
    told = record_of(run(noise((8, 8)), metadata="yes", pixel_size="65nm"))
    assert told["measures"]["pixel_size_um"] == pytest.approx([0.065, 0.065])
    assert record_of(run(noise((8, 8)), metadata="yes"))["measures"]["pixel_size_um"] is None


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


def test_record_and_pictures_alone_give_the_image_back() -> None:
    plane = noise((33, 44))
    outputs = run(plane, bits="16", metadata="yes")
    inversion = Inversion.from_record(record_of(outputs))
    spectrum = spectrum_of_pictures(outputs["magnitude"].data, outputs["phase"].data, inversion)
    assert np.array_equal(restore_plane(spectrum, inversion.preparation), plane)


# Parts of the pipeline.


def test_crop_alone_is_the_one_that_an_analysis_makes() -> None:
    image = source(noise((20, 30, 3)))
    for texts in ({"crop": "centre:9,5"}, {"smart-crop": "8,8"}):
        recipe = Recipe.parse(texts)
        assert contents(run_crop(image, recipe)) == contents(fft_tool.run(image, recipe))[:1]


def test_filtered_image_alone_is_the_one_that_an_analysis_makes() -> None:
    image, recipe = source(noise((20, 30))), Recipe.parse({"filter": "stripe:90+lowpass:6"})
    assert contents(run_filter(image, recipe)) == contents(fft_tool.run(image, recipe))[:1]


def test_statistics_alone_are_those_of_the_record() -> None:
    image, recipe = source(noise((20, 30, 3))), Recipe(metadata=True)
    outputs = run_stats(image, recipe)
    record = record_of(fft_tool.run(image, recipe))
    assert outputs.artifacts == ()
    assert outputs.record is not None
    for section in ("image", "region", "grey", "statistics", "sharpness"):
        assert json.loads(json.dumps(outputs.record[section])) == record[section]


# What is refused, and when.


@pytest.fixture
def _nothing_may_be_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> NoReturn:
        raise AssertionError("decoded before it was checked")

    monkeypatch.setattr(codec.Encoded, "decode", refuse)


IMAGE = source(noise((64, 48)))


@pytest.mark.usefixtures("_nothing_may_be_decoded")
@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (Limits(max_memory=1 << 20), TooMuchMemory),
        (Limits(max_pixels=64 * 48 - 1), TooManyPixels),
        (Limits(max_bytes=100), TooManyBytes),
        (Limits(formats=("tiff",)), UnknownFormat),
    ],
)
def test_limits_are_held_before_anything_is_decoded(limits: Limits, error: type[Exception]) -> None:
    for operation in (fft_tool.run, plan, run_crop, run_filter, run_stats):
        with pytest.raises(error):
            operation(IMAGE, Recipe.parse({"crop": "square", "filter": "lowpass:4"}), limits)


@pytest.mark.usefixtures("_nothing_may_be_decoded")
def test_plan_decodes_nothing() -> None:
    assert plan(IMAGE, Recipe()) == ("image_phase.png", "image_magnitude.png")


def test_image_at_the_limits_is_accepted() -> None:
    limits = Limits(max_pixels=64 * 48, max_bytes=len(IMAGE.data), max_memory=200 << 20)
    assert kinds(fft_tool.run(IMAGE, Recipe(), limits)) == ["phase", "magnitude"]


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"", EmptyImage), (b"hello", UnknownFormat), (IMAGE.data[:-9], CorruptImage)],
)
def test_faulty_sources_are_refused(data: bytes, error: type[Exception]) -> None:
    for operation in (fft_tool.run, plan):
        with pytest.raises(error):
            operation(Source("x.png", data), Recipe())


@pytest.mark.parametrize("texts", [{"crop": "40,0,20,5"}, {"smart-crop": "60,60"}])
def test_crop_outside_is_refused(texts: dict[str, str]) -> None:
    with pytest.raises(CropOutside, match="48 x 64"):
        fft_tool.run(IMAGE, Recipe.parse(texts))


@pytest.mark.parametrize("texts", [{"metadata": "yes"}, {"histogram": "yes"}])
def test_threshold_beyond_the_image_s_white_is_a_fault_of_the_recipe(
    texts: dict[str, str],
) -> None:
    with pytest.raises(RecipeError, match=r"threshold='300'.*at most 255"):
        fft_tool.run(IMAGE, Recipe.parse({"threshold": "300", **texts}))


def test_channel_that_the_image_lacks_is_a_fault_of_the_recipe() -> None:
    with pytest.raises(RecipeError, match=r"channel='red'.*luma or one of: grey"):
        fft_tool.run(IMAGE, Recipe(channel="red"))


# Warming up.


def test_nothing_is_left_to_load_after_warming_up() -> None:
    """So that processes that fork share it all, and the first image is as fast as the second."""
    program = """
import io, sys
import fft_tool
from fft_tool.pipeline import warm_up
recipe = fft_tool.Recipe(metadata=True, bits=16)
image = fft_tool.Source("a.png", sys.stdin.buffer.read())
warm_up(recipe)
loaded = set(sys.modules)
fft_tool.run(image, recipe)
print(*sorted(set(sys.modules) - loaded))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], input=IMAGE.data, capture_output=True, check=True
    )
    assert done.stdout.split() == []


def test_saved_spectrum_is_a_plain_npz_for_everybody() -> None:
    outputs = run(noise((9, 14)), spectrum="yes", precision="double")
    with np.load(io.BytesIO(outputs["spectrum"].data), allow_pickle=False) as file:
        assert sorted(file.files) == ["half", "preparation", "shape"]
        assert file["shape"].tolist() == [9, 14]
        np.testing.assert_allclose(file["half"], np.fft.rfft2(noise((9, 14))), atol=1e-8)
