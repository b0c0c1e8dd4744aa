"""Resolution of arguments to sources: what is included, in which order, and what is rejected."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from fft_tool.errors import (
    AmbiguousSources,
    FftToolError,
    NoSuchBucket,
    NotAllowed,
    NotFound,
    TooManyBytes,
    TooMuchMemory,
    UnknownFormat,
)
from fft_tool.limits import FIXED_MEMORY, Limits
from fft_tool.runs.sources import SUFFIXES, SourceRef, find_sources, is_image_name
from tests.support.cloud import Bucket


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(name.encode())


def found(*arguments: str) -> list[tuple[str, str]]:
    refs = find_sources(arguments, stdin=None)
    return [(ref.store, ref.name) for ref in refs]


def test_a_file_is_named_without_its_folder() -> None:
    touch("a.png", "plants/b.jpg")
    assert found("a.png", "plants/b.jpg") == [(".", "a.png"), ("plants", "b.jpg")]


def test_an_explicitly_named_file_may_have_any_extension() -> None:
    touch("scan", "scan.dat", ".hidden")
    names = ["scan", "scan.dat", ".hidden"]
    assert found(*names) == [(".", name) for name in names]


def test_a_folder_gives_all_images_below_it_with_their_folders() -> None:
    touch("in/b.png", "in/a.png", "in/plants/c.png", "in/plants/wild/d.png", "other/e.png")
    names = ["a.png", "b.png", "plants/c.png", "plants/wild/d.png"]
    assert found("in") == [("in", name) for name in names]
    assert found("in/") == [("in", name) for name in names]
    assert {name for _, name in found(".")} == {*(f"in/{name}" for name in names), "other/e.png"}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_images_in_a_folder_are_recognised_by_extension(suffix: str) -> None:
    touch(f"in/small{suffix}", f"in/LARGE{suffix.upper()}", f"in/not{suffix}.txt", "in/x.svg")
    assert [name for _, name in found("in")] == [f"LARGE{suffix.upper()}", f"small{suffix}"]


def test_hidden_files_and_folders_are_skipped() -> None:
    touch("in/a.png", "in/.b.png", "in/.git/c.png", "in/._a.png")
    assert found("in") == [("in", "a.png")]


@pytest.mark.parametrize("name", ["a.txt", "png", "a.png.txt", "a", "a_metadata.json", ""])
def test_other_names_are_not_image_names(name: str) -> None:
    assert not is_image_name(name)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("in/*.png", ["a.png", "b.png"]),
        ("in/**/*.png", ["a.png", "b.png", "c.png"]),
        ("in/?.png", ["a.png", "b.png"]),
        ("*/plants/*", ["c.png"]),
        ("in/[b-z].png", ["b.png"]),
    ],
)
def test_an_unexpanded_pattern_is_expanded(pattern: str, names: list[str]) -> None:
    touch("in/b.png", "in/a.png", "in/plants/c.png", "in/.hidden.png", "in/text.txt")
    assert sorted(name for _, name in found(pattern)) == names


def test_an_existing_file_whose_name_looks_like_a_pattern_is_taken_literally() -> None:
    touch("a[1].png", "a1.png")
    assert found("a[1].png") == [(".", "a[1].png")]


@pytest.mark.parametrize("pattern", ["*.png", "in/**/*.tif", "[ab].png"])
def test_a_pattern_that_matches_nothing_is_an_error(pattern: str) -> None:
    with pytest.raises(NotFound) as caught:
        found(pattern)
    assert str(caught.value) == f"{pattern}: no file matches"


def test_the_error_for_a_folder_without_images_lists_the_extensions() -> None:
    touch("in/text.txt")
    with pytest.raises(NotFound, match=r"^in: no images found \(\.png, "):
        found("in")


def test_a_missing_file_does_not_stop_others() -> None:
    touch("a.png", "b.png")
    refs = find_sources(["a.png", "missing.png", "b.png"], stdin=None)
    assert [str(ref) for ref in refs] == ["a.png", "missing.png", "b.png"]
    with pytest.raises(NotFound, match=r"missing\.png"):
        refs[1].read()
    assert refs[2].read().data == b"b.png"


def test_sources_are_in_the_order_of_the_arguments() -> None:
    touch("in/b.png", "in/a.png", "z.png", "c.png")
    assert [name for _, name in found("z.png", "in", "c.png")] == [
        "z.png",
        "a.png",
        "b.png",
        "c.png",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["in/a.png", "in/a.png"],
        ["in/a.png", "./in/a.png"],
        ["in", "in/a.png"],
        ["in/a.png", "in/*.png"],
        ["in", "in/"],
    ],
)
def test_a_source_that_is_named_twice_is_taken_once(arguments: list[str]) -> None:
    touch("in/a.png")
    assert [name for _, name in found(*arguments)] == ["a.png"]


def test_sources_whose_outputs_would_share_a_name_are_rejected() -> None:
    touch("x/a.png", "y/a.png")
    with pytest.raises(AmbiguousSources) as caught:
        found("x/a.png", "y/a.png")
    assert "x/a.png" in str(caught.value)
    assert "y/a.png" in str(caught.value)
    assert "common folder" in str(caught.value)


def test_the_common_folder_makes_them_different() -> None:
    touch("in/x/a.png", "in/y/a.png", "in/a.jpg", "in/a.png", "in/a.jpg.png")
    assert len(found("in")) == 5


def test_standard_input_is_one_source_read_once() -> None:
    (ref,) = find_sources(["-"], stdin=io.BytesIO(b"data"))
    assert str(ref) == "standard input"
    assert (ref.name, ref.read().data) == ("stdin.png", b"data")


class Endless(io.RawIOBase):
    """``/dev/zero``, or one that begins like an image; it counts what is read of it."""

    def __init__(self, start: bytes) -> None:
        self.start, self.count = start, 0

    def read(self, size: int = -1) -> bytes:
        assert 0 < size <= 1 << 20, "an unbounded read"
        data = self.start.ljust(size, b"\0") if not self.count else bytes(size)
        self.count += size
        return data


def test_a_pipe_without_end_is_refused_by_its_first_bytes() -> None:
    pipe = Endless(b"")
    (ref,) = find_sources(["-"], stdin=pipe)  # type: ignore[arg-type]
    with pytest.raises(UnknownFormat):
        ref.read()
    assert pipe.count <= 4096


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (Limits(max_bytes=5 << 20), TooManyBytes),
        (Limits(max_memory=FIXED_MEMORY + (5 << 20)), TooMuchMemory),
    ],
)
def test_a_pipe_without_end_is_read_no_further_than_is_accepted(
    limits: Limits, error: type[FftToolError]
) -> None:
    pipe = Endless(b"\x89PNG\r\n\x1a\n")
    (ref,) = find_sources(["-"], stdin=pipe, limits=limits)  # type: ignore[arg-type]
    with pytest.raises(error):
        ref.read()
    assert pipe.count <= 7 << 20


def test_a_closed_pipe_stops_no_other() -> None:
    touch("a.png")
    closed, file = find_sources(["-", "a.png"], stdin=None)
    with pytest.raises(NotFound, match="standard input is closed"):
        closed.read()
    assert file.read().data == b"a.png"


def test_an_open_file_may_be_named_as_shells_do() -> None:
    read, write = os.pipe()
    os.write(write, b"data")
    os.close(write)
    (ref,) = find_sources([f"/dev/fd/{read}"], stdin=None)
    os.close(read)
    assert (str(ref), ref.name) == (f"/dev/fd/{read}", f"fd{read}.png")
    assert ref.read().data == b"data"


def test_what_a_folder_holds_that_cannot_be_read_is_a_source_with_its_fault() -> None:
    touch("in/a.png", "in/z.png")
    Path("in/loop.png").symlink_to("loop.png")
    Path("in/loop.txt").symlink_to("loop.txt")  # promises no image
    refs = find_sources(["in"], stdin=None)
    assert [str(ref) for ref in refs] == ["in/a.png", "in/loop.png", "in/z.png"]
    with pytest.raises(NotAllowed, match=r"in/loop\.png: too many levels of symbolic links"):
        refs[1].read()


def test_standard_input_cannot_be_named_twice() -> None:
    with pytest.raises(AmbiguousSources):
        find_sources(["-", "-"], stdin=io.BytesIO(b"data"))


@pytest.mark.skipif(os.name != "posix", reason="other systems have only Unicode names")
def test_names_need_not_be_unicode() -> None:
    name = os.fsdecode(b"in/\xff.png")
    touch("in/ok.png")
    Path(name).write_bytes(b"data")
    refs = find_sources(["in"], stdin=None)
    assert b"data" in [ref.read().data for ref in refs]


def test_an_object_in_s3_is_named_without_its_prefix(bucket: Bucket) -> None:
    bucket.put("in/plants/ä b.png", b"data")
    url = f"{bucket.url}/in/plants/ä b.png"
    (ref,) = find_sources([url], stdin=None)
    assert (str(ref), ref.name, ref.read().data) == (url, "ä b.png", b"data")


def test_an_empty_object_in_s3_is_still_an_object(bucket: Bucket) -> None:
    bucket.put("in/empty.png", b"")
    assert found(f"{bucket.url}/in/empty.png") == [(f"{bucket.url}/in", "empty.png")]


@pytest.mark.parametrize("end", ["", "/"])
def test_a_prefix_in_s3_gives_all_images_below_it(bucket: Bucket, end: str) -> None:
    for key in ("in/b.PNG", "in/a.png", "in/x/c.tif", "in/text.txt", "into/d.png", "e.png"):
        bucket.put(key, b"")
    assert found(f"{bucket.url}/in{end}") == [
        (f"{bucket.url}/in", name) for name in ("a.png", "b.PNG", "x/c.tif")
    ]
    assert len(found(f"{bucket.url}{end}")) == 5


def test_an_empty_prefix_in_s3_is_an_error(bucket: Bucket) -> None:
    with pytest.raises(NotFound, match=f"^{bucket.url}/in: no images found"):
        found(f"{bucket.url}/in")


def test_a_missing_bucket_is_an_error(bucket: Bucket) -> None:
    for end in ("", "/in", "/in/a.png"):
        with pytest.raises(NoSuchBucket, match=f"{bucket.name}-other: the bucket does not exist"):
            found(f"{bucket.url}-other{end}")


def test_files_and_objects_can_be_combined(bucket: Bucket) -> None:
    touch("a.png")
    bucket.put("b.png", b"data")
    assert found("a.png", f"{bucket.url}/b.png") == [(".", "a.png"), (bucket.url, "b.png")]
    bucket.put("a.png", b"data")
    with pytest.raises(AmbiguousSources, match=r"a\.png and"):
        found("a.png", f"{bucket.url}/a.png")


def test_the_text_of_a_source_is_its_location() -> None:
    assert str(SourceRef("in", "a.png")) == "in/a.png"
    assert str(SourceRef(".", "a.png")) == "a.png"
    assert str(SourceRef("s3://bucket/in", "x/a.png")) == "s3://bucket/in/x/a.png"
    assert str(SourceRef("/", "a.png")) == "/a.png"
