"""Revisions of a job: each state of its images that was complete is counted once.

A revision exists from the moment that its marker is created, which the store lets only one caller
do. The marker lists the images, so that whoever goes on counts exactly these.

Each caller looks at the latest marker first and then at the images. Since a marker is only created
if there is no other of its number, the images of a later revision were listed after those of an
earlier one: an old listing can never replace a newer one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fft_tool.batches.origin import Origin
from fft_tool.batches.shape import JobShape
from fft_tool.batches.survey import ImageRef, Survey, survey
from fft_tool.errors import BadArtifact, BadJob, NotFound
from fft_tool.stores.base import Store, as_folder
from fft_tool.validate import Json

SCHEMA = "fft-tool/batch-revision/1"
SUMMARY = "summary.json"
JSON_TYPE = "application/json"

_NAME = re.compile(r"([1-9]\d{0,8})\.json", re.ASCII)

State = Literal["incomplete", "faulty", "claimed", "pending", "published"]


@dataclass(frozen=True, slots=True)
class Marker:
    """A revision of a job: its number, the images that it counts, and when it was started."""

    job: str
    number: int
    key: str
    created_at: str
    location: str
    shape: JobShape
    images: tuple[ImageRef, ...]

    @property
    def name(self) -> str:
        """Name of the marker in the store of results."""
        return marker_name(self.job, self.number)

    @property
    def origin(self) -> Origin:
        """What all rows of this revision have in common."""
        return Origin(self.job, self.location, self.key, self.number, self.created_at)

    def to_json(self) -> Json:
        """Return the marker as plain JSON values."""
        return {
            "schema": SCHEMA,
            "job": self.job,
            "revision": self.number,
            "key": self.key,
            "created_at": self.created_at,
            "location": self.location,
            "settings": self.shape.to_json(),
            "images": [image.to_json() for image in self.images],
        }

    @classmethod
    def from_json(cls, value: Json) -> Marker:
        """Read what :meth:`to_json` returned."""
        return cls(
            value["job"],
            value["revision"],
            value["key"],
            value["created_at"],
            value["location"],
            JobShape().overridden(value["settings"]),
            tuple(map(ImageRef.from_json, value["images"])),
        )


@dataclass(frozen=True, slots=True)
class Detection:
    """State of a job, what there is of it, and its latest revision, if it has one.

    incomplete: images are missing. faulty: it cannot be counted as it is. claimed: it is complete,
    and this caller has started a new revision. pending: the revision was started but its rows are
    not published yet; somebody may be at work, or was interrupted. published: nothing is to do.
    """

    state: State
    survey: Survey
    marker: Marker | None = None


def detect(
    sources: Store,
    target: Store,
    job: str,
    shape: JobShape,
    *,
    now: Callable[[], str],
) -> Detection:
    """Look at a job, a folder of ``sources``; start a new revision if it is complete and changed.

    ``target`` is the store of results. ``now`` returns the time as text, for the marker. However
    often and by however many it is called, one caller gets ``claimed`` for each state of the
    images; a state that returns after another one is a revision of its own.
    """
    while True:
        latest = latest_marker(target, job)
        found = survey(sources, job, shape)
        if not found.complete:
            return Detection("faulty" if found.faults else "incomplete", found, latest)
        if latest and latest.key == found.key:
            published = published_revision(target, job) == latest.number
            return Detection("published" if published else "pending", found, latest)
        number = latest.number + 1 if latest else 1
        marker = Marker(job, number, found.key, now(), found.location, found.shape, found.images)
        if target.create(marker.name, _to_bytes(marker.to_json()), content_type=JSON_TYPE):
            return Detection("claimed", found, marker)


def latest_marker(target: Store, job: str) -> Marker | None:
    """Read the marker of the latest revision of a job; None if it has none."""
    number = latest_number(target, job)
    return read_marker(target, job, number) if number else None


def latest_number(target: Store, job: str) -> int:
    """Number of the latest revision of a job; 0 if it has none."""
    start = as_folder(f"{job}/revisions")
    names = (entry.name.removeprefix(start) for entry in target.entries(start))
    return max((int(match[1]) for name in names if (match := _NAME.fullmatch(name))), default=0)


def read_marker(target: Store, job: str, number: int) -> Marker:
    """Read the marker of a revision."""
    name = marker_name(job, number)
    data = target.read(name).data
    try:
        return Marker.from_json(json.loads(data))
    except (ValueError, LookupError, TypeError, AttributeError, BadJob) as exc:
        raise BadArtifact(f"{as_folder(target.url)}{name}: is not a marker of a revision") from exc


def published_revision(target: Store, job: str) -> int:
    """Number of the revision that the published files of a job show; 0 if there are none."""
    try:
        summary = json.loads(target.read(f"{job}/{SUMMARY}").data)
        return int(summary["revision"])
    except (NotFound, ValueError, LookupError, TypeError):
        return 0


def marker_name(job: str, number: int) -> str:
    """Name of the marker of a revision in the store of results."""
    return f"{job}/revisions/{number}.json"


def _to_bytes(value: Json) -> bytes:
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
