"""What is to be run, and how far it is: the values that all engines share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from fft_tool.backfill.parts import Line
from fft_tool.errors import NotFound
from fft_tool.runs.sources import is_image_name
from fft_tool.stores.base import Entry, Store

PER_INVOCATION = 20
"""Objects in one invocation of a backfill with a Distributed Map."""

PER_SCAN = 200
"""Objects in one invocation of a scan, which writes no object of its own for each image."""

CONCURRENCY = 20
"""Invocations at the same time."""


@dataclass(frozen=True, slots=True)
class Found:
    """The images below a prefix: how many, their bytes, and a digest of names and versions."""

    images: int
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: the images of a bucket below ``prefix``, or only those with these ``keys``.

    ``recipe`` holds the keys of the recipe that are set, as text. ``run`` is the name of the run.
    """

    bucket: str
    prefix: str
    run: str
    recipe: Mapping[str, str]
    skip_existing: bool = False
    table: bool = False
    keys: tuple[str, ...] | None = None
    concurrency: int = CONCURRENCY
    per_invocation: int = PER_INVOCATION

    @property
    def recipe_text(self) -> str:
        """The recipe as ``key=value key=value …``."""
        return " ".join(f"{key}={value}" for key, value in self.recipe.items())


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    ``total`` is None while the engine still counts. ``ended`` says that nothing more will happen;
    ``fault`` why the run as a whole did not succeed.
    """

    total: int | None
    succeeded: int
    failed: int
    ended: bool = False
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """The ID of a run, and whether a run of this name is known to have ended before."""

    run_id: str
    ended_before: bool = False


class Engine(Protocol):
    """An engine of somebody else's, which goes on when this program ends.

    ``name`` is that of the flag ``--engine``.
    """

    name: str

    @property
    def deployment(self) -> Mapping[str, str]:
        """What is started, as the flags of the command line that name it."""
        ...

    def start(self, order: Order) -> Started:
        """Start a run; one that was started before is not started again."""
        ...

    def progress(self, run_id: str) -> Progress:
        """How far a run is."""
        ...

    def order(self, run_id: str) -> Order:
        """What a run was started for, as far as the engine knows it."""
        ...

    def failures(self, run_id: str) -> Iterator[Line]:
        """The objects that failed, once the run has ended."""
        ...


def images_below(store: Store, prefix: str) -> Iterator[Entry]:
    """All images below a prefix, recognised by their names."""
    return (entry for entry in store.entries(prefix) if is_image_name(entry.name))


def find(store: Store, prefix: str, keys: Iterable[str] | None = None) -> Found:
    """Count the images below a prefix, or only those with these keys, without fetching any.

    Raises :class:`~fft_tool.errors.NotFound` if there is none, or if one of ``keys`` is missing.
    """
    wanted = None if keys is None else set(keys)
    count, size, digest = 0, 0, hashlib.sha256()
    for entry in images_below(store, prefix):
        if wanted is not None:
            if entry.name not in wanted:
                continue
            wanted.discard(entry.name)
        count += 1
        size += entry.size
        digest.update(f"{entry.name}\n{entry.etag}\n".encode(errors="surrogatepass"))
    if wanted:
        first = min(wanted)
        raise NotFound(
            f"{len(wanted):,} of the keys are not those of images below "
            f"{store.url}/{prefix}: {first!r} is the first"
        )
    if not count:
        raise NotFound(f"{store.url}/{prefix}: no images found")
    return Found(count, size, digest.hexdigest())


def run_name(order: Order, found: Found, deployment: Mapping[str, str]) -> str:
    """Name of a run, derived from what is run where: what is started twice runs once."""
    told = [
        *(order.bucket, order.prefix, order.recipe_text, str(order.skip_existing)),
        *(str(order.table), found.digest, *sorted(deployment.values())),
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
