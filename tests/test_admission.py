"""Size of a run's artifacts: the estimate, compared with what is written, and the limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fft_tool
from fft_tool import Limits, Recipe, Source, pipeline
from fft_tool.admission import Tally, largest_output, output_size
from fft_tool.codec import image_file, png_encode
from fft_tool.codec.header import Header
from fft_tool.errors import CropOutside, TooMuchOutput
from fft_tool.results.outputs import Artifact, output_kinds
from tests.support.images import noise, pink_noise, png_of_zeros
from tests.support.recipes import recipes

LARGEST = (
    "bits=16 spectrum=yes precision=double histogram=yes filter=lowpass:3 crop=pct:0,0,100,100"
)
COLOURED = "colour=yes crop=square histogram=yes"
CORRECTED = "metadata=yes bits=16 window=hamming spectrum=yes"  # a few pixels need a correction
PERIODIC = "metadata=yes bits=16 periodic=yes spectrum=yes"
# Recipes that ask for every kind of artifact, in every size.
RECIPES = (
    *("", "metadata=yes", f"metadata=yes {LARGEST}", f"metadata=yes {COLOURED}", "phase=no"),
    *(CORRECTED, PERIODIC),
)


def bytes_of(outputs: fft_tool.Outputs) -> int:
    return sum(len(artifact.data) for artifact in outputs)


def estimated(source: Source, recipe: Recipe) -> int:
    header = image_file.open_image(source.data).header
    return output_size(header, recipe, output_kinds(recipe), name=source.name)


# The estimate


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (9, 700), (700, 9), (257, 1023)])
@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint8), (4, np.uint16)])
def test_the_estimate_is_never_below_what_is_written(
    recipe: str, shape: tuple[int, int], channels: int, dtype: Any
) -> None:
    """Noise compresses least."""
    pixels = noise((*shape, channels) if channels > 1 else shape, dtype)
    source, told = Source("a.png", png_encode.encode(pixels)), Recipe.parse_text(recipe)
    assert bytes_of(fft_tool.run(source, told)) <= estimated(source, told)


@given(
    recipe=recipes(),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=60),
)
@settings(deadline=None, max_examples=40)
def test_the_estimate_holds_for_any_recipe_and_name(
    recipe: Recipe, shape: tuple[int, int], name: str
) -> None:
    source = Source(name, png_encode.encode(noise(shape)))
    try:
        written = bytes_of(fft_tool.run(source, recipe))
    except fft_tool.FftToolError:
        return  # a crop that does not fit, a threshold above white
    assert written <= estimated(source, recipe)


@pytest.mark.parametrize("recipe", ["", "metadata=yes", "metadata=yes bits=16"])
def test_for_natural_images_the_estimate_is_at_most_twice_what_is_written(
    recipe: str, repository: Path
) -> None:
    told = Recipe.parse_text(recipe)
    names = ("landscape", "micrograph", "colour", "fabric_moire", "blurred")
    files = [(repository / "input_images" / f"{name}.png").read_bytes() for name in names]
    for data in (*files, png_encode.encode(pink_noise((1024, 768)))):
        source = Source("a.png", data)
        assert estimated(source, told) <= 2 * bytes_of(fft_tool.run(source, told))


def test_spectra_and_phase_pictures_do_not_compress_and_their_estimate_is_exact() -> None:
    source = Source("a.png", png_encode.encode(pink_noise((1000, 1000))))
    recipe = Recipe.parse_text("spectrum=yes precision=double")
    header = image_file.open_image(source.data).header
    outputs = fft_tool.run(source, recipe)
    for kind in ("spectrum", "phase"):
        assert output_size(header, recipe, [kind]) <= 1.03 * len(outputs[kind].data)


def test_rotated_images_are_estimated_by_their_upright_size() -> None:
    """The half spectrum of a wide image has another size than that of a tall one."""
    recipe, kinds = Recipe(spectrum=True, crop=None), ["spectrum"]
    lying = output_size(Header("jpeg", 300_000, 1, 1, 8, orientation=6), recipe, kinds)
    assert lying == output_size(Header("jpeg", 1, 300_000, 1, 8), recipe, kinds)
    assert lying > 8 * 300_000


@pytest.mark.parametrize("recipe", ["crop=0,0,9,9", "smart-crop=9,9"])
def test_a_crop_is_estimated_by_its_own_size(recipe: str) -> None:
    told = Recipe.parse_text(recipe)
    huge = Header("png", 100_000, 100_000, 4, 16)
    small = Header("png", 10, 10, 4, 16)
    assert output_size(huge, told, ["crop"]) == output_size(small, told, ["crop"])
    with pytest.raises(CropOutside, match="5 x 5"):
        output_size(Header("png", 5, 5, 4, 16), told, ["crop"])


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("pixels", [0, 1, 12_345, 10**10])
def test_the_largest_image_takes_no_less_than_any_of_its_size(recipe: str, pixels: int) -> None:
    told = Recipe.parse_text(recipe)
    most = largest_output(pixels, told, output_kinds(told))
    for height in (100, 1000, 5000):
        header = Header("png", pixels // height, height, 3, 8)
        if pixels >= 100 * height:
            assert output_size(header, told, output_kinds(told)) <= most


# The bound


def test_a_5_kb_file_that_would_give_348_mb_of_artifacts_is_rejected_before_decoding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: object) -> None:
        raise AssertionError("decoded before it was checked")

    monkeypatch.setattr(image_file.Encoded, "decode", refuse)
    source = Source("a.png", png_of_zeros(5900, 5900))
    recipe = Recipe.parse_text("spectrum=yes precision=double")
    assert len(source.data) < 5_000
    assert 348_000_000 < estimated(source, recipe) < 356_000_000
    with pytest.raises(TooMuchOutput, match="208,000,000 are allowed"):
        fft_tool.run(source, recipe, Limits(max_output_bytes=208_000_000))


@pytest.mark.parametrize("operation", ["run", "run_crop", "run_filter", "plan"])
def test_every_way_to_make_artifacts_checks_the_bound_before_decoding(
    operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source("a.png", png_encode.encode(noise((64, 64))))
    recipe = Recipe.parse_text("crop=square filter=lowpass:4")
    do = getattr(pipeline, operation)
    do(source, recipe, Limits(max_output_bytes=100_000))

    def refuse(_: object) -> None:
        raise AssertionError("decoded before it was checked")

    monkeypatch.setattr(image_file.Encoded, "decode", refuse)
    with pytest.raises(
        TooMuchOutput, match=r"up to .* bytes, at most 4,000 are allowed: ask for fewer"
    ):
        do(source, recipe, Limits(max_output_bytes=4_000))


@pytest.mark.parametrize("operation", ["run", "run_crop", "run_filter"])
def test_artifacts_are_counted_even_if_the_estimate_is_wrong(
    operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source("a.png", png_encode.encode(noise((64, 64))))
    recipe = Recipe.parse_text("crop=square filter=lowpass:4")
    monkeypatch.setattr("fft_tool.admission.output_size", lambda *_, **__: 0)
    with pytest.raises(TooMuchOutput):
        getattr(pipeline, operation)(source, recipe, Limits(max_output_bytes=1_000))


def test_statistics_have_no_artifacts_to_bound() -> None:
    source = Source("a.png", png_encode.encode(noise((64, 64))))
    assert pipeline.run_stats(source, Recipe(), Limits(max_output_bytes=0)).artifacts == ()


def test_counting_stops_at_the_first_artifact_that_is_too_much() -> None:
    made = []

    def artifacts() -> Any:
        for number in range(5):
            made.append(number)
            yield Artifact("phase", f"{number}.png", bytes(10))

    tally = Tally(Limits(max_output_bytes=25))
    with pytest.raises(TooMuchOutput):
        list(tally.checked(artifacts()))
    assert made == [0, 1, 2]


def test_the_count_continues_across_calls() -> None:
    tally = Tally(Limits(max_output_bytes=25))
    one = [Artifact("phase", "a.png", bytes(10))]
    assert [*tally.checked(one), *tally.checked(one)] == 2 * one
    with pytest.raises(TooMuchOutput):
        list(tally.checked(one))


def test_there_is_no_bound_by_default() -> None:
    Limits().check_output(1 << 60)
    Limits(max_output_bytes=5).check_output(5)
