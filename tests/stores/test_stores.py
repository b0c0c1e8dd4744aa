"""The contract of all stores, and the specific guarantees of each."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fft_tool.errors import (
    NotAllowed,
    NotFound,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from fft_tool.stores.base import Store
from fft_tool.stores.folder import FolderStore
from fft_tool.stores.memory import MemoryStore
from fft_tool.stores.opening import open_store
from fft_tool.stores.s3 import S3Store
from tests.support.cloud import Bucket
from tests.support.command import disk_of, environment, obey_permissions

NAMES = [
    "a.png",
    "two words.png",
    "Wiesengrün/Großes Ä.png",
    "a+b.png",
    "100%.png",
    "%20.png",
    "😀.png",
    "#?&=;@$~!.png",
    "[1]*'\"<>|.png",
    "back\\slash.png",
    "no extension",
    "deep/er/and/deeper/still/leaf.png",
]


@pytest.fixture(params=["folder", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "folder":
        return open_store(tmp_path / "not made yet")
    bucket: Bucket = request.getfixturevalue("bucket")
    return open_store(f"{bucket.url}/some prefix/ü+%")


def filled(store: Store, objects: Mapping[str, bytes]) -> Store:
    for name, data in objects.items():
        store.write(name, data)
    return store


def first_bytes(store: Store, name: str, most: int | None) -> bytes:
    with store.open(name) as handle:
        return handle.read(most)


def reaches(store: Store, name: str) -> list[Callable[[], object]]:
    """Every way to reach an object of a store."""
    return [
        lambda: store.stat(name),
        lambda: store.read(name),
        lambda: first_bytes(store, name, 10),
        lambda: store.write(name, b""),
        lambda: store.create(name, b""),
    ]


# All stores


@pytest.mark.parametrize("name", NAMES)
def test_an_object_is_read_back_unchanged(store: Store, name: str) -> None:
    store.write(name, b"\0data\xff")
    assert store.read(name).data == b"\0data\xff"
    assert list(store.list()) == [(name, 6)]


segments = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), max_size=30
).map("_{}".format)
names = st.lists(segments, min_size=1, max_size=3).map("/".join)
numbers = itertools.count()


@given(st.dictionaries(names, st.binary(), min_size=1))
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_store_lists_and_returns_exactly_what_was_written(
    store: Store, drawn: dict[str, bytes]
) -> None:
    top = f"example {next(numbers)}"  # the store is shared between examples
    objects = {f"{top}/{index}{name}": data for index, (name, data) in enumerate(drawn.items())}
    filled(store, objects)
    assert list(store.list(top)) == [(name, len(objects[name])) for name in sorted(objects)]
    assert all(store.read(name).data == data for name, data in objects.items())


def test_a_write_replaces_an_earlier_one(store: Store) -> None:
    filled(store, {"a": b"a long first version"})
    store.write("a", b"new")
    assert store.read("a").data == b"new"
    assert list(store.list()) == [("a", 3)]


@pytest.mark.parametrize("first", [0, 1, 4, 5, 100])
def test_the_first_bytes_can_be_read_alone(store: Store, first: int) -> None:
    filled(store, {"a": b"data"})
    assert first_bytes(store, "a", first) == b"data"[:first]


def test_an_empty_object_is_an_object(store: Store) -> None:
    filled(store, {"empty": b""})
    assert store.read("empty").data == b""
    assert first_bytes(store, "empty", 10) == b""
    assert list(store.list()) == [("empty", 0)]


@pytest.mark.parametrize("first", [None, 10])
def test_the_error_for_a_missing_object_names_it(store: Store, first: int | None) -> None:
    filled(store, {"a": b""})
    with pytest.raises(NotFound, match=r"plants/missing\.png"):
        first_bytes(store, "plants/missing.png", first)
    with pytest.raises(NotFound, match=r"plants/missing\.png"):
        store.stat("plants/missing.png")


def test_names_are_listed_in_their_order_whatever_their_folders(store: Store) -> None:
    names = ["b/z.png", "a.png", "b.png", "b/a/c.png", "B.png", "z.png", "b-1.png", "ä.png"]
    filled(store, dict.fromkeys(names, b""))
    assert [name for name, _ in store.list()] == sorted(names)


@pytest.mark.parametrize("prefix", ["plants", "plants/"])
def test_a_prefix_is_a_folder_and_not_the_beginning_of_a_name(store: Store, prefix: str) -> None:
    names = ["plants/a.png", "plants/b/c.png", "plants.png", "plants2/a.png", "more/plants/a.png"]
    filled(store, dict.fromkeys(names, b""))
    assert [name for name, _ in store.list(prefix)] == ["plants/a.png", "plants/b/c.png"]
    assert [name for name, _ in store.list("plants/b")] == ["plants/b/c.png"]


def test_a_prefix_without_objects_lists_nothing(store: Store) -> None:
    filled(store, {"plants/a.png": b""})
    assert list(store.list("animals")) == []


def test_listing_may_stop_early_and_start_again(store: Store) -> None:
    filled(store, {"a": b"", "b": b""})
    assert next(iter(store.list())) == ("a", 0)
    assert len(list(store.list())) == 2


def test_what_was_deleted_is_gone_and_deleting_it_again_changes_nothing(store: Store) -> None:
    store.write("folder/a", b"1")
    store.write("folder/b", b"2")
    for _ in range(2):
        store.delete("folder/a")
    assert [name for name, _ in store.list()] == ["folder/b"]
    with pytest.raises(NotFound):
        store.read("folder/a")
    assert store.create("folder/a", b"3")


def test_threads_may_share_a_store(store: Store) -> None:
    def work(number: int) -> bool:
        name, data = f"{number % 3}/{number}", bytes([number]) * 100
        store.write(name, data)
        store.write("contested", data)
        return store.read(name).data == data and len(list(store.list())) >= 2

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(24)))
    assert len(list(store.list())) == 25
    assert len(set(store.read("contested").data)) == 1


@pytest.mark.parametrize("store", ["folder", "s3"], indirect=True)
def test_the_url_opens_the_same_store(store: Store) -> None:
    store.write("a.png", b"data")
    again = open_store(store.url)
    assert again.url == store.url
    assert again.read("a.png").data == b"data"


def test_stat_and_read_return_the_same_metadata(store: Store) -> None:
    store.write("a", b"data", metadata={"crop": "square"})
    stat = store.stat("a")
    assert stat.size == 4
    with store.open("a") as handle:
        assert store.read("a").stat == handle.stat == stat


@pytest.mark.parametrize("store", ["memory", "s3"], indirect=True)
def test_only_user_defined_metadata_are_returned(store: Store) -> None:
    metadata = {"crop": "10,10,200,200", "filter": "notch:8,90+stripe:90"}
    store.write("with", b"", content_type="image/png", metadata=metadata)
    store.write("without", b"", content_type="image/png")
    assert store.stat("with").metadata == metadata
    assert store.stat("without").metadata == {}
    store.write("with", b"")
    assert store.stat("with").metadata == {}


@pytest.mark.parametrize("store", ["memory", "s3"], indirect=True)
def test_etags_change_with_the_content(store: Store) -> None:
    filled(store, {"a": b"1"})
    before = store.stat("a").etag
    filled(store, {"a": b"2"})
    assert before not in (None, store.stat("a").etag)


def test_the_size_of_an_object_is_known_before_its_content_is_read(store: Store) -> None:
    filled(store, {"a": b"data"})
    with store.open("a") as handle:
        assert handle.stat == store.stat("a")
    with store.open("a") as handle:
        assert handle.read() == b"data"


def test_an_object_is_created_only_once(store: Store) -> None:
    filled(store, {"written": b"old"})
    assert store.create("deep/new", b"first", content_type="application/json")
    for name, data in (("deep/new", b"first"), ("written", b"old")):
        assert not store.create(name, b"second")
        assert store.read(name).data == data
    store.write("deep/new", b"third")
    assert store.read("deep/new").data == b"third"
    assert [name for name, _ in store.list()] == ["deep/new", "written"]


def test_of_many_who_create_the_same_object_one_succeeds(store: Store) -> None:
    def create(number: int) -> bool:
        return store.create("contested", bytes([number]) * 1000)

    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(create, range(24)))
    assert sum(created) == 1
    assert store.read("contested").data == bytes([created.index(True)]) * 1000
    assert list(store.list()) == [("contested", 1000)]


def test_entries_are_what_stat_says_of_each_object(store: Store) -> None:
    filled(store, {"a": b"1", "deep/b": b"22", "deep/er/c": b"", "deeper": b"4444"})
    for prefix, names in (("", ["a", "deep/b", "deep/er/c", "deeper"]), ("deep", ["deep/b"])):
        entries = list(store.entries(prefix))
        assert [entry.name for entry in entries][: len(names)] == names
        for entry in entries:
            stat = store.stat(entry.name)
            assert (entry.size, entry.etag) == (stat.size, stat.etag)


def test_the_etag_in_a_listing_changes_with_the_content(store: Store) -> None:
    filled(store, {"a": b"1", "b": b"1"})
    before = {entry.name: entry.etag for entry in store.entries()}
    store.write("a", b"2")
    after = {entry.name: entry.etag for entry in store.entries()}
    assert before["a"] != after["a"]
    assert before["b"] == after["b"] is not None


def test_a_memory_store_can_be_reopened_by_name_as_long_as_it_is_referenced() -> None:
    store = MemoryStore()
    store.write("a", b"data")
    assert open_store(store.url) is store
    named = open_store("memory:results")
    assert open_store("memory:results") is named
    assert store is not named is not MemoryStore()


@pytest.mark.parametrize(
    ("location", "kind", "url"),
    [
        ("memory:results", MemoryStore, "memory:results"),
        ("results", FolderStore, "results"),
        ("results/", FolderStore, "results"),
        (Path("results"), FolderStore, "results"),
        ("s3://bucket", S3Store, "s3://bucket"),
        ("s3://bucket/", S3Store, "s3://bucket"),
        ("s3://bucket/a/b/", S3Store, "s3://bucket/a/b"),
        ("s3://bucket//", S3Store, "s3://bucket//"),
        ("s3://bucket//a", S3Store, "s3://bucket//a"),
        ("s3://bucket/a//", S3Store, "s3://bucket/a//"),
    ],
)
@pytest.mark.usefixtures("aws_keys")
def test_the_type_of_store_depends_on_the_location(
    location: str | Path, kind: type, url: str
) -> None:
    opened = open_store(location)
    assert (type(opened), opened.url) == (kind, url)


@pytest.mark.parametrize("location", ["ftp://host/folder", "s3://", "s3:///prefix", "://"])
def test_other_locations_are_rejected_and_the_message_says_what_is_allowed(location: str) -> None:
    with pytest.raises(NotFound, match="should be a folder or s3://bucket/prefix"):
        open_store(location)


def test_memory_keeps_its_own_copy() -> None:
    metadata = {"crop": "square"}
    data: Any = bytearray(b"data")
    store = MemoryStore()
    store.write("a", data, metadata=metadata)
    data[:] = b"gone"
    metadata.clear()
    assert store.read("a").data == b"data"
    assert store.stat("a").metadata == {"crop": "square"}


# Folders


def below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "..", "a\0b"])
def test_names_that_lead_out_of_the_folder_are_not_allowed(tmp_path: Path, name: str) -> None:
    store = FolderStore(tmp_path / "in")
    for reach in reaches(store, name):
        with pytest.raises(NotAllowed):
            reach()


@pytest.mark.parametrize("name", ["a//b", "./a", "a/./b", "a/", "a/b//", ".", ""])
def test_two_names_never_denote_the_same_file(tmp_path: Path, name: str) -> None:
    """S3 allows such keys; on a disk, each would denote another file."""
    store = filled(FolderStore(tmp_path), {"a/b": b"data"})
    for reach in reaches(store, name):
        with pytest.raises(NotAllowed, match="not a valid file name"):
            reach()
    assert below(tmp_path) == ["a", "a/b"]


def test_nothing_outside_the_folder_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"precious")
    store = FolderStore(tmp_path / "store")
    store.write("a", b"1")
    (tmp_path / "store" / "link").symlink_to(tmp_path / "outside")
    for name in ("../outside", "link", str(tmp_path / "outside")):
        with pytest.raises(NotAllowed):
            store.delete(name)
    assert (tmp_path / "outside").read_bytes() == b"precious"


def test_a_folder_is_not_deleted_as_if_it_were_a_file(tmp_path: Path) -> None:
    FolderStore(tmp_path).write("folder/a", b"1")
    with pytest.raises(StoreError):
        FolderStore(tmp_path).delete("folder")
    assert FolderStore(tmp_path).exists("folder/a")


def test_hidden_files_and_folders_are_not_listed(tmp_path: Path) -> None:
    names = [".DS_Store", ".git/config.png", ".fft-tool-0.part", "a/.hidden.png", "a/b.png"]
    store = filled(FolderStore(tmp_path), dict.fromkeys(names, b""))
    assert list(store.list()) == [("a/b.png", 0)]


def test_loops_of_links_do_not_trap_the_listing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "circle").symlink_to(tmp_path)
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "b.png").write_bytes(b"data")
    (tmp_path / "linked.png").symlink_to(tmp_path / "b.png")
    assert list(FolderStore(tmp_path).list()) == [("b.png", 4), ("linked.png", 4)]


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A folder with links that lead out of it: of a file, and of a folder."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.png").write_bytes(b"secret")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "out.png").symlink_to(tmp_path / "secret" / "key.png")
    (folder / "way").symlink_to(tmp_path / "secret")
    (folder / "own.png").write_bytes(b"own")
    (folder / "in.png").symlink_to(folder / "own.png")
    return folder


def test_links_that_lead_out_of_a_folder_are_not_followed(linked: Path) -> None:
    store = FolderStore(linked)
    assert [name for name, _ in store.list()] == ["in.png", "own.png"]
    assert store.read("in.png").data == b"own"
    with pytest.raises(NotAllowed, match="leads out of"):
        list(store.list("way"))
    for name in ("out.png", "way/key.png"):
        with pytest.raises(NotAllowed, match="leads out of"):
            store.read(name)
        with pytest.raises(NotAllowed, match="leads out of"):
            store.stat(name)
    for name in ("way/new.png", "out.png"):
        with pytest.raises(NotAllowed, match="leads out of"):
            store.write(name, b"data")
    assert (linked / "out.png").is_symlink()
    assert (linked.parent / "secret" / "key.png").read_bytes() == b"secret"
    assert sorted(path.name for path in (linked.parent / "secret").iterdir()) == ["key.png"]


def test_a_link_that_stays_in_a_folder_is_written_through(linked: Path) -> None:
    (linked / "new.png").symlink_to("deep/file.png")
    store = FolderStore(linked)
    for link, file in (("in.png", "own.png"), ("new.png", "deep/file.png")):
        store.write(link, b"new")
        assert (linked / link).is_symlink()
        assert (linked / file).read_bytes() == b"new"
    assert not list(linked.rglob(".*"))


def test_a_folder_may_itself_be_a_link(linked: Path) -> None:
    link = linked.parent / "link"
    link.symlink_to(linked)
    store = FolderStore(link)
    assert store.read("own.png").data == b"own"
    store.write("deep/new.png", b"data")
    assert (linked / "deep" / "new.png").read_bytes() == b"data"


def test_nothing_is_created_where_a_link_is(linked: Path) -> None:
    (linked / "new.png").symlink_to("deep/file.png")
    store = FolderStore(linked)
    assert not store.create("new.png", b"data")
    assert not store.create("in.png", b"data")
    assert not (linked / "deep").exists()
    assert store.read("own.png").data == b"own"


def test_an_interrupted_creation_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(path: Path, _: object) -> None:
        path.touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", interrupt)
        with pytest.raises(KeyboardInterrupt):
            FolderStore(tmp_path).create("b.png", b"new")
    assert below(tmp_path) == []
    assert FolderStore(tmp_path).create("b.png", b"new")


def test_a_loop_of_links_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "a.png")
    store = FolderStore(tmp_path)
    for reach in (lambda: store.read("a.png"), lambda: store.write("a.png", b"")):
        with pytest.raises(NotAllowed, match=r"a\.png: too many levels of symbolic links"):
            reach()
    faults: dict[str, StoreError] = {}
    assert list(store.list_readable(faults.__setitem__)) == []
    assert list(faults) == ["a.png"]


def test_a_file_that_grows_is_read_to_the_size_by_which_it_was_judged(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"data")
    with FolderStore(tmp_path).open("a") as handle:
        (tmp_path / "a").write_bytes(b"data and more")
        assert (handle.stat.size, handle.read()) == (4, b"data")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_special_files_are_rejected_immediately(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name, told in (("pipe.png", "not a regular file"), ("folder.png", "folder")):
        with pytest.raises(NotAllowed, match=told):
            FolderStore(tmp_path).read(name)
        with pytest.raises(NotAllowed):
            FolderStore(tmp_path).stat(name)
    with pytest.raises(NotAllowed, match="not a regular file"):
        FolderStore(Path("/dev")).read("zero")
    assert list(FolderStore(tmp_path).list()) == []


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_special_files_are_neither_read_nor_replaced(tmp_path: Path, kind: str) -> None:
    """Otherwise ``-o /dev/null`` would replace the device."""
    if kind == "pipe":
        os.mkfifo(tmp_path / "special")
    else:
        with socket.socket(socket.AF_UNIX) as listener, contextlib.chdir(tmp_path):
            listener.bind("special")  # its whole path may be too long for a socket
    for reach in reaches(FolderStore(tmp_path), "special"):
        with pytest.raises(NotAllowed, match="special: is not a regular file; - is standard input"):
            reach()
    assert below(tmp_path) == ["special"]
    assert not (tmp_path / "special").is_file()


def test_a_folder_that_is_missing_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="missing: no such folder"):
        list(FolderStore(tmp_path / "missing").list())


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.EACCES, NotAllowed),
        (errno.EROFS, NotAllowed),
        (errno.EIO, StoreUnavailable),
    ],
)
def test_a_failed_write_leaves_the_old_object(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    number: int,
    error: type[StoreError],
) -> None:
    store = filled(FolderStore(tmp_path), {"a/b.png": b"old"})

    def fail(path: Path, *_: object) -> None:
        path.touch()
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, step, fail)
    with pytest.raises(error, match=rf"b\.png: {os.strerror(number).lower()}"):
        store.write("a/b.png", b"new")
    assert below(tmp_path) == ["a", "a/b.png"]
    assert store.read("a/b.png").data == b"old"


def test_an_interrupted_write_leaves_the_old_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(path: Path, _: object) -> None:
        path.touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupt)
    with pytest.raises(KeyboardInterrupt):
        FolderStore(tmp_path).write("b.png", b"new")
    assert below(tmp_path) == []


def test_a_reader_never_sees_a_partial_object(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    versions = (b"a" * 300_000, b"b" * 200_000)
    store.write("a", versions[0])
    done = threading.Event()

    def write() -> None:
        for turn in range(100):
            store.write("a", versions[turn % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not done.is_set():
        seen.add(store.read("a").data)
    writer.join()
    assert seen <= set(versions)


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX's")
@pytest.mark.parametrize(
    ("umask", "file", "folder"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700)]
)
def test_permissions_are_the_usual_ones(tmp_path: Path, umask: int, file: int, folder: int) -> None:
    before = os.umask(umask)
    try:
        FolderStore(tmp_path).write("a/b.png", b"")
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "a", tmp_path / "a" / "b.png")]
    assert modes == [folder, file]


def test_a_file_where_a_folder_should_be_is_an_error_with_a_reason(tmp_path: Path) -> None:
    store = filled(FolderStore(tmp_path), {"file": b"", "folder/a": b""})
    for reach in reaches(store, "file/a"):
        with pytest.raises(NotAllowed, match="file"):
            reach()
    for reach in reaches(store, "folder"):
        with pytest.raises(NotAllowed, match="folder: is a directory"):
            reach()
    with pytest.raises(NotAllowed, match="too long"):
        store.write("a" * 300, b"")
    assert below(tmp_path) == ["file", "folder", "folder/a"]


def elsewhere(code: str, cwd: Path, before: Callable[[], None]) -> list[str]:
    """Run code with ``store``, a folder store of ``cwd``, in another process; return its output."""
    opening = (
        "from fft_tool.errors import *\n"
        "from fft_tool.stores.opening import *\n"
        "store = open_store('.')\n"
    )
    command = [sys.executable, "-c", opening + code]
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment(),
        preexec_fn=before,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.splitlines()


def test_a_full_disk_is_reported_and_leaves_nothing_behind(tmp_path: Path) -> None:
    code = """
store.write("small", bytes(1000))
try:
    store.write("a/large", bytes(100_000))
except StoreFull as exc:
    print(exc)
"""
    (message,) = elsewhere(code, tmp_path, disk_of(50_000))
    assert message.startswith("a/large: ")
    assert below(tmp_path) == ["a", "small"]


def test_forbidden_files_and_folders_are_reported_and_never_skipped(tmp_path: Path) -> None:
    filled(FolderStore(tmp_path), {"file": b"", "secret/a.png": b"", "fixed/a": b""})
    (tmp_path / "file").chmod(0)
    (tmp_path / "secret").chmod(0)
    (tmp_path / "fixed").chmod(0o555)
    code = """
def attempt(call):
    try:
        print(call())
    except NotAllowed as exc:
        print(exc)
attempt(lambda: store.read("file"))
attempt(lambda: store.read("secret/a.png"))
attempt(lambda: store.write("fixed/b", b""))
attempt(lambda: list(store.list("secret")))
attempt(lambda: list(store.list()))
faults = {}
print([name for name, _ in store.list_readable(faults.__setitem__)])
print(*(f"{name} {fault}" for name, fault in faults.items()))
"""
    told = elsewhere(code, tmp_path, obey_permissions)
    (tmp_path / "secret").chmod(0o755)
    assert told == [
        "file: permission denied",
        "secret/a.png: permission denied",
        "fixed/b: permission denied",
        "secret: permission denied",
        "secret: permission denied",
        "['file', 'fixed/a']",
        "secret/ secret: permission denied",
    ]
