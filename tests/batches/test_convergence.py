"""Whatever happens in whatever order, a job ends with the rows of the images that are there.

Each test is a story made of random steps: images arrive in any order, again and corrected; somebody
looks, counts and publishes, and may be killed at any write or while the database is away. Then
nothing more happens but that a sweep looks from time to time.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from fft_tool.batches.counting import count_image
from fft_tool.batches.database import publish_rows
from fft_tool.batches.publication import publish
from fft_tool.batches.revisions import Marker, detect, latest_number, read_marker
from fft_tool.batches.rows import Row
from fft_tool.errors import DatabaseUnavailable, JobChanged
from fft_tool.stores.memory import MemoryStore
from tests.support.jobs import NOW, SMALL, image, names

MOST_SWEEPS = 6  # until a job has settled


class Killed(Exception):
    """The process that was writing is gone."""


class Deadly(MemoryStore):
    """A store at which its users may be killed, before or after a write."""

    def __init__(self, fate: random.Random) -> None:
        super().__init__()
        self.fate, self.deadly = fate, True

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self._strike()
        super().write(name, data, content_type=content_type, metadata=metadata)
        self._strike()

    def create(
        self, name: str, data: bytes, *, content_type: str = "application/octet-stream"
    ) -> bool:
        self._strike()
        created = super().create(name, data, content_type=content_type)
        self._strike()
        return created

    def _strike(self) -> None:
        if self.deadly and self.fate.random() < 0.15:
            raise Killed


class Story:
    """A job, those who work on it, and what has become of it."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.fate = random.Random(seed)
        self.sources, self.target = MemoryStore(), Deadly(self.fate)
        self.path = folder / "stats.db"
        self.black: dict[str, int] = {}
        self.truth: dict[int, dict[str, int]] = {}  # of each revision, when it was started
        self.claims: list[int] = []
        self.waiting: list[Marker] = []

    def upload(self, name: str) -> None:
        """An image arrives: for the first time, once more, or corrected."""
        if name not in self.black or self.fate.random() < 0.4:
            self.black[name] = self.fate.randint(1, 50)
            self.sources.write(f"leaves/{name}", image(self.black[name], 10))

    def look(self) -> None:
        """Somebody looks, and will count what there is to count."""
        try:
            found = detect(self.sources, self.target, "leaves", SMALL, now=lambda: NOW)
        finally:
            self.truth.setdefault(latest_number(self.target, "leaves"), dict(self.black))
        if found.state == "claimed":
            assert found.marker is not None
            self.claims.append(found.marker.number)
        if found.state in ("claimed", "pending") and found.marker:
            self.waiting.append(found.marker)

    def work(self) -> None:
        """Somebody counts and publishes one of the revisions that wait, an old one perhaps."""
        if not self.waiting:
            return
        marker = self.waiting.pop(self.fate.randrange(len(self.waiting)))
        counted = [
            count_image(self.sources, "leaves", each, marker.shape.recipe) for each in marker.images
        ]
        if self.fate.random() < 0.3:
            self.upload(self.fate.choice(names()))
            self.look()
        publish(self.target, marker, counted, database=self.database)

    def database(self, rows: Sequence[Row]) -> None:
        if self.target.deadly and self.fate.random() < 0.2:
            raise DatabaseUnavailable("away")
        publish_rows(f"sqlite:///{self.path}", rows)
        if self.target.deadly and self.fate.random() < 0.2:
            raise Killed

    def rest(self) -> None:
        """Nobody does anything."""

    def tell(self) -> None:
        arriving = names() * 2
        self.fate.shuffle(arriving)
        for step in range(40):
            try:
                if step < len(arriving):
                    self.upload(arriving[step])
                self.fate.choice((self.look, self.look, self.work, self.rest))()
            except (Killed, DatabaseUnavailable, JobChanged):
                continue
        for name in names():
            if name not in self.black:
                self.upload(name)

    def settle(self) -> None:
        """Sweep until there is nothing to do, as no more is uploaded and nobody is killed."""
        self.target.deadly = False
        self.waiting.clear()
        for _ in range(MOST_SWEEPS):
            self.look()
            if not self.waiting:
                return
            marker = self.waiting.pop()
            counted = [
                count_image(self.sources, "leaves", i, marker.shape.recipe) for i in marker.images
            ]
            publish(self.target, marker, counted, database=self.database)
        pytest.fail(f"the job has not settled after {MOST_SWEEPS} sweeps")


@pytest.mark.parametrize("seed", range(25))
def test_a_job_ends_with_the_rows_of_its_images(seed: int, tmp_path: Path) -> None:
    story = Story(seed, tmp_path)
    story.tell()
    story.settle()
    latest = latest_number(story.target, "leaves")
    assert len(story.claims) == len(set(story.claims)), "a revision was started twice"
    with sqlite3.connect(story.path) as connection:
        query = "SELECT revision, batch_id, color, avg_pixels, std_pixels, images FROM batch_stats"
        found = {row[:3]: row[3:] for row in connection.execute(query)}
    connection.close()
    revisions = {revision for revision, _, _ in found}
    assert max(revisions) == latest
    assert story.truth[latest] == story.black
    assert len(found) == 4 * len(revisions)
    for (revision, batch, color), statistics in found.items():
        truth = story.truth[revision]
        blacks = [black for name, black in truth.items() if name.startswith(f"batch_{batch}/")]
        values = blacks if color == "black" else [10] * len(blacks)
        expected = (float(np.mean(values)), float(np.std(values)), 3)
        assert statistics == pytest.approx(expected)
    files = {name: stored.data for name, stored in story.target.objects.items()}
    assert f'"revision": {latest}'.encode() in files["leaves/summary.json"]
    assert all(
        line.endswith(f",{latest}".encode()) for line in files["leaves/batch_stats.csv"].split()[1:]
    )
    assert read_marker(story.target, "leaves", latest).number == latest
