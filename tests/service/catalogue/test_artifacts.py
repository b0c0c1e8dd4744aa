"""Artifacts: of the usual recipe, of others on demand, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from fft_tool import pipeline
from fft_tool.codec import image_file
from fft_tool.errors import RecipeError
from fft_tool.mask_files import resolve_masks
from fft_tool.recipe import KEYS, Recipe
from fft_tool.results.outputs import Source
from service.catalogue.artifacts import ANALYSIS, KINDS, NEEDED, find_artifact, recipe_for
from service.database.tables import ARTIFACTS
from service.errors import NotHere
from service.parts import Parts
from tests.support.images import png_bytes
from tests.support.service_assets import TENANT, add_asset, add_done, photo, rows


@pytest.mark.parametrize("kind", ["magnitude", "phase", "record", "histogram"])
def test_the_usual_artifacts_are_kept_and_not_made_again(
    parts: Parts, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_done(parts)
    monkeypatch.delattr(type(parts.workbench), "run")
    kept = find_artifact(parts, 1, kind, {}, TENANT)
    made = pipeline.run(Source("photo.png", photo()), ANALYSIS)
    expected = made["metadata" if kind == "record" else kind]
    assert parts.blobs.read(kept.sha256) == expected.data
    assert (kept.name, kept.content_type) == (expected.name, expected.content_type)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("magnitude", {"bits": "16"}),
        ("spectrum", {}),
        ("crop", {"crop": "square"}),
        ("filtered", {"filter": "lowpass:8"}),
        ("record", {"window": "hann"}),
    ],
)
def test_others_are_made_on_demand_as_the_core_makes_them(
    parts: Parts, kind: str, texts: dict[str, str]
) -> None:
    add_asset(parts)  # whose job has not begun
    kept = find_artifact(parts, 1, kind, texts, TENANT)
    recipe = recipe_for(kind, texts)
    made = pipeline.run(Source("photo.png", photo()), recipe)
    assert parts.blobs.read(kept.sha256) == made["metadata" if kind == "record" else kind].data
    kinds = {row["kind"] for row in rows(parts, ARTIFACTS)}
    assert kinds == {"record" if each.kind == "metadata" else each.kind for each in made}
    assert find_artifact(parts, 1, kind, texts, TENANT) == kept


def test_masks_are_refused_where_nobody_can_read_them(parts: Parts) -> None:
    add_asset(parts)
    with pytest.raises(RecipeError, match="masks are not accepted here"):
        find_artifact(parts, 1, "filtered", {"filter": "mask:repair.png"}, TENANT)
    assert rows(parts, ARTIFACTS) == []


def test_a_mask_that_can_be_read_filters_as_in_the_core(parts: Parts) -> None:
    add_asset(parts)
    pixels = image_file.decode(photo()).pixels
    mask = png_bytes(np.indices(pixels.shape[:2]).sum(axis=0).astype(np.uint8))
    texts = {"filter": "mask:repair.png"}
    kept = find_artifact(parts, 1, "filtered", texts, TENANT, read_mask=lambda _: mask)
    recipe = resolve_masks(recipe_for("filtered", texts), lambda _: mask)
    made = pipeline.run(Source("photo.png", photo()), recipe)
    assert parts.blobs.read(kept.sha256) == made["filtered"].data
    assert {row["recipe"] for row in rows(parts, ARTIFACTS)} == {str(recipe)}


def test_two_ways_to_write_a_recipe_are_one(parts: Parts) -> None:
    add_asset(parts)
    first = find_artifact(parts, 1, "magnitude", {"colour": "yes", "pixel_size": "0.5um"}, TENANT)
    again = find_artifact(parts, 1, "magnitude", {"pixel-size": "500nm", "color": "true"}, TENANT)
    assert first == again
    assert len({row["recipe"] for row in rows(parts, ARTIFACTS)}) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_asked_for(kind: str) -> None:
    """By itself, or with a key that needs a value; nothing else has to be known."""
    values = {"crop": {"crop": "square"}, "filtered": {"filter": "lowpass:8"}}
    recipe = recipe_for(kind, values.get(kind, {}))
    assert KINDS[kind].wanted(recipe)
    if kind in NEEDED:
        with pytest.raises(RecipeError, match=f"to get the artifact {kind}"):
            recipe_for(kind, {})
        assert set(NEEDED[kind]) <= {key.name for key in KEYS}


def test_what_was_asked_for_is_added_to_the_usual_recipe() -> None:
    assert recipe_for("magnitude", {}) == ANALYSIS
    expected = Recipe(metadata=True, histogram=True, bits=16, spectrum=True)
    assert recipe_for("spectrum", {"bits": "16"}) == expected


def test_what_contradicts_the_usual_recipe_is_a_fault() -> None:
    with pytest.raises(RecipeError, match="colour='yes': requires bits=8"):
        recipe_for("spectrum", {"bits": "16", "colour": "yes"})


def test_a_key_that_contradicts_the_kind_is_a_fault() -> None:
    with pytest.raises(RecipeError, match="should be yes, or left out"):
        recipe_for("histogram", {"histogram": "no"})


def test_all_faults_of_a_recipe_are_told_together() -> None:
    with pytest.raises(RecipeError) as caught:
        recipe_for("magnitude", {"bits": "12", "windw": "hann", "crop": "?"})
    assert {fault.key for fault in caught.value.faults} == {"bits", "windw", "crop"}
    assert "did you mean window" in str(caught.value)


@pytest.mark.parametrize("kind", ["magnitud", "metadata", "", "../record"])
def test_an_unknown_kind_is_answered_with_those_that_there_are(parts: Parts, kind: str) -> None:
    add_asset(parts)
    with pytest.raises(NotHere, match="magnitude, record"):
        find_artifact(parts, 1, kind, {}, TENANT)


def test_what_others_have_is_not_here(parts: Parts) -> None:
    add_done(parts)
    with pytest.raises(NotHere, match="there is no asset 1"):
        find_artifact(parts, 1, "magnitude", {}, "other")
