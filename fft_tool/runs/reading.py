"""Reading of results: the records in a store, and the pictures that go with them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fft_tool.errors import (
    BadArtifact,
    FftToolError,
    NotAllowed,
    NotFound,
    StoreError,
    TooManyBytes,
)
from fft_tool.limits import Limits
from fft_tool.results import record as records
from fft_tool.results.entry import Entry
from fft_tool.results.registry import ARTIFACT_KINDS, RECORD
from fft_tool.runs.fetch import read_within
from fft_tool.stores.base import Store, as_folder
from fft_tool.validate import Json

SUFFIX = f"_{RECORD}.{ARTIFACT_KINDS[RECORD].extension}"


OnFault = Callable[[FftToolError], None]


def read_records(store: Store, *, on_fault: OnFault | None = None) -> Iterator[Json]:
    """Yield every record in a store, ordered by name; raises an error if there is none.

    A record or folder that cannot be read is an error, unless ``on_fault`` is given: it is called
    with the error, and the other records are read.
    """
    return (record for _, record in _named_records(store, on_fault or _raise))


def read_entries(
    store: Store, sources: Store | None, *, on_fault: OnFault | None = None
) -> Iterator[Entry]:
    """Yield every record with its pictures and, from ``sources``, its source image.

    ``on_fault`` is that of :func:`read_records`.
    """
    on_fault = on_fault or _raise
    for ref in find_entries(store, sources, on_fault=on_fault):
        try:
            entry = ref.read()
        except FftToolError as exc:
            on_fault(exc)
        else:
            yield entry


@dataclass(frozen=True, slots=True)
class EntryRef:
    """A result that has been found but not read yet: the ``name`` of its record in a store."""

    store: Store
    name: str
    sources: Store | None = None

    def read(self) -> Entry:
        """Read the record, its pictures and its source image."""
        record = _record(self.store, self.name)
        folder = self.name[: self.name.rfind("/") + 1]
        try:
            listed = records.listed_artifacts(record)
        except BadArtifact:
            listed = {}  # the report can still show the rest
        pictures = {
            kind.name: data
            for kind in ARTIFACT_KINDS.values()
            if kind.shown and kind.name in listed
            if (data := _read_if_there(self.store, folder + listed[kind.name].name)) is not None
        }
        return Entry(record, pictures, source=self._source_of(record))

    def _source_of(self, record: Json) -> bytes | None:
        """Find the source: among the sources or, made by operations, among the results."""
        found = _source_of(record, self.sources)
        if found is None and self.sources:
            made = _source_of(record, self.store)
            if made and hashlib.sha256(made).hexdigest() == record["source"].get("sha256"):
                return made
        return found


def find_entries(
    store: Store, sources: Store | None = None, *, on_fault: OnFault | None = None
) -> list[EntryRef]:
    """Find all results in a store, ordered by name; raises an error if there is none.

    A folder that cannot be listed is an error, unless ``on_fault`` is given.
    """
    return [EntryRef(store, name, sources) for name in _names(store, on_fault or _raise)]


def record_names(store: Store, on_fault: OnFault) -> list[str]:
    """Names of all records in a store; what cannot be listed is reported to ``on_fault``."""

    def cannot_list(name: str, fault: StoreError) -> None:
        if name.endswith(("/", SUFFIX)):
            on_fault(fault)

    return [name for name, _ in store.list_readable(cannot_list) if name.endswith(SUFFIX)]


def _named_records(store: Store, on_fault: OnFault) -> Iterator[tuple[str, Json]]:
    for name in _names(store, on_fault):
        try:
            record = _record(store, name)
        except FftToolError as exc:
            on_fault(exc)
        else:
            yield name, record


def _names(store: Store, on_fault: OnFault) -> list[str]:
    names = record_names(store, on_fault)
    if not names:
        raise NotFound(f"{store.url}: no records found: analyse with --metadata first")
    return names


def _record(store: Store, name: str) -> Json:
    with store.open(name) as handle:
        data = handle.read(records.LONGEST + 1)
    return records.from_bytes(data, name=as_folder(store.url) + name)


def _raise(fault: FftToolError) -> None:
    raise fault


def _source_of(record: Json, sources: Store | None) -> bytes | None:
    source = record.get("source")
    name = source.get("name") if isinstance(source, dict) else None
    return _read_if_there(sources, name) if sources and isinstance(name, str) else None


def _read_if_there(store: Store, name: str) -> bytes | None:
    try:
        return read_within(store, name, Limits())
    except (NotFound, NotAllowed, TooManyBytes):
        return None
