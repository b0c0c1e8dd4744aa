"""Reading results back: the records of a store, and the artifacts beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fft_tool import record as records
from fft_tool.errors import BadArtifact, NotFound
from fft_tool.report import Entry
from fft_tool.store import Store

SUFFIX = "_metadata.json"


def read_records(store: Store) -> Iterator[dict[str, Any]]:
    """Every record below a store, in the order of names; complains if there is none."""
    return (record for _, record in _named_records(store))


def read_entries(store: Store, sources: Store | None) -> Iterator[Entry]:
    """Every record with the pictures beside it and, from ``sources``, its source."""
    for name, record in _named_records(store):
        folder = name[: name.rfind("/") + 1]
        names = {entry["artifact"]: entry["name"] for entry in record["artifacts"]}
        beside = {kind: folder + name.rpartition("/")[2] for kind, name in names.items()}
        data = {kind: _read_if_there(store, path) for kind, path in beside.items()}
        yield Entry(
            record,
            magnitude=data.get("magnitude"),
            phase=data.get("phase"),
            source=_read_if_there(sources, record["source"]["name"]) if sources else None,
            crop=data.get("crop"),
            filtered=data.get("filtered"),
        )


def _named_records(store: Store) -> Iterator[tuple[str, dict[str, Any]]]:
    found = False
    for name, _ in store.list():
        if name.endswith(SUFFIX):
            try:
                record = records.from_bytes(store.read(name).data)
            except BadArtifact as exc:
                raise BadArtifact(f"{store.url}/{name}: {exc}") from exc
            yield name, record
            found = True
    if not found:
        raise NotFound(f"{store.url}: no records there: analyse with --metadata first")


def _read_if_there(store: Store, name: str) -> bytes | None:
    try:
        return store.read(name).data
    except NotFound:
        return None
