"""Counting of the images of a job."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fft_tool.batches.counting import Counted, count_image, counted_of
from fft_tool.batches.survey import ImageRef, survey
from fft_tool.errors import (
    Aborted,
    CorruptImage,
    JobChanged,
    Killed,
    NotAllowed,
    NotFound,
    StoreUnavailable,
)
from fft_tool.image.counts import Counts
from fft_tool.limits import Limits
from fft_tool.recipe import Recipe
from fft_tool.runs.one import Outcome
from fft_tool.stores.base import Handle, Stat
from fft_tool.stores.memory import MemoryStore
from tests.support.faulty import FAULTY, Faulty
from tests.support.jobs import SMALL, fill, image


def listed(store: MemoryStore, data: bytes = b"") -> ImageRef:
    fill(store, "job", {"batch_1/a.png": data or image(3, 4)})
    (found,) = survey(store, "job", SMALL).images
    return found


def test_black_and_white_pixels_are_counted() -> None:
    store = MemoryStore()
    found = count_image(store, "job", listed(store), Recipe())
    assert found == Counted(1, "batch_1/a.png", Counts(3, 4))


def test_the_threshold_is_that_of_the_recipe() -> None:
    store = MemoryStore()
    ref = listed(store)
    assert count_image(store, "job", ref, Recipe(threshold=255)).counts == Counts(7, 0)
    assert count_image(store, "job", ref, Recipe(crop="0,0,2,1")).counts == Counts(2, 0)


@pytest.mark.parametrize("faulty", FAULTY, ids=lambda faulty: faulty.name)
def test_an_image_that_cannot_be_read_is_returned_with_the_reason(faulty: Faulty) -> None:
    store = MemoryStore()
    if not faulty.data:
        store.write("job/batch_1/a.png", b"")
        (ref,) = survey(store, "job", SMALL).images
    else:
        ref = listed(store, faulty.data)
    found = count_image(store, "job", ref, Recipe())
    assert found.counts is None
    assert found.code
    assert found.message


def test_an_image_that_is_too_large_is_not_fetched() -> None:
    class Unread(MemoryStore):
        def open(self, name: str) -> Handle:
            handle = super().open(name)
            handle.read = None  # type: ignore[method-assign, assignment]
            return handle

    store = Unread()
    found = count_image(store, "job", listed(store), Recipe(), Limits(max_bytes=10))
    assert found.code == "too-many-bytes"


def test_an_image_whose_counting_was_aborted_does_not_block_the_others() -> None:
    def killed(*_: object) -> Counts:
        raise Killed("it needed too much memory, at /secret/place")

    store = MemoryStore()
    found = count_image(store, "job", listed(store), Recipe(), count=killed)
    assert (found.code, found.message) == ("killed", Aborted._public)  # noqa: SLF001


@pytest.mark.parametrize("error", [NotAllowed("denied"), StoreUnavailable("slow")])
def test_a_fault_of_the_store_is_not_a_fault_of_the_image(error: Exception) -> None:
    class Failing(MemoryStore):
        def open(self, name: str) -> Handle:  # noqa: ARG002
            raise error

    with pytest.raises(type(error)):
        count_image(Failing(), "job", listed(MemoryStore()), Recipe())


def test_only_the_version_that_was_listed_is_counted() -> None:
    store = MemoryStore()
    ref = listed(store)
    with pytest.raises(JobChanged, match="overwritten since the job was listed"):
        count_image(store, "job", replace(ref, etag="other"), Recipe())
    with pytest.raises(JobChanged, match="deleted since the job was listed"):
        count_image(store, "job", replace(ref, name="batch_1/b.png"), Recipe())


def test_the_outcome_of_a_batch_of_runs_is_taken_likewise() -> None:
    ref = ImageRef(1, "batch_1/a.png", "version", 10)
    stat = Stat(10, etag="version")
    done = Outcome("a", "done", record={"black": 3, "white": 4}, stat=stat)
    assert counted_of(ref, done) == Counted(1, ref.name, Counts(3, 4))
    for error in (CorruptImage("cut"), Killed("killed")):
        bad = counted_of(ref, Outcome("a", "rejected", error=error, stat=stat))
        assert bad is not None
        assert bad.code == error.code
    assert counted_of(ref, Outcome("a", "failed", error=StoreUnavailable("slow"))) is None
    for changed in (
        replace(done, stat=Stat(10, etag="other")),
        Outcome("a", "missing", error=NotFound("a: does not exist")),
    ):
        with pytest.raises(JobChanged, match="changed while the job was counted"):
            counted_of(ref, changed)


def test_counts_are_read_back_from_what_they_say() -> None:
    for counted in (
        Counted(2, "batch_2/a.png", Counts(3, 4)),
        Counted(2, "batch_2/a.png", code="corrupt-image", message="cut in the middle"),
    ):
        assert Counted.from_json(json.loads(json.dumps(counted.to_json()))) == counted


def test_a_long_message_does_not_burst_the_payload_of_a_state_machine() -> None:
    long = Counted(1, "a", code="corrupt-image", message="x" * 10_000)
    assert len(json.dumps(long.to_json())) < 500
