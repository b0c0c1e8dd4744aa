"""Survey of a job: which images are there, and what is missing, by listing alone.

A job is a folder with a subfolder ``batch_<n>`` for each batch. Every file in it counts as an
image, whatever its name, except hidden files and those that file managers leave behind.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fft_tool.batches.shape import LONGEST_SETTINGS, SETTINGS, JobShape
from fft_tool.errors import BadJob, NotFound
from fft_tool.stores.base import Entry, Store, as_folder
from fft_tool.validate import Json

MOST_NAMED = 10  # names in a message

_BATCH = re.compile(r"batch_([1-9]\d{0,6})", re.ASCII)
_ALMOST = re.compile(r"batch[\s_-]*0*([1-9]\d{0,6})", re.ASCII | re.IGNORECASE)
_LEFT_BEHIND = {"thumbs.db", "desktop.ini"}


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image of a job: its batch, its name within the job's folder, and its version."""

    batch: int
    name: str
    etag: str | None
    size: int

    def to_json(self) -> Json:
        """Return the reference as plain JSON values."""
        return {"batch": self.batch, "name": self.name, "etag": self.etag, "size": self.size}

    @classmethod
    def from_json(cls, value: Json) -> ImageRef:
        """Read what :meth:`to_json` returned."""
        return cls(value["batch"], value["name"], value["etag"], value["size"])


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is of a job.

    Attributes
    ----------
    job
        The job's name.
    location
        Where its images are, as people write it: ``s3://bucket/batches/job/``.
    shape
        What the job should have, with the settings of its ``job.json``.
    images
        The images of all batches, by batch and name.
    faults
        Reasons why the job cannot be counted, however many images follow.
    ignored
        Files and folders, these with a slash, that belong to no batch.
    changed
        When the last image was written, in seconds since 1970; None if that is not known.
    settings_wrong
        Whether the faults are those of the ``job.json``, so that nothing else can be said.
    """

    job: str
    location: str
    shape: JobShape
    images: tuple[ImageRef, ...]
    faults: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    changed: float | None = None
    settings_wrong: bool = False

    @property
    def missing(self) -> dict[int, int]:
        """How many images each batch lacks; batches that lack none are not listed.

        What a job should have is not known while its settings are wrong.
        """
        if self.settings_wrong:
            return {}
        there = Counter(image.batch for image in self.images)
        lacking = {n: self.shape.images - there[n] for n in range(1, self.shape.batches + 1)}
        return {number: count for number, count in lacking.items() if count > 0}

    @property
    def complete(self) -> bool:
        """Whether the job can be counted: nothing is missing, nothing too much."""
        return not self.faults and not self.missing

    @property
    def key(self) -> str:
        """Digest of the names and versions of all images and of the settings."""
        versions = [[image.name, image.etag] for image in self.images]
        text = json.dumps([versions, self.shape.to_json()], separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def reasons(self) -> list[str]:
        """Say why the job is not complete, in a line for each reason."""
        told = list(self.faults)
        if not self.images:
            return told
        there = Counter(image.batch for image in self.images)
        lacking = list(self.missing)
        told += [
            f"batch_{number}: {there[number]:,} of {self.shape.images:,} images are there"
            for number in lacking[:MOST_NAMED]
        ]
        if len(lacking) > MOST_NAMED:
            told.append(f"and {len(lacking) - MOST_NAMED:,} more batches are not complete")
        if lacking and self.ignored:
            told.append(f"not part of any batch: {named(self.ignored)}")
        return told

    def to_json(self) -> Json:
        """Return what there is and what is missing as plain JSON values, without the images."""
        return {
            "job": self.job,
            "location": self.location,
            "complete": self.complete,
            "settings": self.shape.to_json(),
            "images": len(self.images),
            "missing": {f"batch_{number}": count for number, count in self.missing.items()},
            "faults": list(self.faults),
            "ignored": list(self.ignored),
            "reasons": self.reasons(),
        }


def survey(store: Store, folder: str, shape: JobShape, *, job: str | None = None) -> Survey:
    """Find out what there is of the job in a ``folder`` of a store.

    >>> from fft_tool.stores.memory import MemoryStore
    >>> store = MemoryStore()
    >>> store.write("leaves/batch_1/a.png", b"...")
    >>> survey(store, "leaves", JobShape(batches=1, images=2)).reasons()
    ['batch_1: 1 of 2 images are there']

    ``job`` is the job's name, by default the last part of the folder's. A folder without any file
    is not found.
    """
    start = as_folder(folder)
    location = as_folder(store.url) + start
    entries = [(entry.name.removeprefix(start), entry) for entry in store.entries(folder)]
    found = {name: entry for name, entry in entries if not _is_left_behind(name)}
    if not found:
        raise NotFound(f"{location}: no such job, there are no files")
    settings: list[str] = []
    if SETTINGS in found:
        try:
            shape = _settings(store, start, shape)
        except BadJob as exc:
            settings += exc.faults
    images = sorted(_images(found), key=lambda image: (image.batch, image.name))
    written = [found[image.name].modified for image in images]
    return Survey(
        job=job or folder.rstrip("/").rpartition("/")[2],
        location=location,
        shape=shape,
        images=tuple(images),
        faults=tuple(settings or _faults(found, images, shape)),
        ignored=tuple(_ignored(found)),
        changed=max((time for time in written if time is not None), default=None),
        settings_wrong=bool(settings),
    )


def find_jobs(store: Store) -> list[str]:
    """Names of the folders of a store that hold something, sorted."""
    names = (entry.name.partition("/") for entry in store.entries())
    return sorted({top for top, slash, _ in names if slash and not top.startswith(".")})


def named(names: Sequence[str]) -> str:
    """List names in a message, the first few of many."""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _settings(store: Store, start: str, shape: JobShape) -> JobShape:
    with store.open(start + SETTINGS) as handle:
        return shape.overridden_by_file(handle.read(LONGEST_SETTINGS + 1))


def _is_left_behind(name: str) -> bool:
    """Whether a file is hidden, marks a folder, or was left behind by a file manager."""
    parts = name.split("/")
    hidden = any(part.startswith(".") for part in parts)
    return hidden or not parts[-1] or parts[-1].lower() in _LEFT_BEHIND


def _images(found: dict[str, Entry]) -> Iterator[ImageRef]:
    for name, entry in found.items():
        if number := _batch_of(name):
            yield ImageRef(number, name, entry.etag, entry.size)


def _batch_of(name: str) -> int | None:
    folder, slash, _ = name.partition("/")
    match = _BATCH.fullmatch(folder)
    return int(match[1]) if slash and match else None


def _ignored(found: Iterable[str]) -> list[str]:
    others = [name.partition("/") for name in found if _batch_of(name) is None]
    return sorted({top + slash for top, slash, _ in others} - {SETTINGS})


def _faults(found: Iterable[str], images: Sequence[ImageRef], shape: JobShape) -> Iterator[str]:
    """Everything that further images cannot put right."""
    names = list(found)
    elsewhere = [*_misnamed(names), *_other_jobs(names)]
    yield from elsewhere
    there = Counter(image.batch for image in images)
    if not there and not elsewhere:
        first = f"batch_1{f' … batch_{shape.batches}' if shape.batches > 1 else ''}"
        told = f"there are no folders {first}"
        yield f"{told}, only {named(_ignored(names))}" if _ignored(names) else told
    for number, count in sorted(there.items()):
        if number > shape.batches:
            yield f"batch_{number}: the job should have {shape.batches:,} batches"
        elif count > shape.images:
            yield f"batch_{number}: has {count:,} images, should have {shape.images:,}"
    yield from _alike(images)


def _misnamed(names: Iterable[str]) -> Iterator[str]:
    folders = {folder for folder, slash, _ in (name.partition("/") for name in names) if slash}
    for folder in sorted(folders):
        match = _ALMOST.fullmatch(folder)
        if match and not _BATCH.fullmatch(folder):
            yield f"{folder}: should be called batch_{match[1]}"


def _other_jobs(names: Iterable[str]) -> Iterator[str]:
    """Folders that hold a job of their own."""
    others = set()
    for name in names:
        parts = name.split("/")
        inner = next((k for k in range(1, len(parts) - 1) if _BATCH.fullmatch(parts[k])), None)
        if inner is not None or (len(parts) > 1 and parts[-1] == SETTINGS):
            others.add("/".join(parts[: inner or -1]))
    if others:
        yield (
            f"there are batches of other jobs in {named(sorted(others))}: name the folder of one "
            "job, and keep each job in a folder of its own"
        )


def _alike(images: Iterable[ImageRef]) -> Iterator[str]:
    """Names that are one and the same on some systems, and probably of one image."""
    seen: dict[str, str] = {}
    for image in images:
        first = seen.setdefault(_folded(image.name), image.name)
        if first != image.name:
            yield f"{first} and {image.name}: the names differ only by case, delete one of them"


def _folded(text: str) -> Any:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
