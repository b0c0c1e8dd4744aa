"""The pipeline: reproducible bytes, the right artifacts in the right order, and errors."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fft_tool
from fft_tool import Limits, Outputs, Recipe, Source
from fft_tool.codec import image_file
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
from fft_tool.pipeline import plan, run_crop, run_filter, run_stats
from tests.support.images import noise, png_bytes
from tests.support.planes import source
from tests.support.recipes import recipes
from tests.support.runs import EVERYTHING, record_of, run

ORDER = ["crop", "histogram", "filtered", "spectrum", "phase", "magnitude", "metadata"]


def kinds(outputs: Outputs) -> list[str]:
    return [artifact.kind for artifact in outputs]


def contents(outputs: Outputs) -> list[tuple[str, bytes]]:
    return [(artifact.name, artifact.data) for artifact in outputs]


# Same source, same recipe, same bytes.


@pytest.mark.parametrize("texts", [{}, {"periodic": "yes", "metadata": "yes"}, {"colour": "yes"}])
def test_any_number_of_threads_gives_the_same_bytes(texts: dict[str, str]) -> None:
    image = source(noise((700, 900, 3)))
    recipe = Recipe.parse(texts)
    alone = contents(fft_tool.run(image, recipe))
    for threads in (2, 3):
        assert contents(fft_tool.run(image, recipe, threads=threads)) == alone


def test_all_artifacts_are_the_same_bytes_for_any_number_of_threads_and_every_time() -> None:
    image = source(noise((500, 700, 4), white=65535))
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


def test_steps_are_reported_as_they_begin() -> None:
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


def test_all_artifacts_are_in_order_with_the_record_last() -> None:
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


# What is rejected, and when.


@pytest.fixture
def _nothing_may_be_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> NoReturn:
        raise AssertionError("decoded before it was checked")

    monkeypatch.setattr(image_file.Encoded, "decode", refuse)


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
def test_limits_are_checked_before_anything_is_decoded(
    limits: Limits, error: type[Exception]
) -> None:
    for operation in (fft_tool.run, plan, run_crop, run_filter, run_stats):
        with pytest.raises(error):
            operation(IMAGE, Recipe.parse({"crop": "square", "filter": "lowpass:4"}), limits)


@pytest.mark.usefixtures("_nothing_may_be_decoded")
def test_plan_decodes_nothing() -> None:
    assert plan(IMAGE, Recipe()) == ("image_phase.png", "image_magnitude.png")


def test_image_at_the_limits_is_accepted() -> None:
    limits = Limits(max_pixels=64 * 48, max_bytes=len(IMAGE.data), max_memory=200 << 20)
    assert kinds(fft_tool.run(IMAGE, Recipe(), limits)) == ["phase", "magnitude"]


def test_limits_apply_to_sources_and_not_to_their_pictures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With limits above the default, the resulting pictures can still be certified."""
    accepted = Limits()
    monkeypatch.setattr(image_file, "Limits", lambda: Limits(max_pixels=100, max_bytes=100))
    outputs = fft_tool.run(IMAGE, Recipe(bits=16, metadata=True), accepted)
    assert record_of(outputs)["certificate"]["exact"]


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"", EmptyImage), (b"hello", UnknownFormat), (IMAGE.data[:-9], CorruptImage)],
)
def test_invalid_sources_are_rejected(data: bytes, error: type[Exception]) -> None:
    for operation in (fft_tool.run, plan):
        with pytest.raises(error):
            operation(Source("x.png", data), Recipe())


@pytest.mark.parametrize("texts", [{"crop": "40,0,20,5"}, {"smart-crop": "60,60"}])
def test_a_crop_outside_the_image_is_rejected(texts: dict[str, str]) -> None:
    with pytest.raises(CropOutside, match="48 x 64"):
        fft_tool.run(IMAGE, Recipe.parse(texts))


@pytest.mark.parametrize("texts", [{"metadata": "yes"}, {"histogram": "yes"}])
def test_a_threshold_above_the_image_s_white_is_an_error_in_the_recipe(
    texts: dict[str, str],
) -> None:
    with pytest.raises(RecipeError, match=r"threshold='300'.*at most 255"):
        fft_tool.run(IMAGE, Recipe.parse({"threshold": "300", **texts}))


def test_a_channel_that_the_image_lacks_is_an_error_in_the_recipe() -> None:
    with pytest.raises(RecipeError, match=r"channel='red'.*luma or one of: grey"):
        fft_tool.run(IMAGE, Recipe(channel="red"))


# Warming up.


def test_nothing_is_left_to_load_after_warming_up() -> None:
    """So that forked processes share all modules, and the first image is as fast as the second."""
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
