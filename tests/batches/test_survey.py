"""What there is of a job, seen by listing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fft_tool.batches.shape import JobShape
from fft_tool.batches.survey import Survey, find_jobs, survey
from fft_tool.errors import NotFound
from fft_tool.stores.folder import FolderStore
from fft_tool.stores.memory import MemoryStore
from fft_tool.stores.opening import open_store
from tests.support.cloud import Bucket
from tests.support.jobs import SMALL, fill, names


def surveyed(*files: str, shape: JobShape = SMALL, settings: bytes | None = None) -> Survey:
    store = MemoryStore("survey")
    for name in files:
        store.write(f"job/{name}", b"data")
    if settings is not None:
        store.write("job/job.json", settings)
    return survey(store, "job", shape)


def test_a_job_is_complete_when_every_batch_has_all_of_its_images() -> None:
    found = surveyed(*names())
    assert found.complete
    assert (found.job, found.location) == ("job", "memory:survey/job/")
    assert found.reasons() == []
    assert [(image.batch, image.name) for image in found.images] == [
        (int(name[6]), name) for name in names()
    ]


def test_names_and_formats_are_free() -> None:
    files = ["batch_1/Ä b.jpg", "batch_1/c", "batch_1/deep/er.tiff", *names()[3:]]
    assert surveyed(*files).complete


def test_what_is_missing_is_said_of_each_batch() -> None:
    found = surveyed("batch_1/a.png", "batch_1/b.png")
    assert not found.complete
    assert found.missing == {1: 1, 2: 3}
    assert found.reasons() == [
        "batch_1: 2 of 3 images are there",
        "batch_2: 0 of 3 images are there",
    ]
    assert found.to_json()["missing"] == {"batch_1": 1, "batch_2": 3}
    json.dumps(found.to_json())


def test_of_many_batches_that_are_missing_the_first_are_named() -> None:
    told = surveyed("batch_1/a", shape=JobShape(50, 1)).reasons()
    assert len(told) == 11
    assert told[-1] == "and 39 more batches are not complete"


def test_more_images_than_expected_are_a_fault() -> None:
    found = surveyed(*names(), "batch_2/more.png")
    assert not found.complete
    assert found.reasons() == ["batch_2: has 4 images, should have 3"]


def test_more_batches_than_expected_are_a_fault() -> None:
    found = surveyed(*names(), "batch_3/a.png")
    assert found.reasons() == ["batch_3: the job should have 2 batches"]


def test_the_settings_of_the_job_decide_what_is_complete() -> None:
    assert surveyed("batch_1/a", settings=b'{"batches": 1, "images": 1}').complete
    found = surveyed(*names(), settings=b'{"batches": 3, "images": 2}')
    assert found.reasons() == [
        "batch_1: has 3 images, should have 2",
        "batch_2: has 3 images, should have 2",
        "batch_3: 0 of 2 images are there",
    ]


def test_wrong_settings_are_all_that_is_reported() -> None:
    found = surveyed("batch_1/a", settings=b'{"batches": 0, "image": 1}')
    assert not found.complete
    assert len(found.reasons()) == 2
    assert all(fault.startswith("job.json: ") for fault in found.faults)


@pytest.mark.parametrize("other", ["batch_1/IMG_1.png", "batch_1/img_1.PNG", "batch_1/İmg.png"])
def test_names_that_differ_only_by_case_are_a_fault(other: str) -> None:
    files = [*names()[:2], *names()[3:], other]
    found = surveyed(*files, *(["batch_1/i̇mg.png"] if "İ" in other else []))
    assert any("the names differ only by case, delete one" in fault for fault in found.faults)


def test_two_jobs_in_one_folder_are_a_fault() -> None:
    inner = surveyed(*(f"first/{name}" for name in names()), *(f"2nd/{n}" for n in names()))
    told = "batches of other jobs in 2nd, first: name the folder of one job, and keep each job in"
    assert inner.reasons() == [f"there are {told} a folder of its own"]
    nested = surveyed(*names(), "batch_1/leaves/batch_1/a.png")
    assert "batches of other jobs in batch_1/leaves" in nested.faults[0]
    assert "other jobs in old" in surveyed(*names(), "old/job.json").faults[0]


@pytest.mark.parametrize("folder", ["batch1", "Batch_1", "batch-1", "batch_01", "BATCH 1"])
def test_a_batch_whose_name_is_almost_right_is_a_fault(folder: str) -> None:
    found = surveyed(*names(), f"{folder}/a.png")
    assert found.faults == (f"{folder}: should be called batch_1",)


def test_folders_that_are_no_batches_are_named() -> None:
    assert surveyed("cats/a.png", "dogs/b.png", "notes.txt").reasons() == [
        "there are no folders batch_1 … batch_2, only cats/, dogs/, notes.txt"
    ]
    found = surveyed(*names()[1:], "cats/a.png")
    assert found.reasons()[-1] == "not part of any batch: cats/"
    assert surveyed(*names(), "notes.txt").complete


def test_files_that_nobody_put_there_do_not_count() -> None:
    junk = ["batch_1/.DS_Store", "batch_1/Thumbs.db", "batch_2/", ".git/batch_1/a", "batch_1/.x/y"]
    assert surveyed(*names(), *junk).complete


def test_a_job_without_any_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="job/: no such job, there are no files"):
        surveyed()
    with pytest.raises(NotFound):
        survey(FolderStore(tmp_path), "nothing", SMALL)


def test_the_key_changes_with_names_versions_and_settings_and_nothing_else() -> None:
    store = MemoryStore()
    fill(store, "job", names())
    before = survey(store, "job", SMALL).key
    store.write("job/notes.txt", b"")
    store.write("job/job.json", b'{ "threshold": "mid", "images": 3 }')
    assert survey(store, "job", SMALL).key == before
    store.write("job/job.json", b'{"threshold": "otsu"}')
    settings = survey(store, "job", SMALL).key
    store.write("job/batch_1/img_1.png", b"corrected")
    version = survey(store, "job", SMALL).key
    data = store.objects.pop("job/batch_1/img_1.png").data
    store.write("job/batch_1/renamed.png", data)
    assert len({before, settings, version, survey(store, "job", SMALL).key}) == 4


def test_the_last_change_is_when_the_newest_image_was_written(
    tmp_path: Path, bucket: Bucket
) -> None:
    for store in (FolderStore(tmp_path), open_store(bucket.url)):
        fill(store, "job", names())
        found = survey(store, "job", SMALL)
        assert found.complete
        assert found.changed == max(entry.modified or 0 for entry in store.entries("job"))
    assert surveyed(*names()).changed is None


def test_jobs_are_found_by_their_folders() -> None:
    store = MemoryStore()
    fill(store, "b", ["batch_1/a"])
    fill(store, "a", ["notes"])
    store.write("c", b"")
    store.write(".hidden/x", b"")
    assert find_jobs(store) == ["a", "b"]
