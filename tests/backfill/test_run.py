"""What is run: counted, and named after itself; parts that are read back."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from fft_tool.backfill.parts import Line, from_part, part_name, row_of_failure, rows_of, to_part
from fft_tool.backfill.run import Order, find, run_name
from fft_tool.errors import BadArtifact, CorruptImage, NotFound
from fft_tool.recipe import Recipe
from fft_tool.results.table import COLUMNS, to_parquet
from fft_tool.stores.memory import MemoryStore

ORDER = Order("bucket", "input/", "", {"bits": "16"})


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    for name in ("input/a.png", "input/deep/b.JPG", "input/notes.txt", "other/c.png"):
        made.write(name, b"1234")
    return made


def test_images_below_the_prefix_are_counted_by_their_names(store: MemoryStore) -> None:
    found = find(store, "input/")
    assert (found.images, found.size) == (2, 8)
    assert find(store, "").images == 3


def test_only_some_keys_are_counted(store: MemoryStore) -> None:
    assert find(store, "input/", ["input/a.png"]).images == 1
    with pytest.raises(NotFound, match=r"1 of the keys .* 'other/c.png' is the first"):
        find(store, "input/", ["input/a.png", "other/c.png"])


def test_a_prefix_without_images_is_an_error(store: MemoryStore) -> None:
    with pytest.raises(NotFound, match="nowhere/: no images found"):
        find(store, "nowhere/")


def test_the_same_is_named_the_same_and_anything_else_differently(store: MemoryStore) -> None:
    found = find(store, "input/")
    name = run_name(ORDER, found, {"--state-machine": "arn"})
    assert name == run_name(replace(ORDER, concurrency=3), found, {"--state-machine": "arn"})
    others = [
        run_name(replace(ORDER, **change), found, {"--state-machine": "arn"})
        for change in (
            {"recipe": {"bits": "8"}},
            {"skip_existing": True},
            {"table": True},
            {"prefix": "input/deep/"},
            {"bucket": "another"},
        )
    ]
    others += [run_name(ORDER, found, {"--state-machine": "another"})]
    store.write("input/a.png", b"another version")
    others.append(run_name(ORDER, find(store, "input/"), {"--state-machine": "arn"}))
    assert len({name, *others}) == 1 + len(others)


# Parts.

LINES = [
    Line("input/a ö\n.png", "done"),
    Line("input/bad.png", "rejected", "corrupt-image", "cut short"),
    Line("input/\udc80.png", "failed", "bug", "x" * 5000),
]


def test_a_part_is_read_as_it_was_written() -> None:
    first, second, third = from_part(to_part(LINES))
    assert [first, second] == LINES[:2]
    assert (third.key, len(third.message)) == (LINES[2].key, 1000)


def test_the_same_lines_give_the_same_bytes() -> None:
    assert to_part(LINES) == to_part(LINES)


@pytest.mark.parametrize(
    "data", [b"no gzip", to_part(LINES)[:-9], gzip.compress(b'{"key": 1', mtime=0)]
)
def test_a_damaged_part_is_named(data: bytes) -> None:
    with pytest.raises(BadArtifact, match="some/part: damaged"):
        list(from_part(data, "some/part"))


def test_names_of_parts_differ_by_run_and_keys() -> None:
    names = {
        part_name("r", "ab"),
        part_name("r", "abc"),
        part_name("s", "ab"),
        part_name("r", "ba"),
    }
    assert len(names) == 4
    assert all(name.startswith("backfill/") for name in names)


def test_the_row_of_a_failure_says_what_is_known() -> None:
    error = CorruptImage("cut short")
    row = row_of_failure("a.png", "rejected", error, recipe=Recipe(bits=16), size=9, sha256="ab")
    assert list(row) == [column.name for column in COLUMNS]
    assert {name: value for name, value in row.items() if value is not None} == {
        "outcome": "rejected",
        "name": "a.png",
        "sha256": "ab",
        "bytes": 9,
        "error_code": "corrupt-image",
        "error_message": "cut short",
        "recipe": "bits=16",
    }
    assert row_of_failure("a.png", "failed", ValueError("no"))["error_code"] == "bug"
    assert to_parquet(rows_of([Line("a.png", "rejected", row=row)]))[:4] == b"PAR1"
