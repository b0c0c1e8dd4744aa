"""Reading of results: records in order, with the pictures that go with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import fft_tool
from fft_tool.errors import BadArtifact, EmptyImage, NotFound
from fft_tool.recipe import Recipe
from fft_tool.results import record as records
from fft_tool.results.outputs import Source
from fft_tool.results.recording import rejected
from fft_tool.runs.reading import read_entries, read_records
from fft_tool.stores.base import Store
from fft_tool.stores.memory import MemoryStore
from fft_tool.stores.opening import open_store
from tests.support.cloud import Bucket
from tests.support.images import noise, png_bytes

RECIPE = Recipe(metadata=True, crop=None, smart_crop=(8, 8))
NAMES = ["a.png", "photo.jpg", "plants/wild/c.png", "plants/ä b.png"]
DATA = png_bytes(noise((12, 16)))


def analysed(store: Store, recipe: Recipe = RECIPE) -> Store:
    """Put the results of some images into a store."""
    for name in NAMES:
        for artifact in fft_tool.run(Source(name, DATA), recipe):
            store.write(artifact.name, artifact.data)
    return store


@pytest.fixture
def sources() -> Store:
    store = MemoryStore()
    for name in NAMES:
        store.write(name, DATA)
    return store


@pytest.fixture
def results() -> Store:
    return analysed(MemoryStore())


def test_records_come_in_the_order_of_names(results: Store) -> None:
    assert [record["source"]["name"] for record in read_records(results)] == NAMES


def test_records_are_read_from_any_store(tmp_path: Path, bucket: Bucket) -> None:
    for location in (tmp_path / "out", f"{bucket.url}/out"):
        store = analysed(open_store(location))
        assert [record["source"]["name"] for record in read_records(store)] == NAMES


def test_entries_have_the_pictures_beside_the_record(results: Store, sources: Store) -> None:
    entries = list(read_entries(results, sources))
    assert [entry.record for entry in entries] == list(read_records(results))
    for entry, base in zip(entries, ["a", "photo.jpg", "plants/wild/c", "plants/ä b"], strict=True):
        assert entry.pictures["magnitude"] == results.read(f"{base}_magnitude.png").data
        assert entry.pictures["phase"] == results.read(f"{base}_phase.png").data
        assert entry.pictures["crop"] == results.read(f"{base}_crop.png").data
        assert "filtered" not in entry.pictures
        assert entry.source == DATA


def test_filtered_images_are_found_too() -> None:
    store = analysed(MemoryStore(), Recipe.parse({"metadata": "yes", "filter": "lowpass:4"}))
    assert all("filtered" in entry.pictures for entry in read_entries(store, None))


def test_without_sources_entries_have_none(results: Store) -> None:
    assert [entry.source for entry in read_entries(results, None)] == [None] * len(NAMES)


def test_results_may_have_been_moved_with_their_folder(results: Store, sources: Store) -> None:
    moved = MemoryStore()
    for name, _ in results.list():
        moved.write(f"archive/{name.rpartition('/')[2]}", results.read(name).data)
    entries = list(read_entries(moved, sources))
    assert len(entries) == len(NAMES)
    assert all("magnitude" in entry.pictures and entry.source for entry in entries)


def test_missing_pictures_and_sources_are_omitted(results: Store) -> None:
    assert isinstance(results, MemoryStore)
    for name, _ in list(results.list()):
        if name.endswith(".png"):
            del results.objects[name]
    for entry in read_entries(results, MemoryStore()):
        assert (entry.pictures, entry.source) == ({}, None)


def test_rejected_sources_have_an_entry(results: Store) -> None:
    record = rejected(Source("b.png", b""), None, EmptyImage("the file is empty"))
    results.write("b_metadata.json", records.to_bytes(record))
    entry = list(read_entries(results, None))[1]
    assert entry.record["outcome"] == "rejected"
    assert "magnitude" not in entry.pictures


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "a//b.png", "plants"])
def test_a_source_that_cannot_be_reached_is_none(tmp_path: Path, name: str) -> None:
    store = MemoryStore()
    record = rejected(Source(name, b""), None, EmptyImage("the file is empty"))
    store.write("x_metadata.json", records.to_bytes(record))
    (tmp_path / "in" / "plants").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(b"secret")
    (entry,) = read_entries(store, open_store(tmp_path / "in"))
    assert entry.source is None


@pytest.mark.parametrize(
    "change",
    [
        {"artifacts": None},
        {"artifacts": [{}]},
        {"artifacts": [{"artifact": "magnitude"}]},
        {"artifacts": [{"artifact": "magnitude", "name": None}]},
        {"artifacts": [{"artifact": "magnitude", "name": ".."}]},
        {"artifacts": 1},
        {"source": None},
        {"source": {}},
        {"source": {"name": 1}},
    ],
    ids=str,
)
def test_a_damaged_record_is_an_entry_among_others(
    results: Store, sources: Store, change: dict[str, object]
) -> None:
    record = json.loads(results.read("a_metadata.json").data) | change
    results.write("a_metadata.json", json.dumps(record).encode())
    entries = list(read_entries(results, sources))
    assert ["magnitude" in entry.pictures for entry in entries[1:]] == [True] * 3
    assert len(entries) == len(NAMES)


@pytest.mark.parametrize("text", [b"", b"text", b"{}", b'{"schema": "other"}'])
def test_a_foreign_file_is_named(results: Store, text: bytes) -> None:
    results.write("plants/foreign_metadata.json", text)
    with pytest.raises(
        BadArtifact, match=rf"{results.url}/plants/foreign_metadata\.json: not a record"
    ):
        list(read_records(results))


def test_other_files_are_ignored(results: Store) -> None:
    results.write("notes.json", b"text")
    results.write("metadata.json", b"text")
    assert len(list(read_records(results))) == len(NAMES)


@pytest.mark.parametrize("recipe", [Recipe(), None])
def test_the_error_for_a_store_without_records_says_what_to_do(recipe: Recipe | None) -> None:
    store = analysed(MemoryStore(), recipe) if recipe else MemoryStore()
    for read in (lambda: list(read_records(store)), lambda: list(read_entries(store, None))):
        with pytest.raises(
            NotFound, match=f"{store.url}: no records found: analyse with --metadata"
        ):
            read()
