"""Single steps, as a state machine takes them: each knows only JSON of the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fft_tool.errors import NotFound, Superseded
from fft_tool.limits import Limits
from fft_tool.stores.memory import MemoryStore
from fft_tool.workflows.manifest import manifest_step, reject
from fft_tool.workflows.plan import Plan
from fft_tool.workflows.run import planned, run_workflow
from fft_tool.workflows.steps import COMBINED, Step, analyse_step, process_step
from tests.support.images import png_bytes
from tests.support.workflows import FOLDER, NAME, PHOTO, files, photo, sources_with, worked


def by_json(step: Step) -> Step:
    """A step after its way through a payload of 256 KB."""
    text = json.dumps(step.to_json())
    assert len(text) < 10_000
    return Step.from_json(json.loads(text))


class State:
    """A workflow between its steps."""

    def __init__(self, **options: Any) -> None:
        self.sources, self.target = sources_with(**options), MemoryStore()
        self.plan = Plan.from_json(json.loads(json.dumps(planned(self.sources, NAME).to_json())))

    def process(self) -> Step:
        return by_json(process_step(self.sources, self.target, self.plan, Limits()))

    def analyse(self, which: Any, combined: str | None = None) -> Step:
        stores = self.sources, self.target
        step = analyse_step(*stores, self.plan, Limits(), which=which, combined_sha256=combined)
        return by_json(step)


@pytest.mark.parametrize("first", ["process", "analyse"])
def test_steps_in_either_order_give_what_the_whole_workflow_gives(first: str) -> None:
    state = State()
    if first == "process":
        processed, original = state.process(), state.analyse("original")
    else:
        original, processed = state.analyse("original"), state.process()
    combined = state.analyse("combined", processed.file(COMBINED).sha256)
    manifest = manifest_step(state.target, state.plan, processed, original, combined)
    expected, _ = worked(state.sources)
    assert files(state.target) == files(expected)
    assert manifest == json.loads(state.target.read(f"{FOLDER}/manifest.json").data)


def test_every_step_reads_the_version_of_its_plan() -> None:
    state = State()
    processed = state.process()
    state.sources.write(NAME, png_bytes(photo(seed=5)), metadata={"operations": "sepia"})
    for step in (
        state.process,
        lambda: state.analyse("original"),
        lambda: state.analyse("combined", processed.file(COMBINED).sha256),
    ):
        with pytest.raises(Superseded, match="overwritten since"):
            step()


def test_a_combined_image_of_another_run_is_not_analysed() -> None:
    state = State()
    state.process()
    with pytest.raises(Superseded, match="replaced by another run"):
        state.analyse("combined", "0" * 64)


def test_a_record_of_another_run_is_not_compared() -> None:
    state = State()
    processed, original = state.process(), state.analyse("original")
    combined = state.analyse("combined")
    place = f"{FOLDER}/combined_metadata.json"
    record = state.target.read(place).data
    state.target.write(place, record + b" ")
    with pytest.raises(Superseded, match="replaced by another run"):
        manifest_step(state.target, state.plan, processed, original, combined)
    del state.target.objects[place]
    with pytest.raises(Superseded, match="removed"):
        manifest_step(state.target, state.plan, processed, original, combined)


def test_steps_that_read_different_images_are_not_put_together() -> None:
    """A folder has no ETags, so that a file of the same size may have changed unseen."""
    state = State()
    processed, original = state.process(), state.analyse("original")
    combined = state.analyse("combined")
    other = Step("0" * 64, original.files)
    with pytest.raises(Superseded):
        manifest_step(state.target, state.plan, processed, other, combined)


def test_a_combined_image_that_has_vanished_is_made_again() -> None:
    state = State()
    state.process()
    del state.target.objects[f"{FOLDER}/combined.png"]
    with pytest.raises(Superseded, match="removed"):
        state.analyse("combined")


def test_sources_and_results_may_be_in_one_store() -> None:
    sources = sources_with()
    assert run_workflow(sources, sources, NAME).result == "done"
    expected, _ = worked(sources_with())
    assert files(sources) == {NAME: PHOTO, **files(expected)}


def test_a_missing_source_is_not_a_refusal() -> None:
    state = State()
    del state.sources.objects[NAME]
    with pytest.raises(NotFound):
        state.process()
    assert files(state.target) == {}


def test_a_refusal_can_be_written_with_a_plan_and_without() -> None:
    state = State()
    error = NotFound("gone")
    with_plan = reject(state.target, state.plan, error)
    assert with_plan["source"] == {"name": NAME, "bytes": state.plan.size, "sha256": None}
    without = reject(state.target, NAME, error)
    assert (without["source"], without["recipe"]) == (None, None)
    assert without["error"] == {"code": "not-found", "message": "gone"}
