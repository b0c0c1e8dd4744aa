"""What is asked for an image: in its metadata, or in a sidecar."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fft_tool.errors import OperationsError, StoreUnavailable
from fft_tool.stores.base import Handle
from fft_tool.stores.memory import MemoryStore
from fft_tool.workflows.requests import Request, is_sidecar, read_request
from tests.support.workflows import NAME, sources_with

SIDECAR = f"{NAME}.operations.json"


def request(store: MemoryStore) -> Request:
    return read_request(store, NAME, store.stat(NAME))


def test_metadata_hold_the_operations_and_the_recipe() -> None:
    store = sources_with(asked={"operations": "blur:3", "Pixel_Size": "65nm"})
    assert request(store) == Request("blur:3", {"pixel-size": "65nm"})
    assert request(sources_with(asked={})) == Request("", {})


def test_a_sidecar_overrides_metadata_key_by_key() -> None:
    store = sources_with(asked={"operations": "blur:3", "window": "hann", "bits": "8"})
    store.write(SIDECAR, json.dumps({"operations": "sepia", "bits": 16}).encode())
    assert request(store) == Request("sepia", {"window": "hann", "bits": 16})


def test_a_sidecar_has_room_for_what_metadata_cannot_hold() -> None:
    operations = ",".join(["rotate:12.345678901234567:#a0b0c0"] * 20)
    store = sources_with(asked={})
    store.write(SIDECAR, json.dumps({"operations": operations, "note": "x" * 3000}).encode())
    found = request(store)
    assert found.operations == operations
    assert len(str(found.recipe["note"])) > 2048


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is not JSON"),
        (b"operations: blur", "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[" * 50_000, "it is not JSON"),
        (b'["blur"]', "not an object with a text called 'operations'"),
        (b"{}", "not an object with a text called 'operations'"),
        (b'{"operations": ["blur"]}', "not an object with a text called 'operations'"),
        (b'{"operations": "blur", "crop": [1, 2]}', "the value of 'crop' is not a text"),
        (b'{"operations": "%s"}' % (b"x" * 70_000), "it has more than 65,536 bytes"),
    ],
)
def test_a_malformed_sidecar_is_refused_with_its_name_and_the_form(
    content: bytes, why: str
) -> None:
    store = sources_with()
    store.write(SIDECAR, content)
    with pytest.raises(OperationsError) as caught:
        request(store)
    assert caught.value.permanent
    for part in (SIDECAR, why, '{"operations": "grayscale,blur:3"}'):
        assert part in str(caught.value)


def test_a_sidecar_that_cannot_be_read_now_is_not_taken_for_a_missing_one() -> None:
    class Slow(MemoryStore):
        def open(self, name: str) -> Handle:
            if is_sidecar(name):
                raise StoreUnavailable("slow")
            return super().open(name)

    store: Any = Slow()
    store.write(NAME, b"", metadata={"operations": "blur"})
    with pytest.raises(StoreUnavailable):
        request(store)


def test_sidecars_are_recognised_by_their_names() -> None:
    assert is_sidecar(SIDECAR)
    assert not is_sidecar("operations.json")
    assert not is_sidecar(NAME)
