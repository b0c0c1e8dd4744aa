"""The job of a smart crop: finds the most salient region of a source, and saves it."""

from __future__ import annotations

from fft_tool.cropping import AtMost
from fft_tool.results.outputs import Source
from fft_tool.runs.child import Child
from service.jobs.table import Job
from service.parts import Parts
from service.products.crops import SOURCE_NAME, path_of_image, save


def make_smart_crop(parts: Parts, job: Job, child: Child) -> None:
    """Do the work of one job; doing it again gives the same file."""
    assert job.image_id is not None  # noqa: S101  (every such job has one)
    settings, payload = parts.settings, job.payload
    source = Source(SOURCE_NAME, parts.blobs.read(payload["source"]))
    size = AtMost(payload["width"], payload["height"])
    made = child.crop(source, size, settings.limits, patience=lambda _: settings.image_seconds)
    save(parts, job.image_id, path_of_image(parts, job.image_id), made)
