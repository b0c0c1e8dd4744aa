"""Reading of results: the records in a store, and the pictures that go with them."""

from __future__ import annotations

from collections.abc import Iterator

from fft_tool.errors import BadArtifact, NotAllowed, NotFound, TooManyBytes
from fft_tool.limits import Limits
from fft_tool.results import record as records
from fft_tool.results.entry import Entry
from fft_tool.results.registry import ARTIFACT_KINDS, RECORD
from fft_tool.runs.fetch import read_within
from fft_tool.stores.base import Store, as_folder
from fft_tool.validate import Json

SUFFIX = f"_{RECORD}.{ARTIFACT_KINDS[RECORD].extension}"


def read_records(store: Store) -> Iterator[Json]:
    """Yield every record in a store, ordered by name; raises an error if there is none."""
    return (record for _, record in _named_records(store))


def read_entries(store: Store, sources: Store | None) -> Iterator[Entry]:
    """Yield every record with its pictures and, from ``sources``, its source image."""
    for name, record in _named_records(store):
        folder = name[: name.rfind("/") + 1]
        try:
            listed = records.listed_artifacts(record)
        except BadArtifact:
            listed = {}  # the report can still show the rest
        pictures = {
            kind.name: data
            for kind in ARTIFACT_KINDS.values()
            if kind.shown and kind.name in listed
            if (data := _read_if_there(store, folder + listed[kind.name].name)) is not None
        }
        yield Entry(record, pictures, source=_source_of(record, sources))


def _named_records(store: Store) -> Iterator[tuple[str, Json]]:
    found = False
    for name, _ in store.list():
        if name.endswith(SUFFIX):
            place = as_folder(store.url) + name
            with store.open(name) as handle:
                data = handle.read(records.LONGEST + 1)
            yield name, records.from_bytes(data, name=place)
            found = True
    if not found:
        raise NotFound(f"{store.url}: no records found: analyse with --metadata first")


def _source_of(record: Json, sources: Store | None) -> bytes | None:
    source = record.get("source")
    name = source.get("name") if isinstance(source, dict) else None
    return _read_if_there(sources, name) if sources and isinstance(name, str) else None


def _read_if_there(store: Store, name: str) -> bytes | None:
    try:
        return read_within(store, name, Limits())
    except (NotFound, NotAllowed, TooManyBytes):
        return None
