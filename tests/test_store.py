"""All stores keep one contract; each keeps its own promises besides."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fft_tool.errors import NotAllowed, NotFound, StoreError, StoreFull, StoreUnavailable
from fft_tool.store import FolderStore, MemoryStore, S3Store, Store, open_store
from tests.cloud import Bucket, answering
from tests.command import disk_of, environment, obey_permissions

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
Reach = Callable[[Store], object]


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


# What all stores have in common


@pytest.mark.parametrize("name", NAMES)
def test_an_object_comes_back_as_it_was_written(store: Store, name: str) -> None:
    store.write(name, b"\0data\xff")
    assert store.read(name).data == b"\0data\xff"
    assert list(store.list()) == [(name, 6)]


segments = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), max_size=30
)


@given(st.dictionaries(st.lists(segments, min_size=1, max_size=3).map(tuple), st.binary()))
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_store_lists_and_gives_exactly_what_was_written(
    store: Store, drawn: dict[tuple[str, ...], bytes]
) -> None:
    top = f"t{next(_numbers)}"  # the store lives on from example to example
    objects = {
        "/".join((top, *(f"{index}-{depth}{part}" for depth, part in enumerate(parts)))): data
        for index, (parts, data) in enumerate(drawn.items())
    }
    filled(store, {**objects, f"{top}/last": b""})
    found = list(store.list(top))
    assert found == sorted((name, len(data)) for name, data in (*objects.items(), found[-1:] and (f"{top}/last", b"")))
    assert all(store.read(name).data == data for name, data in objects.items())
