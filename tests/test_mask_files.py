"""Masks of recipes and their files: what is read, when, and what is told of files that are bad."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import fft_tool as ft
from fft_tool import pipeline
from fft_tool.errors import RecipeError
from fft_tool.mask_files import no_masks, read_file, resolve_masks
from fft_tool.recipe import Recipe
from fft_tool.spectrum.masks import LARGEST_FILE, MaskFile
from tests.support.images import noise, png_bytes
from tests.support.planes import read_png, source

IMAGE = noise((24, 32))
MASK = png_bytes(noise((24, 32), seed=2))
DIGEST = hashlib.sha256(MASK).hexdigest()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "repair.png").write_bytes(MASK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_parsing_reads_nothing_and_each_mask_is_read_once() -> None:
    recipe = Recipe.parse({"filter": "mask:a.png+lowpass:3+mask:b.png+mask:a.png"})
    read: list[str] = []

    def note(mask: MaskFile) -> bytes:
        read.append(mask.file)
        return mask.file.encode()

    resolved = resolve_masks(recipe, note)
    assert read == ["a.png", "b.png"]
    assert resolve_masks(resolved, no_masks) == resolved
    digests = [hashlib.sha256(name.encode()).hexdigest() for name in ("a.png", "b.png", "a.png")]
    assert str(resolved) == "filter=mask:a.png,{}+lowpass:3+mask:b.png,{}+mask:a.png,{}".format(
        *digests
    )


def test_the_text_of_a_resolved_recipe_is_the_same_recipe_and_hashed() -> None:
    one = resolve_masks(Recipe(filter="mask:x/a.png"), lambda _: b"1")
    other = resolve_masks(Recipe(filter="mask:x/a.png"), lambda _: b"2")
    again = Recipe.parse_text(str(one))
    assert again == one
    assert again.sha256 == one.sha256 != other.sha256
    assert resolve_masks(again, lambda _: b"1") == one
    with pytest.raises(RecipeError, match="is not the mask that is asked for"):
        resolve_masks(again, lambda _: b"2")


def test_a_resolved_recipe_can_be_pickled_with_its_masks() -> None:
    recipe = resolve_masks(Recipe(filter="mask:a.png"), lambda _: MASK)
    made = pickle.loads(pickle.dumps(recipe))  # noqa: S301  (our own data)
    assert made == recipe
    outputs = [pipeline.run(source(IMAGE), each) for each in (recipe, made)]
    assert outputs[0]["filtered"].data == outputs[1]["filtered"].data


def test_the_spelling_of_file_names_is_left_alone() -> None:
    for recipe in (
        Recipe(filter="mask:gray/color.png"),
        Recipe.parse_text("filter=mask:gray/color.png"),
    ):
        assert str(recipe) == "filter=mask:gray/color.png"


def test_every_mask_that_cannot_be_read_is_told_of() -> None:
    with pytest.raises(RecipeError) as caught:
        resolve_masks(Recipe(filter="mask:a.png+lowpass:8+mask:b.png"), no_masks)
    assert [fault.value for fault in caught.value.faults] == ["mask:a.png", "mask:b.png"]


@pytest.mark.parametrize("operation", ["run", "plan", "run_crop", "run_filter", "run_stats"])
def test_a_recipe_whose_masks_were_not_read_cannot_run(operation: str) -> None:
    for text in ("mask:a.png", f"mask:a.png,{DIGEST}"):
        with pytest.raises(RecipeError, match="its file has not been read yet"):
            getattr(pipeline, operation)(source(IMAGE), Recipe(filter=text, crop="square"))


# Files


@pytest.mark.usefixtures("folder")
def test_files_are_read_relative_to_the_working_directory() -> None:
    for name in (
        "masks/repair.png",
        f"masks/repair.png,{DIGEST}",
        f"{Path('masks').resolve()}/repair.png",
    ):
        assert str(resolve_masks(Recipe(filter=f"mask:{name}"), read_file)) == (
            f"filter=mask:repair.png,{DIGEST}"
        )


def test_files_that_cannot_be_read_are_told_of(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "large.png").touch()
    os.truncate(folder / "large.png", LARGEST_FILE + 1)
    for name, told in {
        "nowhere.png": "there is no such file: name one relative to the working directory",
        "masks": "it is not a file",
        "pipe": "it is not a file",
        "masks/repair.png/x": "the file cannot be read: Not a directory",
        "large.png": "the file has 268,435,457 bytes, at most",
    }.items():
        with pytest.raises(RecipeError, match=f"filter='mask:{name}': {told}"):
            resolve_masks(Recipe(filter=f"mask:{name}"), read_file)


# The library


@pytest.mark.usefixtures("folder")
def test_the_library_reads_masks_and_takes_arrays() -> None:
    outputs = ft.analyze(IMAGE, filter="mask:masks/repair.png", metadata=True, precision="double")
    assert outputs.record is not None
    assert outputs.record["recipe"]["values"]["filter"] == f"mask:repair.png,{DIGEST}"
    spectrum = ft.transform(IMAGE, precision="double")
    by_file = ft.inverse(ft.apply_filter(spectrum, "mask:masks/repair.png"))
    by_array = ft.inverse(ft.apply_filter(spectrum, read_png(MASK)))
    np.testing.assert_array_equal(by_file, by_array)
    expected = np.clip(np.rint(by_array), 0, 255)
    np.testing.assert_array_equal(read_png(outputs["filtered"].data), expected)


@pytest.mark.usefixtures("folder")
def test_masks_of_another_shape_are_refused_in_the_library() -> None:
    spectrum = ft.transform(noise((24, 30)))
    with pytest.raises(
        ValueError, match=r"mask of shape \(24, 32\) for an image of shape \(24, 30\)"
    ):
        ft.apply_filter(spectrum, read_png(MASK))
    for call in (
        lambda: ft.apply_filter(spectrum, "mask:masks/repair.png"),
        lambda: ft.analyze(noise((24, 30)), filter="mask:masks/repair.png"),
    ):
        with pytest.raises(
            RecipeError, match="has 32 x 24 pixels, but what is filtered has 30 x 24"
        ):
            call()
