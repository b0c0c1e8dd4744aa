"""The steps of a job, one for each state of the machine: detect, count, publish, fail.

Everything that one state tells another is in the bucket, so that no job is too large for what a
state machine passes on. Below the folder of a job's results:

================================  =========================================================
``revisions/<n>.json``            the marker of a revision, with the list of its images
``counts/<n>/by-20/000000.json``  what one invocation counted: up to FFT_BATCHES_PART images
``counts/<n>/by-20/items.json``   the parts of a large job, for the Distributed Map
``notified/<n>.json``             which execution notifies of a revision
``status.json``                   how the last execution ended
================================  =========================================================

Every step may be repeated: it then does what is left to do, or nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fft_tool.batches.counting import Counted, count_image
from fft_tool.batches.database import publish_rows
from fft_tool.batches.publication import Publication, publish
from fft_tool.batches.revisions import Marker, detect, read_marker
from fft_tool.batches.survey import ImageRef
from fft_tool.errors import Aborted, JobChanged, NotFound, TooCostly, TookTooLong
from fft_tool.image.counting import Counts
from fft_tool.limits import Limits
from fft_tool.recipe import Recipe
from fft_tool.results.outputs import Source
from fft_tool.runs.child import Child
from fft_tool.stores.base import Store
from handler.batches_database import Database
from handler.batches_settings import BatchesSettings
from handler.bucket import Folder, OpenBucket
from handler.deadline import Deadline
from handler.errors import MalformedEvent, OutOfTime
from handler.patience import Patience
from handler.states import Superseded, caught

JSON_TYPE = "application/json"
STATUS_SCHEMA = "fft-tool/batch-status/1"
MOST_REASONS = 20  # that are passed on
READERS = 16  # threads that gather counts
LONGEST_SUBJECT = 100  # characters of the subject of a message, the limit of SNS

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A job in a bucket, and the stores of its images and of its results."""

    bucket: str
    job: str
    sources: Store
    results: Store


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of jobs; ``child`` returns a process that decodes images, without credentials."""

    settings: BatchesSettings
    open_bucket: OpenBucket
    child: Callable[[], Child]
    database: Database

    def place(self, event: Json, deadline: Deadline) -> Place:
        """The job that an event is about."""
        bucket, job = text_in(event, "bucket"), text_in(event, "job")
        return self.place_of(bucket, job, deadline)

    def place_of(self, bucket: str, job: str, deadline: Deadline) -> Place:
        """A job in a bucket."""
        allowed = self.settings.common.buckets
        if allowed and bucket not in allowed:
            raise MalformedEvent(f"the bucket {bucket} is not one of this function's (FFT_BUCKET)")
        sources = Folder(self.open_bucket, bucket, self.settings.prefix, deadline)
        results = Folder(self.open_bucket, bucket, self.settings.results, deadline)
        return Place(bucket, job, sources, results)

    def detect(self, event: Json, deadline: Deadline) -> dict[str, Any]:
        """Survey a job; if it is complete and not yet published, start or resume its revision."""
        deadline.step("survey")
        place = self.place(event, deadline)
        found = detect(place.sources, place.results, place.job, self.settings.shape, now=_now)
        answer: dict[str, Any] = {"bucket": place.bucket, "job": place.job}
        reasons = found.survey.reasons()[:MOST_REASONS]
        if found.state in ("incomplete", "faulty"):
            return {**answer, "next": "wait", "state": found.state, "reasons": reasons}
        marker = found.marker
        if marker is None or found.state == "published":
            return {**answer, "next": "nothing", "state": found.state}
        return {**answer, "state": found.state, **self._work(place, marker, deadline)}

    def _work(self, place: Place, marker: Marker, deadline: Deadline) -> dict[str, Any]:
        """What is to be done for a revision: its parts, or the list of them in the bucket."""
        parts = list(range(len(self._parts(marker.images))))
        about = {"revision": marker.number, "images": len(marker.images)}
        if len(marker.images) <= self.settings.inline_images:
            return {**about, "next": "count-inline", "parts": parts}
        deadline.step("items")
        name = f"{self._counts_of(marker)}/items.json"
        items = [
            {"part": number, "images": [image.to_json() for image in images]}
            for number, images in enumerate(self._parts(marker.images))
        ]
        place.results.write(name, _to_bytes(items), content_type=JSON_TYPE)
        key = self.settings.results + name
        runs = f"{self.settings.results}{self._counts_of(marker)}/runs"
        return {**about, "next": "count-distributed", "items": key, "runs": runs}

    def _counts_of(self, marker: Marker) -> str:
        """Folder of the counts of a revision; other parts, after a change of settings, differ."""
        return f"{marker.job}/counts/{marker.number}/by-{self.settings.part}"

    def _parts(self, images: Sequence[ImageRef]) -> list[Sequence[ImageRef]]:
        size = self.settings.part
        return [images[start : start + size] for start in range(0, len(images), size)]

    def count(self, event: Json, deadline: Deadline, patience: Patience) -> dict[str, Any]:
        """Count the images of a part, unless that has been done."""
        deadline.step("list")
        place = self.place(event, deadline)
        marker = read_marker(place.results, place.job, _number_in(event, "revision"))
        part = event.get("part")
        if isinstance(part, Mapping):  # an item of a Distributed Map brings its images with it
            number = _number_in(part, "part")
            images = [ImageRef.from_json(image) for image in part["images"]]
        else:
            number = _number_in(event, "part")
            parts = self._parts(marker.images)
            if number >= len(parts):
                raise MalformedEvent(f"part is {number}: the revision has {len(parts)} parts")
            images = list(parts[number])
        name = f"{self._counts_of(marker)}/{number:06}.json"
        if not place.results.exists(name):
            counted = [self._count(place, image, marker, deadline, patience) for image in images]
            deadline.step("write")
            data = _to_bytes([each.to_json() for each in counted])
            place.results.write(name, data, content_type=JSON_TYPE)
        return {"part": number, "images": len(images)}

    def _count(
        self,
        place: Place,
        image: ImageRef,
        marker: Marker,
        deadline: Deadline,
        patience: Patience,
    ) -> Counted:
        """Count an image in the child; if it breaks off twice, the image is too costly."""

        def count(source: Source, recipe: Recipe, limits: Limits) -> Counts:
            deadline.step("count")
            try:
                return self.child().count(source, recipe, limits, patience=patience)
            except Aborted:
                deadline.broken_off += 1
            last = patience.again()
            try:
                return self.child().count(source, recipe, limits, patience=last)
            except Aborted as exc:
                if isinstance(exc, TookTooLong) and not last.enough:
                    raise OutOfTime(
                        "the invocation has too little time left for this image: returned for a "
                        "retry; if this recurs, lower FFT_BATCHES_PART"
                    ) from exc
                raise TooCostly(f"this image failed at the second try, too: {exc}") from exc

        deadline.step("read")
        limits = self.settings.common.limits_beside(image.size)
        recipe = marker.shape.recipe
        try:
            return count_image(place.sources, place.job, image, recipe, limits, count=count)
        except JobChanged as exc:
            raise Superseded(f"{exc.code}: {exc}") from exc

    def publish(self, event: Json, deadline: Deadline) -> dict[str, Any]:
        """Publish the rows of a revision, as files and to the database."""
        deadline.step("gather")
        place = self.place(event, deadline)
        marker = read_marker(place.results, place.job, _number_in(event, "revision"))
        counted = self._gather(place, marker)
        deadline.step("publish")
        with self.database.url() as url:
            store = partial(publish_rows, url) if url else None
            found = publish(place.results, marker, counted, database=store)
        if found.superseded:
            raise Superseded(f"superseded: {marker.name}: there is a later revision")
        deadline.step("status")
        self._write_status(place, {"state": "published", "revision": marker.number})
        answer = {"bucket": place.bucket, "job": place.job, "revision": marker.number}
        return {
            **answer,
            "notify": self._is_first_to_tell(place, marker, event),
            **_message(self.settings.results, place, marker, found),
        }

    def _is_first_to_tell(self, place: Place, marker: Marker, event: Json) -> bool:
        """Whether it is this execution that notifies of a revision: one does, however many run."""
        name, own = f"{place.job}/notified/{marker.number}.json", str(event.get("execution", ""))
        if place.results.create(name, _to_bytes({"execution": own}), content_type=JSON_TYPE):
            return True
        found = json.loads(place.results.read(name).data)
        return bool(found.get("execution") == own)

    def _gather(self, place: Place, marker: Marker) -> list[Counted]:
        """The counts of all parts, in the order of the images."""
        folder, parts = self._counts_of(marker), self._parts(marker.images)
        names = [f"{folder}/{number:06}.json" for number in range(len(parts))]
        try:
            with ThreadPoolExecutor(READERS) as pool:
                files = list(pool.map(lambda name: place.results.read(name).data, names))
        except NotFound as exc:
            raise Superseded(f"superseded: an image of {marker.name} was replaced: {exc}") from exc
        return [Counted.from_json(entry) for data in files for entry in json.loads(data)]

    def fail(self, event: Json, deadline: Deadline) -> dict[str, Any]:
        """Record beside the results of a job why its execution failed."""
        deadline.step("status")
        place = self.place(event, deadline)
        fault = caught(event["failure"])
        status = {
            "state": "failed",
            "revision": event.get("revision"),
            "error": {"code": fault.code, "message": fault.message},
        }
        self._write_status(place, status)
        return status

    def _write_status(self, place: Place, status: Json) -> None:
        document = {"schema": STATUS_SCHEMA, "job": place.job, **status}
        data = _to_bytes(document)
        place.results.write(f"{place.job}/status.json", data, content_type=JSON_TYPE)


def text_in(event: Json, name: str) -> str:
    """A text in an event, which must not be empty."""
    found = event.get(name) if isinstance(event, Mapping) else None
    if not isinstance(found, str) or not found:
        raise MalformedEvent(f"{name} is {found!r}, should be text")
    return found


def _number_in(event: Json, name: str) -> int:
    found = event.get(name)
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise MalformedEvent(f"{name} is {found!r}, should be a whole number")
    return found


def _message(folder: str, place: Place, marker: Marker, found: Publication) -> dict[str, str]:
    """Subject and text of the message to those who are notified."""
    unreadable = found.result.unreadable
    subject = f"{place.job}: statistics of {len(marker.images):,} images (revision {marker.number})"
    lines = [
        f"The statistics of {place.job}, revision {marker.number}, are published.",
        f"Images: {len(marker.images):,}; not readable: {len(unreadable):,}",
        *(f"  {image.name}: {image.message}" for image in unreadable[:MOST_REASONS]),
        *(f"s3://{place.bucket}/{folder}{name}" for name in found.outputs),
    ]
    plain = subject.encode("ascii", "replace").decode()
    short = re.sub(r"[^ -~]", "?", plain)[:LONGEST_SUBJECT]
    return {"subject": short, "message": "\n".join(lines)}


def _to_bytes(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
