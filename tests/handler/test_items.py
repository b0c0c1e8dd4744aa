"""Batches of a Distributed Map: the function answers with counts and writes what failed."""

from __future__ import annotations

from typing import Any

import pytest

from fft_tool.backfill.parts import Line, from_part, read_parts
from fft_tool.errors import StoreUnavailable
from fft_tool.recipe import Recipe
from handler.errors import MalformedEvent
from handler.states import Transient
from tests.support.images import noise, png_bytes
from tests.support.samples import BUCKET, Context, NotedStore, function

IMAGE = png_bytes(noise((6, 8)))
RUN = "run-1"


def batch_of(*keys: str, **shared: Any) -> dict[str, Any]:
    told = {"run": RUN, "bucket": BUCKET, "recipe": {}, "skip_existing": False, "function": "arn"}
    return {"BatchInput": told | shared, "Items": [{"key": key} for key in keys]}


def told(store: NotedStore) -> list[Line]:
    """What the parts say."""
    lines = []
    for name, data in store.outputs("output/backfill").items():
        lines += list(from_part(data, name))
    return lines


def test_all_objects_of_a_batch_are_processed_with_its_recipe() -> None:
    store = NotedStore({"input/a.png": IMAGE, "input/b ö.png": IMAGE})
    event = batch_of("input/a.png", "input/b ö.png", recipe={"phase": "no"})
    assert function(store)(event, Context()) == {"done": 2}
    assert set(store.outputs()) == {
        f"output/{name}_{kind}"
        for name in ("a", "b ö")
        for kind in ("magnitude.png", "metadata.json")
    }


def test_what_failed_is_written_in_one_part_with_the_reason() -> None:
    store = NotedStore({"input/a.png": IMAGE, "input/bad.png": IMAGE[:90], "other/a.png": IMAGE})
    event = batch_of("input/a.png", "input/bad.png", "input/gone.png", "other/a.png")
    answer = function(store)(event, Context())
    assert answer == {"done": 1, "rejected": 1, "missing": 1, "ignored": 1}
    assert {(line.key, line.outcome, line.code) for line in told(store)} == {
        ("input/bad.png", "rejected", "corrupt-image"),
        ("input/gone.png", "missing", "not-found"),
        ("other/a.png", "ignored", "not-a-source"),
    }
    assert len(store.outputs("output/backfill")) == 1


def test_what_a_listing_names_beside_the_images_is_no_failure() -> None:
    store = NotedStore({"output/a_magnitude.png": IMAGE})
    event = batch_of("input/notes.txt", "input/folder/", "output/a_magnitude.png")
    assert function(store)(event, Context()) == {"ignored": 3}
    assert told(store) == []
    assert set(store.objects) == {"output/a_magnitude.png"}


def test_a_batch_that_is_repeated_replaces_its_part() -> None:
    store = NotedStore({"input/bad.png": IMAGE[:90]})
    for _ in range(2):
        function(store)(batch_of("input/bad.png", "input/gone.png"), Context())
    assert len(store.outputs("output/backfill")) == 1


def test_parts_are_found_by_the_name_of_the_run() -> None:
    store = NotedStore()
    for run in (RUN, "another"):
        function(store)(batch_of(f"input/{run}.png", run=run), Context())
    results = NotedStore()
    for name, data in store.outputs().items():
        results.upload(name.removeprefix("output/"), data)
    (lines,) = read_parts(results, RUN)
    assert [line.key for line in lines] == [f"input/{RUN}.png"]


# What is done already.


def test_what_is_done_is_looked_at_and_not_touched() -> None:
    store = NotedStore({"input/a.png": IMAGE})
    function(store)(batch_of("input/a.png"), Context())
    before = dict(store.objects)
    store.calls.clear()
    assert function(store)(batch_of("input/a.png", skip_existing=True), Context()) == {"ignored": 1}
    assert store.calls == ["stat input/a.png", "stat output/a_metadata.json"]
    assert store.objects == before


CHANGES = ["source", "metadata", "recipe", "record", "rejected", "setting"]


@pytest.mark.parametrize("change", CHANGES)
def test_anything_that_changes_the_results_is_done_again(change: str) -> None:
    store = NotedStore({"input/a.png": IMAGE[:90] if change == "rejected" else IMAGE})
    function(store)(batch_of("input/a.png"), Context())
    recipe = {"bits": "16"} if change == "recipe" else {}
    settings = {"FFT_RECIPE": "window=hann"} if change == "setting" else {}
    if change == "source":
        store.upload("input/a.png", png_bytes(noise((7, 7))))
    elif change == "metadata":
        store.upload("input/a.png", IMAGE, crop="square")
    elif change == "record":  # overwritten by something that does not say what it belongs to
        store.upload("output/a_metadata.json", store.objects["output/a_metadata.json"].data)
    event = batch_of("input/a.png", skip_existing=True, recipe=recipe)
    outcome = "rejected" if change == "rejected" else "done"
    assert function(store, **settings)(event, Context()) == {outcome: 1}


def test_the_mark_of_a_record_is_beside_it_and_not_in_it() -> None:
    store = NotedStore({"input/a.png": IMAGE})
    function(store)(batch_of("input/a.png"), Context())
    stored = store.objects["output/a_metadata.json"]
    etag = store.stat("input/a.png").etag
    assert stored.stat.metadata["source-etag"] == etag
    assert stored.stat.metadata["recipe-sha256"] == Recipe(metadata=True).sha256
    assert str(etag) not in stored.data.decode()
    assert not store.objects["output/a_magnitude.png"].stat.metadata


# Faults.


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"Items": [{"key": "a.png"}]}, "BatchInput should be an object"),
        (batch_of(), "Items should be a list of at least one item"),
        (batch_of("a.png", run="../up"), "BatchInput.run is '../up'"),
        (batch_of("a.png", run=None), "BatchInput.run is None"),
        (batch_of("a.png", bucket="a b"), "BatchInput.bucket is 'a b', not a valid bucket name"),
        (batch_of("a.png", recipe={"bits": "12"}), "BatchInput.recipe: bits='12'"),
        (batch_of("a.png", skip_existing="yes"), "BatchInput.skip_existing is 'yes'"),
        (batch_of("a.png", "") | {}, r"Items\[1\].key should be text"),
    ],
)
def test_a_malformed_batch_is_refused_as_a_whole(event: dict[str, Any], said: str) -> None:
    store = NotedStore()
    with pytest.raises(MalformedEvent, match=said):
        function(store)(event, Context())
    assert store.calls == []


def test_another_bucket_is_refused() -> None:
    store = NotedStore({"input/a.png": IMAGE})
    answer = function(store, FFT_BUCKET="mine-alone")(batch_of("input/a.png"), Context())
    assert answer == {"failed": 1}
    assert "read input/a.png" not in store.calls


def test_a_part_that_cannot_be_written_is_told_as_step_functions_retries_it() -> None:
    store = NotedStore()

    def meddle(call: str) -> None:
        if call.startswith("write output/backfill"):
            raise StoreUnavailable("slow")

    store.meddle = meddle
    with pytest.raises(Transient, match="store-unavailable: slow"):
        function(store)(batch_of("input/gone.png"), Context())
