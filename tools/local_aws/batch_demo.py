"""``batch-demo``: a job with known counts, uploaded in random order, and its rows beside them."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Any

from handler.batches_settings import BatchesSettings
from tools.batch_images import BATCHES, IMAGES, KnownImage, known_images
from tools.errors import ToolError
from tools.local_aws.batches import function
from tools.local_aws.clients import LocalAws
from tools.local_aws.resource import NAME
from tools.say import say

PAUSE = 0.2  # seconds between two looks
HEADINGS = ("batch", "pixels", "images", "mean", "known", "std", "known", "min", "max")


@dataclass(frozen=True, slots=True)
class Known:
    """Statistics of the pixels of one colour in one batch, from the images as they were made."""

    mean: float
    std: float
    least: int
    most: int

    @classmethod
    def of(cls, values: Sequence[int]) -> Known:
        """Statistics of these numbers."""
        return cls(fmean(values), pstdev(values), min(values), max(values))

    def equals(self, row: dict[str, Any]) -> bool:
        """Whether a row says the same."""
        same = (row["min_pixels"], row["max_pixels"]) == (self.least, self.most)
        close = math.isclose(row["avg_pixels"], self.mean) and math.isclose(
            row["std_pixels"], self.std, rel_tol=1e-9, abs_tol=1e-9
        )
        return same and close


def demo(aws: LocalAws, seconds: float, *, batches: int = BATCHES, images: int = IMAGES) -> bool:
    """Upload a job in random order, wait for its rows, and show them; True if they are right."""
    settings = _settings(aws)
    job = _unused(aws, settings)
    made = list(known_images(batches, images))
    say(f"local AWS: {len(made)} images → s3://{NAME}/{settings.prefix}{job}/, in random order")
    start = time.monotonic()
    shape = json.dumps({"batches": batches, "images": images}).encode()
    aws.s3.put_object(Bucket=NAME, Key=f"{settings.prefix}{job}/job.json", Body=shape)
    for image in random.sample(made, len(made)):
        key = f"{settings.prefix}{job}/{image.name}"
        aws.s3.put_object(Bucket=NAME, Key=key, Body=image.data)
    uploaded = time.monotonic()
    say(f"local AWS: uploaded in {uploaded - start:.1f} s; waiting for the rows")
    folder = f"{settings.results}{job}/"
    rows = _wait(aws, folder, seconds)
    say(f"local AWS: published {time.monotonic() - uploaded:.1f} s after the last upload")
    right = _show(rows, made)
    print(aws.url(NAME, f"{folder}index.html"))
    print(aws.url(NAME, f"{folder}batch_stats.csv"))
    return right


def _settings(aws: LocalAws) -> BatchesSettings:
    found = aws.functions.get_function_configuration(FunctionName=function("detect"))
    return BatchesSettings.from_environ(found.get("Environment", {}).get("Variables", {}))


def _unused(aws: LocalAws, settings: BatchesSettings) -> str:
    """A name that no job has."""
    number = 1
    while aws.s3.list_objects_v2(
        Bucket=NAME, Prefix=f"{settings.prefix}demo-{number}/", MaxKeys=1
    ).get("Contents"):
        number += 1
    return f"demo-{number}"


def _wait(aws: LocalAws, folder: str, seconds: float) -> list[dict[str, Any]]:
    """The rows of a job, as soon as its execution has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = _read(aws, f"{folder}status.json")
        if status and status["state"] == "failed":
            error = status["error"]
            raise ToolError(f"the job failed: {error['code']}: {error['message']}")
        if status:
            rows: list[dict[str, Any]] = _read(aws, f"{folder}summary.json")["rows"]
            return rows
        time.sleep(PAUSE)
    raise ToolError(f"no rows within {seconds:.0f} s: see `make logs`")


def _read(aws: LocalAws, key: str) -> Any:
    try:
        body = aws.s3.get_object(Bucket=NAME, Key=key)["Body"].read()
    except aws.s3.exceptions.NoSuchKey:
        return {}
    return json.loads(body)


def _show(rows: Sequence[dict[str, Any]], made: Sequence[KnownImage]) -> bool:
    """Print the rows beside what the images were made with; whether they are the same."""
    right = True
    lines: list[tuple[str, ...]] = [HEADINGS]
    for row in rows:
        values = [getattr(image, row["color"]) for image in made if image.batch == row["batch_id"]]
        known = Known.of(values)
        right &= known.equals(row) and row["images"] == len(values)
        lines.append(tuple(_cells(row, known)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    for line in lines:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    say("local AWS: the rows are those of the images" if right else "local AWS: the rows DIFFER")
    return right


def _cells(row: dict[str, Any], known: Known) -> Iterator[str]:
    yield from (str(row["batch_id"]), row["color"], str(row["images"]))
    yield from (f"{row['avg_pixels']:,.2f}", f"{known.mean:,.2f}")
    yield from (f"{row['std_pixels']:,.2f}", f"{known.std:,.2f}")
    yield from (f"{row['min_pixels']:,}", f"{row['max_pixels']:,}")
