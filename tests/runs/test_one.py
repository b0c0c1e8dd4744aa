"""Processing of one source from store to store: order of writes, and handling of errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fft_tool import pipeline
from fft_tool.errors import FftToolError, NotAllowed, StoreUnavailable, TooManyBytes, UnknownFormat
from fft_tool.limits import MIB, Limits
from fft_tool.recipe import Recipe
from fft_tool.results.outputs import Source
from fft_tool.runs.one import Analysed, Input, Outcome, process
from fft_tool.stores.base import Stat
from tests.support.images import noise, png_bytes
from tests.support.samples import NotedStore

IMAGE = png_bytes(noise((12, 16)))
RECORDED = Recipe(metadata=True)
RECORD = "a_metadata.json"


def analyse(source: Source, recipe: Recipe) -> Analysed:
    outputs = pipeline.run(source, recipe)
    return Analysed(outputs.artifacts, outputs.record)


def run(
    data: bytes = IMAGE,
    recipe: Recipe | Callable[[Stat], Recipe] = RECORDED,
    limits: Limits | None = None,
    *,
    target: NotedStore | None = None,
    work: Callable[[Source, Recipe], Analysed | None] = analyse,
    **options: Any,
) -> tuple[Outcome, NotedStore, NotedStore]:
    """The outcome, and the source and target stores."""
    store, written = NotedStore({"key": data}), target if target is not None else NotedStore()
    source = Input(store, "key", "a.png")
    return process(source, written, recipe, limits or Limits(), work, **options), store, written


def error_of(outcome: Outcome) -> FftToolError:
    assert outcome.error is not None
    return outcome.error


@pytest.mark.parametrize("writers", [1, 4])
def test_the_record_is_written_last(writers: int) -> None:
    outcome, _, written = run(writers=writers)
    assert outcome.result == "done"
    assert outcome.outputs == ("a_phase.png", "a_magnitude.png", RECORD)
    assert written.calls[-1] == f"write {RECORD}"
    assert set(written.objects) == set(outcome.outputs)


def test_without_a_target_the_artifacts_are_in_the_outcome() -> None:
    source = Input(NotedStore({"key": IMAGE}), "key", "a.png")
    outcome = process(source, None, RECORDED, Limits(), analyse)
    assert [artifact.name for artifact in outcome.artifacts][-1] == RECORD
    assert outcome.outputs == ()


def test_the_recipe_may_be_derived_from_the_metadata_of_the_source() -> None:
    store = NotedStore()
    store.upload("key", IMAGE, crop="square")

    def recipe(stat: Stat) -> Recipe:
        return Recipe.parse(stat.metadata, base=RECORDED)

    source = Input(store, "key", "a.png")
    outcome = process(source, NotedStore(), recipe, Limits(), analyse)
    assert outcome.record is not None
    assert outcome.record["recipe"]["text"] == "crop=square metadata=yes"


def test_steps_are_reported_as_they_begin() -> None:
    told: list[str] = []
    run(on_step=told.append)
    assert told == ["read", "write"]


@pytest.mark.parametrize(
    ("limits", "copies", "code"),
    [
        (Limits(max_bytes=10), 1, "too-many-bytes"),
        (Limits(max_memory=80 * MIB), 1, "too-much-memory"),
        (Limits(max_memory=80 * MIB + len(IMAGE)), 2, "too-much-memory"),
    ],
)
def test_a_source_is_rejected_for_its_size_before_its_content_is_fetched(
    limits: Limits, copies: int, code: str
) -> None:
    outcome, store, written = run(limits=limits, copies=copies)
    record = json.loads(written.objects[RECORD].data)
    assert (outcome.result, error_of(outcome).code) == ("rejected", code)
    assert (record["outcome"], record["error"]["code"]) == ("rejected", code)
    assert record["source"] == {"name": "a.png", "bytes": len(IMAGE), "sha256": None}
    assert "fetch key" not in store.calls


def test_a_recipe_that_cannot_be_read_leaves_a_record() -> None:
    outcome, _, written = run(recipe=lambda _: Recipe.parse({"bits": "12"}))
    record = json.loads(written.objects[RECORD].data)
    assert (outcome.result, record["error"]["code"]) == ("rejected", "bad-recipe")
    assert record["recipe"] is None


@pytest.mark.parametrize(
    ("recipe", "before", "recorded", "left"),
    [
        (RECORDED, False, True, True),
        (Recipe(), False, True, False),
        (Recipe(), True, True, True),
        (Recipe(), True, False, False),
    ],
    ids=["asked for", "not asked for", "there before", "another kind of work"],
)
def test_a_rejection_writes_a_record_if_one_is_requested_or_present(
    recipe: Recipe, before: bool, recorded: bool, left: bool
) -> None:
    target = NotedStore({RECORD: b"yesterday's"} if before else None)
    outcome, _, _ = run(b"no image", recipe, target=target, recorded=recorded)
    assert outcome.result == "rejected"
    assert outcome.outputs == ((RECORD,) if left else ())
    assert (b"rejected" in target.objects[RECORD].data if target.objects else False) is left


@pytest.mark.parametrize("call", ["write a_phase.png", f"write {RECORD}"])
@pytest.mark.parametrize("error", [StoreUnavailable("later"), NotAllowed("no")])
def test_an_error_of_the_target_is_a_failure(call: str, error: FftToolError) -> None:
    target = NotedStore()

    def meddle(asked: str) -> None:
        if asked == call:
            raise error

    target.meddle = meddle
    outcome, _, _ = run(target=target)
    assert (outcome.result, outcome.error) == ("failed", error)
    assert RECORD not in target.objects


def test_a_rejection_that_cannot_be_written_is_a_failure() -> None:
    target = NotedStore()

    def meddle(asked: str) -> None:
        if asked.startswith("write"):
            raise StoreUnavailable("later")

    target.meddle = meddle
    outcome, _, _ = run(b"no image", target=target)
    assert (outcome.result, error_of(outcome).code) == ("failed", "store-unavailable")


def test_a_source_that_is_not_there_is_missing_and_nothing_is_written() -> None:
    written = NotedStore()
    source = Input(NotedStore(), "key", "a.png")
    outcome = process(source, written, RECORDED, Limits(), analyse)
    assert (outcome.result, error_of(outcome).code) == ("missing", "not-found")
    assert written.calls == []


def test_existing_results_are_skipped() -> None:
    outcome, _, written = run(work=lambda _source, _recipe: None)
    assert (outcome.result, written.objects) == ("skipped", {})


def test_a_bug_is_raised() -> None:
    def broken(_source: Source, _recipe: Recipe) -> Analysed:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(work=broken)


def test_the_json_of_an_outcome_says_what_went_wrong() -> None:
    outcome = Outcome("a.png", "rejected", error=TooManyBytes("too many"))
    error = {"code": "too-many-bytes", "message": "too many"}
    assert outcome.to_json() == {
        "source": "a.png",
        "outcome": "rejected",
        "outputs": [],
        "exact": None,
        "error": error,
    }


@pytest.mark.parametrize(("size", "looks"), [(17 * MIB, 1), (4, 0)])
def test_a_large_source_is_looked_at_before_it_is_fetched(size: int, looks: int) -> None:
    looked = []

    def refuse(source: Input) -> None:
        looked.append(source.name)
        raise UnknownFormat("not an image")

    outcome, _, target = run(bytes(size), check_start=refuse)
    assert outcome.error is not None
    assert (outcome.result, outcome.error.code) == ("rejected", "unknown-format")
    assert len(looked) == looks
    assert outcome.outputs == (RECORD,)
    assert (outcome.sha256 is None) == bool(looks)  # it was not fetched
    assert json.loads(target.read(RECORD).data)["outcome"] == "rejected"
