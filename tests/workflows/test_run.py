"""The workflow from store to store: what it makes, and that it converges."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

import fft_tool as ft
from fft_tool.errors import NotFound, StoreUnavailable, Superseded
from fft_tool.limits import Limits
from fft_tool.operations.registry import parse_operations
from fft_tool.operations.run import run_operations
from fft_tool.recipe import Recipe
from fft_tool.results.outputs import Source
from fft_tool.results.reconstruct import reconstruct
from fft_tool.runs.reading import find_entries
from fft_tool.stores.memory import MemoryStore
from fft_tool.workflows.manifest import schema
from fft_tool.workflows.plan import Plan
from fft_tool.workflows.requests import SIDECAR
from fft_tool.workflows.run import MOST_RESTARTS, planned, run_workflow
from fft_tool.workflows.steps import Work
from tests.support.faulty import FAULTY, Faulty
from tests.support.images import noise, png_bytes
from tests.support.workflows import (
    ASKED,
    FOLDER,
    NAME,
    PHOTO,
    files,
    manifest_in,
    photo,
    sources_with,
    worked,
)

VALID = Draft202012Validator(schema())
FILES = [
    *("independent/1-grayscale.png", "independent/2-blur.png", "independent/3-sepia.png"),
    "combined.png",
    *("original_histogram.png", "original_magnitude.png", "original_metadata.json"),
    *("combined_histogram.png", "combined_magnitude.png", "combined_metadata.json"),
]


def listed(manifest: Mapping[str, Any]) -> list[str]:
    return [file["name"] for file in manifest["files"]]


# What is made


def test_the_folder_holds_what_the_manifest_lists_and_nothing_else() -> None:
    target, outcome = worked(sources_with())
    assert outcome.result == "done"
    manifest = manifest_in(target)
    assert listed(manifest) == FILES
    assert set(files(target)) == {f"{FOLDER}/{name}" for name in [*FILES, "manifest.json"]}
    assert list(outcome.outputs) == [f"{FOLDER}/{name}" for name in [*FILES, "manifest.json"]]
    for file in manifest["files"]:
        data = files(target)[f"{FOLDER}/{file['name']}"]
        assert (file["bytes"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    VALID.validate(manifest)


def test_images_are_those_that_the_operations_make() -> None:
    target, _ = worked(sources_with())
    for artifact in run_operations(Source(NAME, PHOTO), parse_operations(ASKED["operations"])):
        assert files(target)[f"{FOLDER}/{artifact.name}"] == artifact.data


def test_analyses_are_those_of_the_original_and_the_combined_image() -> None:
    target, _ = worked(sources_with())
    made = files(target)
    recipe = Recipe.parse({"metadata": "yes", "histogram": "yes", "phase": "no"})
    for source in (
        Source(NAME, PHOTO, base=f"{FOLDER}/original"),
        Source(f"{FOLDER}/combined.png", made[f"{FOLDER}/combined.png"]),
    ):
        for artifact in ft.run(source, recipe):
            assert made[artifact.name] == artifact.data


def test_the_record_of_the_original_names_the_true_source_and_the_files_beside_it() -> None:
    target, _ = worked(sources_with())
    record = json.loads(target.read(f"{FOLDER}/original_metadata.json").data)
    assert record["source"]["name"] == NAME
    assert record["source"]["sha256"] == hashlib.sha256(PHOTO).hexdigest()
    for artifact in record["artifacts"]:
        data = target.read(artifact["name"]).data
        assert artifact["sha256"] == hashlib.sha256(data).hexdigest()


def test_the_manifest_compares_before_with_after() -> None:
    target, _ = worked(sources_with())
    manifest = manifest_in(target)
    before, after = manifest["before"], manifest["after"]
    luma = ft.analyze(PHOTO, metadata=True).record
    assert luma is not None
    assert before["mean"] == luma["statistics"]["grey"]["mean"]
    assert before["contrast"] == luma["statistics"]["grey"]["standard_deviation"] / 255
    slope = luma["measures"]["slope"]
    assert before["slope"]["low"] == pytest.approx(slope["beta"] - 1.96 * slope["error"])
    assert after["sharpness"]["laplacian_variance"] < before["sharpness"]["laplacian_variance"] / 10
    assert after["slope"] is None, "a blur leaves too few rings with power"


def test_psnr_equals_that_of_the_grey_planes() -> None:
    grey = photo()[..., 0]
    sources = sources_with(png_bytes(grey), {"operations": "blur:1"})
    target, _ = worked(sources)
    manifest = manifest_in(target)
    combined = ft.decode(target.read(f"{FOLDER}/combined.png").data).pixels[..., 0]
    assert manifest["psnr_db"] == pytest.approx(ft.compare(grey, combined).psnr)
    assert (manifest["psnr_white"], manifest["psnr_note"]) == (255, None)


@pytest.mark.parametrize(
    ("operations", "white", "note"),
    [
        ("crop:0,0,20,20", None, "the two images differ in size"),
        ("rotate:90", None, "the two images differ in size"),
        ("invert,invert", 255, "the two images have the same grey levels"),
    ],
)
def test_where_there_is_no_psnr_the_manifest_says_why(
    operations: str, white: int | None, note: str
) -> None:
    target, _ = worked(sources_with(asked={"operations": operations}))
    manifest = manifest_in(target)
    assert (manifest["psnr_db"], manifest["psnr_white"]) == (None, white)
    assert manifest["psnr_note"] == note
    VALID.validate(manifest)


def test_other_keys_of_the_recipe_are_followed() -> None:
    asked = {**ASKED, "phase": "yes", "bits": "16", "crop": "0,0,32,32", "spectrum": "yes"}
    target, outcome = worked(sources_with(asked=asked))
    assert outcome.result == "done"
    manifest = manifest_in(target)
    assert {"original_crop.png", "original_phase.png", "combined_spectrum.npz"} <= {
        *listed(manifest)
    }
    assert (manifest["before"]["width"], manifest["after"]["height"]) == (32, 32)
    VALID.validate(manifest)


@pytest.mark.parametrize("which", ["original", "combined"])
def test_images_can_be_reconstructed_from_the_records_in_the_folder(which: str) -> None:
    target, _ = worked(sources_with(asked={**ASKED, "phase": "yes", "bits": "16"}))

    def read(name: str) -> bytes:
        return target.read(f"{FOLDER}/{name}").data

    restored = reconstruct(f"{which}_metadata.json", read)
    assert restored.exact is True


def test_a_report_finds_both_records_and_their_pictures() -> None:
    target, _ = worked(sources_with())
    entries = [ref.read() for ref in find_entries(target)]
    assert [entry.record["source"]["name"] for entry in entries] == [f"{FOLDER}/combined.png", NAME]
    assert all("magnitude" in entry.pictures for entry in entries)


def test_frame_and_range_are_those_of_the_original_only() -> None:
    values = np.linspace(-1, 1, 48 * 32, dtype=np.float32).reshape(32, 48)
    array = _npy(values)
    sources = sources_with(array, {"operations": "invert", "range": "-2,2"}, "field.npy")
    target, outcome = worked(sources, "field.npy")
    assert outcome.error is None
    manifest = manifest_in(target, "field.npy")
    assert manifest["before"]["maximum"] == pytest.approx(65535 * 3 / 4, abs=1)
    assert manifest["after"]["minimum"] == pytest.approx(65535 / 4, abs=1)
    assert manifest["psnr_db"] is not None


def _npy(values: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def test_sixteen_bits_stay_sixteen_bits() -> None:
    target, _ = worked(sources_with(png_bytes(noise((32, 32), np.uint16)), {"operations": "blur"}))
    manifest = manifest_in(target)
    assert (manifest["before"]["white"], manifest["after"]["white"]) == (65535, 65535)


def test_a_sidecar_is_followed() -> None:
    sources = sources_with(asked={})
    sources.write(NAME + SIDECAR, b'{"operations": "sepia", "window": "hann"}')
    target, outcome = worked(sources)
    assert outcome.result == "done"
    assert manifest_in(target)["operations"] == {"text": "sepia", "list": ["sepia"]}
    assert "window=hann" in manifest_in(target)["recipe"]["text"]


# Convergence


def test_started_twice_the_workflow_ends_in_the_same_state() -> None:
    sources = sources_with()
    target, _ = worked(sources)
    once = files(target)
    worked(sources)
    other, _ = worked(sources_with(), work=Work(threads=2))
    assert files(other) == once


@pytest.mark.parametrize("writes", range(11))
def test_ended_after_any_write_it_has_no_manifest_and_is_completed_by_the_next_run(
    writes: int,
) -> None:
    class Ending(MemoryStore):
        left = writes

        def write(self, name: str, *args: Any, **options: Any) -> None:
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            super().write(name, *args, **options)

    sources, target = sources_with(), Ending()
    with pytest.raises(KeyboardInterrupt):
        run_workflow(sources, target, NAME)
    assert f"{FOLDER}/manifest.json" not in target.objects
    target.left = -1
    run_workflow(sources, target, NAME)
    assert files(target) == files(worked(sources)[0])


class Meddling(Work):
    """Calls a function once, at the start of one of the steps."""

    def __init__(self, step: str, meddle: Any, *, times: int = 1) -> None:
        super().__init__()
        self._step, self._meddle, self._left = step, meddle, times

    def _maybe(self, step: str) -> None:
        if step == self._step and self._left:
            self._left -= 1
            self._meddle()

    def operate(self, *args: Any) -> Any:
        self._maybe("operate")
        return super().operate(*args)

    def analyse(self, *args: Any) -> Any:
        self._maybe("analyse")
        return super().analyse(*args)

    def compare(self, *args: Any) -> Any:
        self._maybe("compare")
        return super().compare(*args)


@pytest.mark.parametrize("step", ["operate", "analyse", "compare"])
def test_a_source_that_is_overwritten_in_between_is_processed_again(step: str) -> None:
    sources = sources_with()
    newer = png_bytes(photo(seed=9))

    def overwrite() -> None:
        sources.write(NAME, newer, metadata={"operations": "sepia"})

    target, outcome = worked(sources, work=Meddling(step, overwrite))
    assert outcome.result == "done"
    expected, _ = worked(sources)
    manifest = manifest_in(target)
    assert manifest == manifest_in(expected)
    for name in listed(manifest):
        assert files(target)[f"{FOLDER}/{name}"] == files(expected)[f"{FOLDER}/{name}"]


def test_other_operations_for_the_same_bytes_are_a_later_version() -> None:
    sources = sources_with()

    def ask_for_other_operations() -> None:
        stored = sources.objects[NAME]
        sources.write(NAME, PHOTO, metadata={"operations": "invert"})
        stat = sources.objects[NAME].stat
        object.__setattr__(stat, "etag", stored.stat.etag)

    target, _ = worked(sources, work=Meddling("compare", ask_for_other_operations))
    assert manifest_in(target)["operations"]["text"] == "invert"


def test_a_source_that_never_stands_still_is_given_up_to_be_retried() -> None:
    sources = sources_with()
    count = 0

    def overwrite() -> None:
        nonlocal count
        count += 1
        sources.write(NAME, PHOTO, metadata=ASKED)

    _, outcome = worked(sources, work=Meddling("operate", overwrite, times=100))
    assert outcome.result == "failed"
    assert isinstance(outcome.error, Superseded)
    assert outcome.error.transient
    assert count <= 1 + MOST_RESTARTS


def test_results_of_another_run_in_between_are_not_mixed_with_those_of_this_one() -> None:
    """The other run has the same source, but another combined image: its record is replaced."""
    sources = sources_with()
    target = MemoryStore()
    spoilt = False

    class Spoiling(Work):
        def compare(self, *args: Any) -> Any:
            nonlocal spoilt
            if not spoilt:
                spoilt = True
                target.write(f"{FOLDER}/original_metadata.json", b"{}")
            return super().compare(*args)

    outcome = run_workflow(sources, target, NAME, work=Spoiling())
    assert outcome.result == "done"
    assert files(target) == files(worked(sources)[0])


def test_a_source_that_is_deleted_leaves_no_trace_and_no_refusal() -> None:
    sources = sources_with()
    del sources.objects[NAME]
    target, outcome = worked(sources)
    assert outcome.result == "missing"
    assert isinstance(outcome.error, NotFound)
    assert files(target) == {}


# Refusals


def refused(sources: MemoryStore, **options: Any) -> dict[str, Any]:
    """The manifest of a workflow that is refused, which fulfils the schema."""
    target, outcome = worked(sources, **options)
    assert outcome.result == "rejected"
    manifest = manifest_in(target)
    VALID.validate(manifest)
    assert outcome.error is not None
    assert manifest["error"] == {"code": outcome.error.code, "message": str(outcome.error)}
    assert manifest["files"] == []
    return manifest


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ({"operations": "rotate:abc"}, "bad-operations", "ANGLE should be a number, not 'abc'"),
        ({"operations": "gryscale"}, "bad-operations", "did you mean greyscale"),
        ({"operations": ",".join(["blur"] * 100)}, "bad-operations", "100 operations, at most 20"),
        ({}, "bad-operations", "no operations"),
        ({**ASKED, "windw": "hann"}, "bad-recipe", "did you mean window"),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_image_is_read(
    asked: dict[str, str], code: str, message: str
) -> None:
    class Unread(Work):
        def operate(self, *_: Any) -> Any:
            raise AssertionError

        def analyse(self, *_: Any) -> Any:
            raise AssertionError

    manifest = refused(sources_with(asked=asked), work=Unread())
    assert manifest["error"]["code"] == code
    assert message in manifest["error"]["message"]
    assert (manifest["source"], manifest["operations"]) == (None, None)


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ("crop:30,0,40,10", "crop-outside"),
        ("resize:60000,60000", "too-many-pixels"),
        ("grayscale,crop:0,0,4,4,crop:0,0,5,5", "crop-outside"),
    ],
)
def test_operations_that_do_not_suit_the_image_are_refused(operations: str, code: str) -> None:
    manifest = refused(sources_with(asked={"operations": operations}))
    assert manifest["error"]["code"] == code
    assert manifest["source"]["name"] == NAME
    assert manifest["operations"]["text"] == operations


@pytest.mark.parametrize("image", FAULTY, ids=lambda image: image.name)
def test_every_faulty_image_is_refused(image: Faulty) -> None:
    manifest = refused(sources_with(image.data))
    assert manifest["source"]["bytes"] == len(image.data)


def test_a_region_that_the_combined_image_no_longer_has_is_refused_by_name() -> None:
    manifest = refused(sources_with(asked={"operations": "crop:0,0,8,8", "crop": "0,0,20,20"}))
    assert "the combined image: the crop" in manifest["error"]["message"]


def test_a_refusal_replaces_the_manifest_of_an_earlier_version() -> None:
    sources = sources_with()
    target, _ = worked(sources)
    sources.write(NAME, b"not an image", metadata=ASKED)
    assert run_workflow(sources, target, NAME).result == "rejected"
    assert manifest_in(target)["outcome"] == "rejected"


def test_limits_hold_in_every_step() -> None:
    manifest = refused(sources_with(), limits=Limits(max_pixels=40 * 56 - 1))
    assert manifest["error"]["code"] == "too-many-pixels"
    manifest = refused(sources_with(), limits=Limits(max_bytes=len(PHOTO) - 1))
    assert manifest["error"]["code"] == "too-many-bytes"
    manifest = refused(sources_with(), limits=Limits(max_output_bytes=1000))
    assert manifest["error"]["code"] == "too-much-output"


def test_a_store_that_does_not_answer_is_no_refusal() -> None:
    class Away(MemoryStore):
        def write(self, name: str, *args: Any, **options: Any) -> None:
            if name.endswith("combined.png"):
                raise StoreUnavailable("slow")
            super().write(name, *args, **options)

    target = Away()
    outcome = run_workflow(sources_with(), target, NAME)
    assert outcome.result == "failed"
    assert f"{FOLDER}/manifest.json" not in target.objects


def test_the_plan_comes_from_the_metadata_by_default() -> None:
    plan = planned(sources_with(), NAME)
    assert isinstance(plan, Plan)
    assert ",".join(map(str, plan.operations)) == ASKED["operations"]
