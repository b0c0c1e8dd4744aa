"""Resolution of arguments to sources: files, folders, globs, ``-``, ``/dev/fd/3``, store URLs."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from fft_tool.errors import AmbiguousSources, FftToolError, NotAllowed, NotFound
from fft_tool.limits import Limits
from fft_tool.recipe import Recipe
from fft_tool.results.naming import EXTENSIONS, output_base, output_name
from fft_tool.results.outputs import Source
from fft_tool.runs.fetch import read_stream
from fft_tool.runs.one import Input, LastRead
from fft_tool.stores.base import Store, as_folder
from fft_tool.stores.folder import is_file, is_folder
from fft_tool.stores.memory import MemoryStore
from fft_tool.stores.opening import open_store
from fft_tool.stores.special import STDIN, descriptor_of, open_descriptor

SUFFIXES = (
    *(".png", ".tif", ".tiff", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".avif"),
    *(".pbm", ".pgm", ".ppm", ".pnm", ".npy"),
)
STDIN_NAME = "stdin.png"

STANDARD_INPUT = "standard input"

_LAST_READ = LastRead()  # one for each process


@dataclass(frozen=True, slots=True)
class SourceRef:
    """A reference to a source: its name in a store, or its bytes if read from standard input.

    Outputs are named after ``name``. ``file`` is the target of a symbolic link that the user named
    explicitly; links found inside a folder must not lead out of it. ``fault`` is set if it is known
    already that the source cannot be read; ``pipe`` is how messages refer to a pipe; ``page`` is
    set if each page of the file is analysed on its own.
    """

    store: str
    name: str
    data: bytes | None = None
    file: Path | None = None
    fault: FftToolError | None = None
    pipe: str | None = None
    page: int | None = None

    def __str__(self) -> str:
        text = self.pipe or _joined(self.store, self.name)
        return text if self.page is None else f"{text}, frame {self.page}"

    def recipe(self, recipe: Recipe) -> Recipe:
        """Return the recipe for this source: that of its page, if each page is analysed."""
        return recipe if self.page is None else replace(recipe, frame=self.page)

    def read(self, *, profile: bool = False) -> Source:
        """Fetch the source."""
        return self.opened(profile=profile).read()

    def opened(self, *, profile: bool = False) -> Input:
        """Open the store that holds the source; raises ``fault`` if that is set."""
        if self.fault:
            raise self.fault
        found = self._located(profile)
        return found if self.page is None else replace(found, page=self.page, last_read=_LAST_READ)

    def _located(self, profile: bool) -> Input:
        if self.data is not None:
            piped = MemoryStore()
            piped.write(self.name, self.data)
            return Input(piped, self.name, self.name)
        if self.file:
            return Input(open_store(self.file.parent), self.file.name, self.name)
        return Input(open_store(self.store, profile=profile), self.name, self.name)


Names = Callable[[SourceRef], Iterable[str]]
"""Gives the names of all outputs of a source."""


def find_sources(
    arguments: Iterable[str],
    *,
    stdin: BinaryIO | None,
    limits: Limits | None = None,
    leave_out: str | None = None,
    profile: bool = False,
) -> list[SourceRef]:
    """Resolve arguments to sources, in order.

    Folders and prefixes stand for all images below them, recognised by extension, except those
    below ``leave_out``, the folder of results. A file named explicitly may have any extension. An
    error is raised if outputs of two sources would have the same name, or if nothing matches an
    argument. Anything in a folder that cannot be read, such as a subfolder without permission or a
    loop of links, is returned as a source with a fault.

    ``-`` is ``stdin``, which is None if it is closed. It is read at once, within ``limits``, as are
    ``/dev/stdin`` and the names that shells give to open files, as in ``<(command)``.
    """
    limits = limits or Limits()
    found: dict[str, SourceRef] = {}  # by location, so that duplicates are dropped
    for argument in arguments:
        number = STDIN if argument == "-" else descriptor_of(argument)
        if number is not None:
            found[f"- {len(found)}"] = _piped(argument, number, stdin, limits)
            continue
        bucket = "://" in argument
        for ref in (
            _in_bucket(argument, leave_out, profile) if bucket else _on_disk(argument, leave_out)
        ):
            found.setdefault(_location(ref.store, ref.name), ref)
    refs = list(found.values())
    _refuse_shared_names(ref for ref in refs if ref.fault is None)
    return refs


def _piped(argument: str, number: int, stdin: BinaryIO | None, limits: Limits) -> SourceRef:
    """Read a source from an open file."""
    name, label = STDIN_NAME, STANDARD_INPUT
    if number != STDIN:
        name, label = f"fd{number}.png", argument
    ref = SourceRef("", name, pipe=label)
    try:
        if number != STDIN:
            with open_descriptor(argument, number) as stream:
                return replace(ref, data=read_stream(stream, label, limits))
        if stdin is None:
            raise NotFound("standard input is closed")
        return replace(ref, data=read_stream(stdin, label, limits))
    except FftToolError as exc:
        return replace(ref, fault=exc)


def analysis_names(ref: SourceRef) -> Iterable[str]:
    """Names of all outputs that an analysis may have."""
    return (output_name(ref.name, kind, ref.page) for kind in EXTENSIONS)


def refuse_overwriting(
    refs: Iterable[SourceRef], target: str, names: Names = analysis_names
) -> None:
    """Raise an error if an output would overwrite one of the sources."""
    sources = {_location(ref.store, ref.name): ref for ref in refs}
    root = _location(target, "")
    for ref in refs:
        for name in names(ref):
            place = root + name
            link = None if "://" in target else followed(Path(place))
            other = sources.get(str(link or place))
            if other is not None:
                raise AmbiguousSources(f"{name}, made of {ref}, would overwrite the source {other}")


def _location(store: str, name: str) -> str:
    """Canonical location of a name in a store."""
    root = store if "://" in store else str(Path(store).resolve())
    return as_folder(root) + name


def _on_disk(argument: str, leave_out: str | None) -> Iterator[SourceRef]:
    paths = [Path(argument)]
    if glob.has_magic(argument) and not is_file(paths[0]) and not is_folder(paths[0]):
        # A pattern that the shell did not expand: it was quoted, or this is Windows.
        found = glob.glob(argument, recursive=True)  # noqa: PTH207  (the pattern may be absolute)
        matches = map(Path, sorted(found))
        paths = [path for path in matches if is_file(path, otherwise=True)]
    if not paths:
        raise NotFound(f"{argument}: no file matches")
    for path in paths:
        if is_folder(path):
            yield from _in_folder(path, argument, leave_out)
        else:
            # A missing file is reported when it is read, so that others are still processed.
            yield SourceRef(str(path.parent), path.name, file=followed(path))


def _in_folder(path: Path, argument: str, leave_out: str | None) -> list[SourceRef]:
    try:
        return _in_store(open_store(path), argument, leave_out)
    except NotAllowed as exc:
        return [SourceRef(str(path.parent), path.name, fault=exc)]


def followed(path: Path) -> Path | None:
    """Target of a symbolic link named by the user; None if it is not a link, or part of a loop."""
    try:
        return path.resolve() if path.is_symlink() else None
    except (OSError, RuntimeError):
        return None


def _in_bucket(url: str, leave_out: str | None, profile: bool) -> Iterator[SourceRef]:
    location, _, name = url.rpartition("/")
    if name and location.count("/") > 1:
        parent = open_store(f"{location}/", profile=profile)
        try:
            parent.stat(name)
        except NotFound:
            pass
        else:
            yield SourceRef(parent.url, name)
            return
    yield from _in_store(open_store(url, profile=profile), url, leave_out)


def _in_store(store: Store, argument: str, leave_out: str | None) -> list[SourceRef]:
    inside = _below(store.url, leave_out) if leave_out else None
    refs: list[SourceRef] = []

    def add(name: str, fault: FftToolError | None = None) -> None:
        folder = fault is not None and name.endswith("/")
        if (folder or is_image_name(name)) and not (inside and name.startswith(inside)):
            refs.append(
                SourceRef(store.url, name.removesuffix("/") if folder else name, fault=fault)
            )

    for name, _ in store.list_readable(add):
        add(name)
    if not refs:
        raise NotFound(f"{argument}: no images found ({', '.join(SUFFIXES)})")
    return sorted(refs, key=lambda ref: ref.name)


def _below(store: str, other: str) -> str | None:
    """Prefix, within a store, of another store inside it; None if it is not inside."""
    if ("://" in store) != ("://" in other):
        return None
    outer, inner = _location(store, ""), _location(other, "")
    return inner[len(outer) :] if inner.startswith(outer) and inner != outer else None


def is_image_name(name: str) -> bool:
    """Whether a name has the extension of an image."""
    return name.lower().endswith(SUFFIXES)


def _refuse_shared_names(refs: Iterable[SourceRef]) -> None:
    owners: dict[str, SourceRef] = {}
    for ref in refs:
        other = owners.setdefault(output_base(ref.name), ref)
        if other is not ref:
            raise AmbiguousSources(
                f"outputs of {ref} and {other} would have the same name: "
                "name their common folder, or analyse them one at a time"
            )


def _joined(store: str, name: str) -> str:
    return name if name and store == "." else as_folder(store) + name
