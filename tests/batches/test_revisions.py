"""Revisions: what is complete is counted once, whoever looks at it how often."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from fft_tool.batches.publication import publish
from fft_tool.batches.revisions import Detection, Marker, detect, latest_marker, published_revision
from fft_tool.batches.shape import JobShape
from fft_tool.batches.survey import Survey, survey
from fft_tool.errors import BadArtifact, NotFound
from fft_tool.stores.base import Store
from fft_tool.stores.memory import MemoryStore
from fft_tool.stores.opening import open_store
from tests.support.cloud import Bucket
from tests.support.jobs import NOW, SMALL, counted_of, fill, image, names


def look(sources: Store, target: Store) -> Detection:
    return detect(sources, target, "leaves", SMALL, now=lambda: NOW)


@pytest.fixture
def stores() -> tuple[Store, Store]:
    return MemoryStore(), MemoryStore()


def finish(target: Store, marker: Marker | None) -> None:
    assert marker is not None
    publish(target, marker, counted_of(marker))


def test_a_job_is_claimed_once_and_only_when_it_is_complete(stores: tuple[Store, Store]) -> None:
    sources, target = stores
    seen = []
    for name in [*names(), names()[-1]]:  # the last event comes twice
        fill(sources, "leaves", {name: image(1, 2)} if name not in seen else {})
        seen.append(name)
        state = look(sources, target).state
        assert state == (
            "incomplete" if len(seen) < 6 else "claimed" if len(seen) == 6 else "pending"
        )


def test_what_is_published_is_left_alone(stores: tuple[Store, Store]) -> None:
    sources, target = stores
    fill(sources, "leaves", names())
    finish(target, look(sources, target).marker)
    found = look(sources, target)
    assert (found.state, found.marker and found.marker.number) == ("published", 1)


def test_a_marker_without_rows_is_pending_until_it_is_published(
    stores: tuple[Store, Store],
) -> None:
    """Whoever created it may have been killed in between."""
    sources, target = stores
    fill(sources, "leaves", names())
    first = look(sources, target)
    again = look(sources, target)
    assert (first.state, again.state) == ("claimed", "pending")
    assert again.marker == first.marker
    finish(target, again.marker)
    assert look(sources, target).state == "published"


def test_a_late_correction_is_a_new_revision(stores: tuple[Store, Store]) -> None:
    sources, target = stores
    fill(sources, "leaves", names())
    finish(target, look(sources, target).marker)
    fill(sources, "leaves", {names()[0]: image(9, 9)})
    found = look(sources, target)
    assert (found.state, found.marker and found.marker.number) == ("claimed", 2)
    assert published_revision(target, "leaves") == 1
    finish(target, found.marker)
    assert published_revision(target, "leaves") == 2


def test_a_correction_that_is_undone_is_a_revision_too() -> None:
    """The files have to show the images that are there now."""
    sources, target = MemoryStore(), MemoryStore()
    fill(sources, "leaves", names())
    first = sources.objects[f"leaves/{names()[0]}"]
    finish(target, look(sources, target).marker)
    fill(sources, "leaves", {names()[0]: image(9, 9)})
    finish(target, look(sources, target).marker)
    sources.objects[f"leaves/{names()[0]}"] = first
    found = look(sources, target)
    assert (found.state, found.marker and found.marker.number) == ("claimed", 3)


def test_a_job_with_faults_is_never_claimed(stores: tuple[Store, Store]) -> None:
    sources, target = stores
    fill(sources, "leaves", [*names(), "batch_1/more.png"])
    assert look(sources, target).state == "faulty"
    assert list(target.entries()) == []


def test_of_many_who_look_at_the_same_time_one_claims() -> None:
    sources, target = MemoryStore(), MemoryStore()
    fill(sources, "leaves", names())
    with ThreadPoolExecutor(8) as pool:
        states = list(pool.map(lambda _: look(sources, target).state, range(24)))
    assert sorted(states) == ["claimed", *["pending"] * 23]


def test_of_many_who_look_at_a_bucket_one_claims(bucket: Bucket) -> None:
    sources, target = open_store(f"{bucket.url}/batches"), open_store(f"{bucket.url}/output")
    fill(sources, "leaves", names())
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: look(sources, target), range(6)))
    assert sorted(each.state for each in found) == ["claimed", *["pending"] * 5]
    assert {each.marker and each.marker.number for each in found} == {1}


def test_an_old_listing_never_becomes_the_latest_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody looks, falls asleep, and wakes up when a correction has been claimed."""
    sources, target = MemoryStore(), MemoryStore()
    fill(sources, "leaves", names())
    plain, calls = survey, itertools.count()

    def slow(store: Store, folder: str, shape: JobShape) -> Survey:
        found: Survey = plain(store, folder, shape)
        if next(calls) == 0:
            fill(sources, "leaves", {names()[0]: image(9, 9)})
            assert look(sources, target).state == "claimed"
        return found

    monkeypatch.setattr("fft_tool.batches.revisions.survey", slow)
    found = look(sources, target)
    latest = latest_marker(target, "leaves")
    assert found.state == "pending"
    assert latest == found.marker
    assert latest is not None
    assert (latest.number, latest.key) == (1, plain(sources, "leaves", SMALL).key)


def test_a_marker_is_read_back_as_it_was_written(stores: tuple[Store, Store]) -> None:
    sources, target = stores
    fill(sources, "leaves", names())
    fill(sources, "leaves", {"job.json": b'{"threshold": 9}'})
    marker = look(sources, target).marker
    assert latest_marker(target, "leaves") == marker
    assert marker is not None
    assert marker.created_at == NOW
    assert marker.shape.recipe.threshold == 9
    assert [each.name for each in marker.images] == names()
    assert json.loads(target.read("leaves/revisions/1.json").data) == marker.to_json()


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"job": 1}', b"\xff"])
def test_a_file_that_is_not_a_marker_is_an_error_that_names_it(data: bytes) -> None:
    target = MemoryStore("results")
    target.write("leaves/revisions/1.json", data)
    with pytest.raises(BadArtifact, match=r"leaves/revisions/1\.json: is not a marker"):
        latest_marker(target, "leaves")


def test_the_latest_of_many_markers_is_that_of_the_highest_number(
    stores: tuple[Store, Store],
) -> None:
    sources, target = stores
    fill(sources, "leaves", names())
    for turn in range(11):
        fill(sources, "leaves", {names()[0]: image(turn + 1, 1)})
        assert look(sources, target).state == "claimed"
    target.write("leaves/revisions/notes.txt", b"")
    latest = latest_marker(target, "leaves")
    assert latest is not None
    assert latest.number == 11


def test_a_job_that_does_not_exist_is_not_found(stores: tuple[Store, Store]) -> None:
    with pytest.raises(NotFound):
        look(*stores)
