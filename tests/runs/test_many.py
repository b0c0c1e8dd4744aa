"""Batches: a bad source does not stop others, and existing results are not recomputed."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fft_tool import pipeline
from fft_tool.limits import Limits
from fft_tool.mask_files import resolve_masks
from fft_tool.recipe import Recipe
from fft_tool.results.outputs import Outputs, Source
from fft_tool.runs.many import Job, run_batch
from fft_tool.runs.one import Outcome
from fft_tool.runs.sources import SourceRef
from fft_tool.stores.base import Store
from fft_tool.stores.opening import open_store
from tests.support.cloud import Bucket
from tests.support.images import noise, png_bytes

# Python 3.12 and later dislike forks of a process with threads, such as the test's own S3 server;
# the command line's process has none.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")

RECORDED = Recipe(metadata=True, bits=16)
GOOD = [f"{letter}.png" for letter in "abcdefgh"]


def picture(seed: int = 0) -> bytes:
    return png_bytes(noise((12, 16), seed=seed))


def fill(store: Store, names: Iterable[str]) -> list[SourceRef]:
    """Put images into a store and return references to them."""
    for seed, name in enumerate(names):
        store.write(name, picture(seed))
    return [SourceRef(store.url, name) for name in names]


def results(outcomes: Iterable[Outcome]) -> list[tuple[str, str]]:
    return [(Path(outcome.source).name, outcome.result) for outcome in outcomes]


def contents(store: Store) -> dict[str, bytes]:
    return {name: store.read(name).data for name, _ in store.list()}


def test_masks_go_along_to_every_process(tmp_path: Path) -> None:
    mask = png_bytes(noise((12, 16), seed=99))
    recipe = resolve_masks(Recipe(filter="mask:a.png", metadata=True), lambda _: mask)
    refs = fill(open_store(str(tmp_path / "in")), GOOD)
    for name, processes in (("one", 1), ("two", 2)):
        outcomes = run_batch(refs, Job(recipe, target=str(tmp_path / name)), processes=processes)
        assert {result for _, result in results(outcomes)} == {"done"}
    one, two = (contents(open_store(str(tmp_path / name))) for name in ("one", "two"))
    assert one == two
    assert (
        one["a_filtered.png"] == pipeline.run(Source("a.png", picture()), recipe)["filtered"].data
    )


def hang_if_bad(source: Source, *args: Any, **options: Any) -> Outputs:
    if source.name.startswith("bad"):
        while True:
            signal.pause()
    return pipeline.run(source, *args, **options)


def eat_if_bad(source: Source, *args: Any, **options: Any) -> Outputs:
    if source.name.startswith("bad"):
        assert np.ones(1 << 28).any()
    return pipeline.run(source, *args, **options)


def divide(*_: object, **__: object) -> Outputs:
    return 1 // 0  # type: ignore[return-value]


def kill_if_bad(source: Source, *arguments: Any, **options: Any) -> Outputs:
    """Simulate a process killed by the system, for instance for lack of memory."""
    if source.name.startswith("bad"):
        os.kill(os.getpid(), signal.SIGKILL)
    return pipeline.run(source, *arguments, **options)


def exhaust_memory(*_: Any, **__: Any) -> Outputs:
    raise MemoryError


def take_time(*arguments: Any, **options: Any) -> Outputs:
    time.sleep(0.02)
    return pipeline.run(*arguments, **options)


def have_a_bug(*_: Any, **__: Any) -> Outputs:
    raise ZeroDivisionError("a bug")


@pytest.fixture
def inputs(tmp_path: Path) -> Store:
    return open_store(tmp_path / "in")


@pytest.fixture
def target(tmp_path: Path) -> Store:
    (tmp_path / "out").mkdir()
    return open_store(tmp_path / "out")


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_bad_images_do_not_stop_others(inputs: Store, target: Store, processes: int) -> None:
    names = [*GOOD[:3], "bad1.png", *GOOD[3:], "bad2.png"]
    refs = fill(inputs, names)
    inputs.write("bad1.png", b"not an image")
    inputs.write("bad2.png", picture()[:60])
    refs.insert(1, SourceRef(inputs.url, "bad-missing.png"))
    outcomes = list(run_batch(refs, Job(RECORDED, target=target.url), processes=processes))
    assert [outcome.source for outcome in outcomes] == [str(ref) for ref in refs]
    codes = [outcome.error and outcome.error.code for outcome in outcomes]
    assert [code for code in codes if code] == ["not-found", "unknown-format", "corrupt-image"]
    assert {outcome.result for outcome in outcomes if not outcome.error} == {"done"}
    rejected = {"bad1_metadata.json", "bad2_metadata.json"}
    assert len(contents(target).keys() - rejected) == 3 * len(GOOD)
    assert rejected < contents(target).keys()


def test_any_number_of_processes_gives_the_same_bytes(inputs: Store, tmp_path: Path) -> None:
    refs = fill(inputs, [*GOOD, "plants/a.png"])
    made = []
    for processes in (1, 2, 4):
        target = open_store(tmp_path / f"out{processes}")
        list(run_batch(refs, Job(RECORDED, target=target.url), processes=processes))
        made.append(contents(target))
    assert made[0] == made[1] == made[2]
    assert len(made[0]) == 3 * len(refs)


@pytest.mark.parametrize("where", [0, 3, 8])
def test_a_killed_process_affects_one_source_only(inputs: Store, target: Store, where: int) -> None:
    names = [*GOOD[:where], "bad.png", *GOOD[where:]]
    refs = fill(inputs, names)
    job = Job(Recipe(), operation=kill_if_bad, target=target.url)
    outcomes = list(run_batch(refs, job, processes=2))
    assert results(outcomes) == [
        (name, "failed" if name == "bad.png" else "done") for name in names
    ]
    error = outcomes[where].error
    assert error is not None
    assert error.code == "killed"
    assert len(contents(target)) == 2 * len(GOOD)


def test_several_killed_processes_affect_only_their_sources(inputs: Store, target: Store) -> None:
    names = ["bad1.png", "bad2.png", "a.png", "bad3.png", "b.png", "bad4.png"]
    job = Job(Recipe(), operation=kill_if_bad, target=target.url)
    outcomes = list(run_batch(fill(inputs, names), job, processes=3))
    assert [name for name, result in results(outcomes) if result == "done"] == ["a.png", "b.png"]


@pytest.mark.parametrize("names", [["bad.png"], ["a.png", "bad.png", "b.png"]])
def test_a_source_that_does_not_finish_is_killed_after_the_timeout(
    inputs: Store, target: Store, names: list[str]
) -> None:
    job = Job(RECORDED, operation=hang_if_bad, target=target.url, timeout=0.6)
    outcomes = list(run_batch(fill(inputs, names), job, processes=2))
    assert results(outcomes) == [
        (name, "failed" if name == "bad.png" else "done") for name in names
    ]
    (error,) = [outcome.error for outcome in outcomes if outcome.error]
    assert error.code == "took-too-long"
    assert str(error) == "it took longer than the 0.6 s of --timeout"


def test_a_timeout_does_not_affect_sources_that_finish(inputs: Store, target: Store) -> None:
    refs = fill(inputs, ["a.png"])
    list(run_batch(refs, Job(RECORDED, target=target.url)))
    before = contents(target)
    (outcome,) = run_batch(refs, Job(RECORDED, target=target.url, timeout=60))
    assert outcome.result == "done"
    assert contents(target) == before


def test_a_bug_under_a_timeout_is_not_hidden(inputs: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        list(run_batch(fill(inputs, ["a.png"]), Job(Recipe(), operation=divide, timeout=60)))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold to RLIMIT_AS")
def test_a_worker_takes_no_more_memory_than_allowed_for_an_image(
    inputs: Store, target: Store
) -> None:
    """The system enforces the limit if the estimate was too low."""
    limits = Limits(max_memory=300 << 20)
    job = Job(Recipe(), limits, operation=eat_if_bad, target=target.url)
    names = ["a.png", "bad.png", "b.png"]
    outcomes = list(run_batch(fill(inputs, names), job, processes=2))
    assert [outcome.result for outcome in outcomes] == ["done", "failed", "done"]
    assert outcomes[1].error is not None
    assert outcomes[1].error.code == "out-of-memory"


def test_running_out_of_memory_is_an_outcome(inputs: Store) -> None:
    (outcome,) = run_batch(fill(inputs, ["a.png"]), Job(Recipe(), operation=exhaust_memory))
    assert outcome.error is not None
    assert outcome.error.code == "out-of-memory"


def test_limits_hold_for_every_source(inputs: Store) -> None:
    refs = fill(inputs, GOOD[:2])
    outcomes = list(run_batch(refs, Job(Recipe(), Limits(max_pixels=100)), processes=2))
    assert [outcome.error and outcome.error.code for outcome in outcomes] == ["too-many-pixels"] * 2


def test_an_earlier_record_is_replaced_when_the_source_is_rejected(
    inputs: Store, target: Store
) -> None:
    refs = fill(inputs, ["a.png"])
    list(run_batch(refs, Job(RECORDED, target=target.url)))
    inputs.write("a.png", b"not an image")
    for recipe in (Recipe(), RECORDED):  # whether or not a record is asked for today
        (outcome,) = run_batch(refs, Job(recipe, target=target.url))
        record = json.loads(target.read("a_metadata.json").data)
        assert (outcome.result, outcome.outputs) == ("rejected", ("a_metadata.json",))
        assert (record["outcome"], record["artifacts"]) == ("rejected", [])
        assert record["error"]["code"] == "unknown-format"


def test_a_rejection_writes_no_record_if_none_is_requested_or_present(
    inputs: Store, target: Store
) -> None:
    inputs.write("a.png", b"not an image")
    (outcome,) = run_batch([SourceRef(inputs.url, "a.png")], Job(Recipe(), target=target.url))
    assert (outcome.result, outcome.outputs) == ("rejected", ())
    assert contents(target) == {}


def test_a_source_that_does_not_exist_is_missing_and_earlier_results_stay(
    inputs: Store, target: Store
) -> None:
    refs = fill(inputs, ["a.png"])
    list(run_batch(refs, Job(RECORDED, target=target.url)))
    before = contents(target)
    Path(inputs.url, "a.png").unlink()
    (outcome,) = run_batch(refs, Job(RECORDED, target=target.url))
    assert outcome.result == "missing"
    assert contents(target) == before


@pytest.mark.parametrize("processes", [1, 2])
def test_bugs_are_raised_and_not_hidden_in_outcomes(inputs: Store, processes: int) -> None:
    refs = fill(inputs, GOOD)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        list(run_batch(refs, Job(Recipe(), operation=have_a_bug), processes=processes))


@pytest.mark.parametrize("processes", [1, 2])
def test_stopping_early_drops_the_remaining_sources(
    inputs: Store, target: Store, processes: int
) -> None:
    refs = fill(inputs, [f"{number:02}.png" for number in range(60)])
    job = Job(Recipe(), target=target.url, operation=take_time)
    outcomes = run_batch(refs, job, processes=processes)
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    folder = Path(target.url)
    assert 2 <= len(list(folder.iterdir())) < 2 * len(refs)
    assert not list(folder.glob(".*"))


def test_a_batch_may_run_in_any_thread(inputs: Store) -> None:
    refs = fill(inputs, GOOD)
    with ThreadPoolExecutor(1) as pool:
        outcomes = pool.submit(lambda: list(run_batch(refs, Job(Recipe()), processes=2))).result()
    assert {result for _, result in results(outcomes)} == {"done"}


def test_without_a_target_artifacts_are_returned(inputs: Store) -> None:
    (outcome,) = run_batch(fill(inputs, ["plants/a.png"]), Job(RECORDED))
    assert [artifact.name for artifact in outcome.artifacts] == [
        "plants/a_phase.png",
        "plants/a_magnitude.png",
        "plants/a_metadata.json",
    ]
    assert outcome.record is not None
    assert outcome.outputs == ()


def test_the_json_of_an_outcome_lists_what_was_written(inputs: Store, target: Store) -> None:
    refs = fill(inputs, ["a.png"])
    inputs.write("bad.png", b"")
    refs.append(SourceRef(inputs.url, "bad.png"))
    done, failed = run_batch(refs, Job(Recipe(), target=target.url))
    assert done.to_json() == {
        "source": f"{inputs.url}/a.png",
        "outcome": "done",
        "outputs": ["a_phase.png", "a_magnitude.png"],
        "exact": None,
        "error": None,
    }
    assert failed.to_json() == {
        "source": f"{inputs.url}/bad.png",
        "outcome": "rejected",
        "outputs": [],
        "exact": None,
        "error": {"code": "empty-image", "message": "the file is empty"},
    }


@pytest.mark.parametrize(
    ("recipe", "exact"), [("bits=16", True), ("bits=8", False), ("phase=no", None)]
)
def test_the_json_of_an_outcome_tells_whether_it_is_exact(
    inputs: Store, target: Store, recipe: str, exact: bool | None
) -> None:
    job = Job(Recipe.parse_text(f"metadata=yes {recipe}"), target=target.url)
    (outcome,) = run_batch(fill(inputs, ["a.png"]), job)
    assert outcome.to_json()["exact"] is exact


def test_an_empty_batch_has_no_outcomes() -> None:
    assert list(run_batch([], Job(Recipe()), processes=2)) == []


def test_a_dry_run_lists_outputs_and_writes_nothing(inputs: Store, target: Store) -> None:
    refs = fill(inputs, ["plants/a.png", "b.png"])
    inputs.write("bad.png", b"text")
    refs.append(SourceRef(inputs.url, "bad.png"))
    recipe = Recipe(metadata=True, spectrum=True, histogram=True, smart_crop=(8, 8))
    planned = list(run_batch(refs, Job(recipe, target=target.url, dry_run=True)))
    assert [result for _, result in results(planned)] == ["planned", "planned", "rejected"]
    assert contents(target) == {}
    done = list(run_batch(refs, Job(recipe, target=target.url)))
    assert [set(outcome.outputs) for outcome in planned[:2]] == [
        set(outcome.outputs) for outcome in done[:2]
    ]
    assert planned[2].outputs == ()


# Skipping existing results


@pytest.fixture(params=["folder", "s3"])
def anywhere(request: pytest.FixtureRequest, target: Store) -> Store:
    if request.param == "folder":
        return target
    bucket: Bucket = request.getfixturevalue("bucket")
    return open_store(f"{bucket.url}/out")


@pytest.fixture(params=[Recipe(), RECORDED], ids=["pictures", "record"])
def recipe(request: pytest.FixtureRequest) -> Recipe:
    chosen: Recipe = request.param
    return chosen


def again(refs: list[SourceRef], recipe: Recipe, target: Store) -> list[str]:
    """Results of a run that skips existing results."""
    job = Job(recipe, target=target.url, skip_existing=True)
    return [outcome.result for outcome in run_batch(refs, job)]


def test_a_second_run_skips_everything(inputs: Store, anywhere: Store, recipe: Recipe) -> None:
    refs = fill(inputs, ["plants/a.png", "b c.png"])
    assert again(refs, recipe, anywhere) == ["done", "done"]
    before = contents(anywhere)
    assert again(refs, recipe, anywhere) == ["skipped", "skipped"]
    assert contents(anywhere) == before


def test_only_what_is_new_is_done(inputs: Store, anywhere: Store, recipe: Recipe) -> None:
    refs = fill(inputs, ["a.png"])
    again(refs, recipe, anywhere)
    assert again([*refs, *fill(inputs, ["b.png"])], recipe, anywhere) == ["skipped", "done"]


def test_a_changed_source_is_done_again(inputs: Store, anywhere: Store, recipe: Recipe) -> None:
    refs = fill(inputs, ["a.png", "b.png"])
    again(refs, recipe, anywhere)
    inputs.write("a.png", picture(99))
    assert again(refs, recipe, anywhere) == ["done", "skipped"]


@pytest.mark.parametrize(
    "change", ["window=hann", "bits=16 scale=db", "pixel-size=5nm", "phase=no"]
)
def test_a_changed_recipe_is_done_again(
    inputs: Store, anywhere: Store, recipe: Recipe, change: str
) -> None:
    refs = fill(inputs, ["a.png"])
    again(refs, recipe, anywhere)
    changed = Recipe.parse(dict(word.split("=") for word in change.split()), recipe)
    assert again(refs, changed, anywhere) == ["done"]
    assert again(refs, changed, anywhere) == ["skipped"]


def test_another_version_is_done_again(
    inputs: Store, target: Store, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = fill(inputs, ["a.png"])
    again(refs, recipe, target)
    monkeypatch.setattr("fft_tool.results.values.__version__", "99")
    assert again(refs, recipe, target) == ["done"]


@pytest.mark.parametrize("damage", ["missing", "empty", "garbage", "cut", "of b", "of a window"])
@pytest.mark.parametrize(
    ("recipe", "kind"),
    [
        (Recipe(), "magnitude.png"),
        (Recipe(), "phase.png"),
        (RECORDED, "magnitude.png"),
        (RECORDED, "phase.png"),
        (RECORDED, "metadata.json"),
    ],
)
def test_missing_or_damaged_outputs_are_made_again(
    inputs: Store, target: Store, recipe: Recipe, kind: str, damage: str
) -> None:
    refs = fill(inputs, ["a.png", "b.png"])
    again(refs[:1], Recipe.parse({"window": "hann"}, recipe), target)
    windowed = contents(target)
    again(refs, recipe, target)
    sound = contents(target)
    name = f"a_{kind}"
    if damage == "missing":
        Path(target.url, name).unlink()
    else:
        damaged = {
            "empty": b"",
            "garbage": b"\x89PNG?",
            "cut": sound[name][: len(sound[name]) // 2],
            "of b": sound[f"b_{kind}"],
            "of a window": windowed[name],  # as an interrupted run of another recipe leaves it
        }
        target.write(name, damaged[damage])
    assert again(refs, recipe, target) == ["done", "skipped"]
    assert contents(target) == sound


@pytest.mark.parametrize(
    "text",
    ["[]", "null", "1", '"text"', "{}", '{"outcome": "done"}', '{"tool": [], "source": 1}', "["],
)
def test_a_foreign_file_in_place_of_the_record_is_replaced(
    inputs: Store, target: Store, text: str
) -> None:
    refs = fill(inputs, ["a.png"])
    target.write("a_metadata.json", text.encode())
    assert again(refs, RECORDED, target) == ["done"]


def test_a_rejected_record_does_not_cause_skipping(inputs: Store, target: Store) -> None:
    refs = fill(inputs, ["a.png"])
    again(refs, RECORDED, target)
    name = "a_metadata.json"
    text = target.read(name).data.replace(b'"outcome": "done"', b'"outcome": "rejected"')
    target.write(name, text)
    assert again(refs, RECORDED, target) == ["done"]


def test_a_dry_run_reports_what_would_be_skipped(inputs: Store, target: Store) -> None:
    refs = fill(inputs, ["a.png"])
    again(refs, RECORDED, target)
    refs += fill(inputs, ["b.png"])
    job = Job(RECORDED, target=target.url, skip_existing=True, dry_run=True)
    assert [outcome.result for outcome in run_batch(refs, job)] == ["skipped", "planned"]


# S3


@pytest.mark.slow
def test_processes_work_from_bucket_to_bucket(bucket: Bucket, tmp_path: Path) -> None:
    names = ["a.png", "plants/ä b.png", "bad.png", "c.png"]
    refs = fill(open_store(f"{bucket.url}/in"), names)
    job = Job(RECORDED, operation=kill_if_bad, target=f"{bucket.url}/out")
    assert results(run_batch(refs, job, processes=2)) == [
        ("a.png", "done"),
        ("ä b.png", "done"),
        ("bad.png", "failed"),
        ("c.png", "done"),
    ]
    there = contents(open_store(f"{bucket.url}/out"))
    del refs[2]
    local = open_store(tmp_path / "local")
    list(run_batch(refs, Job(RECORDED, target=local.url)))
    assert there == contents(local)


def test_a_store_that_fails_is_an_outcome(inputs: Store, bucket: Bucket, target: Store) -> None:
    refs = fill(inputs, ["a.png"])
    missing = Job(Recipe(), target=f"{bucket.url}-missing/out")
    blocked = Job(Recipe(), target=f"{target.url}/file")
    target.write("file", b"")
    for job in (missing, blocked):
        (outcome,) = run_batch(refs, job)
        assert outcome.error is not None
        assert outcome.error.code in ("no-such-bucket", "not-allowed")
