"""Makes a report: results are read and drawn on several threads, and written to a store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath

from fft_tool.errors import FftToolError, NotFound
from fft_tool.parallel import map_in_order
from fft_tool.report.layout import Layout
from fft_tool.report.page import ShownEntry, show, show_unreadable
from fft_tool.report.sentences import file_size
from fft_tool.runs.reading import EntryRef
from fft_tool.stores.base import Store, as_folder

HTML = "text/html; charset=utf-8"

_CONTENT_TYPES = {".html": HTML, ".css": "text/css; charset=utf-8", ".webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A result as it is shown.

    ``source`` is its name, for people, and ``fault`` the reason why it cannot be shown in full. The
    files of ``shown`` have been written; ``sizes`` has their names and bytes.
    """

    source: str
    shown: ShownEntry
    fault: FftToolError | None
    has_source: bool
    sizes: Mapping[str, int]


def draw(
    refs: Sequence[EntryRef], layout: Layout, store: Store, *, threads: int
) -> Iterator[Drawn]:
    """Draw results, write the files of those that have some, and yield them in order."""
    work = partial(_draw, layout=layout, store=store)
    return map_in_order(work, list(enumerate(refs, start=1)), threads=threads)


def _draw(numbered: tuple[int, EntryRef], *, layout: Layout, store: Store) -> Drawn:
    order, ref = numbered
    has_source, fault = True, None
    try:
        entry = ref.read()
    except FftToolError as exc:
        shown, fault = show_unreadable(ref.name, str(exc), order, layout), exc
    else:
        shown, has_source = show(entry, order, layout), entry.source is not None
    sizes = write_files(shown.files, layout, store)
    return Drawn(ref.name, replace(shown, files={}), fault, has_source, sizes)


def write_files(files: Mapping[str, bytes], layout: Layout, store: Store) -> Mapping[str, int]:
    """Write files to the report's folder in a store; returns their sizes in bytes."""
    for name, data in files.items():
        kind = _CONTENT_TYPES[PurePosixPath(name).suffix]
        store.write(layout.file(name), data, content_type=kind)
    return {name: len(data) for name, data in files.items()}


def check_sources(store: Store) -> Store:
    """Return the store of ``--sources``; raises an error if nothing is there."""
    try:
        found = next(iter(store.list_readable(lambda *_: None)), None)
    except NotFound as exc:
        raise NotFound(f"--sources {exc}") from exc
    if found is None:
        raise NotFound(f"--sources {store.url}: there are no files")
    return store


def missing_sources(drawn: Sequence[Drawn], sources: str) -> str | None:
    """Warn of sources that were not found, if there are any."""
    missing = sum(not each.has_source for each in drawn)
    if not missing:
        return None
    if missing == len(drawn):
        return f"warning: --sources {sources}: none of the {missing:,} images analysed is there"
    verb = "is" if missing == 1 else "are"
    some = f"{missing:,} of {len(drawn):,}"
    return f"warning: --sources {sources}: {some} of the images analysed {verb} not there"


def summary(location: str, layout: Layout, page: bytes, drawn: Sequence[Drawn]) -> Iterator[str]:
    """Say what was written: the page at ``location``, and the folder beside it."""
    images = f"{len(drawn):,} {'image' if len(drawn) == 1 else 'images'}"
    yield f"{location}: {images}, {file_size(len(page))}"
    if layout.folder:
        folder = as_folder(location[: location.rfind("/") + 1] + layout.folder)
        sizes = {name: size for each in drawn for name, size in each.sizes.items()}
        yield f"{folder}: {len(sizes):,} files, {file_size(sum(sizes.values()))}"
