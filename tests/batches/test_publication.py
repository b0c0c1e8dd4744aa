"""Publication: files of a revision, once and in the end those of the latest."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence

import pytest

from fft_tool.batches.publication import publish
from fft_tool.batches.revisions import Marker, detect, published_revision
from fft_tool.batches.rows import Row, to_csv, to_parquet
from fft_tool.errors import BadArtifact, DatabaseUnavailable, StoreUnavailable
from fft_tool.stores.base import Store
from fft_tool.stores.memory import MemoryStore
from tests.support.jobs import NOW, SMALL, complete_job, counted_of, fill, image, names

FILES = ["batch_stats.csv", "batch_stats.parquet", "index.html", "summary.json"]


def files(target: Store) -> dict[str, bytes]:
    return {name: target.read(f"leaves/{name}").data for name in FILES}


def correct(sources: Store, target: Store) -> Marker:
    """Overwrite an image, and start the revision that follows from it."""
    fill(sources, "leaves", {names()[0]: image(7, 7)})
    found = detect(sources, target, "leaves", SMALL, now=lambda: NOW)
    assert found.state == "claimed"
    assert found.marker is not None
    return found.marker


def test_csv_parquet_page_and_summary_are_written() -> None:
    _, target, marker = complete_job()
    done = publish(target, marker, counted_of(marker))
    assert done.outputs == tuple(f"leaves/{name}" for name in FILES)
    assert not done.superseded
    found = files(target)
    assert found["batch_stats.csv"] == to_csv(done.rows)
    assert found["batch_stats.parquet"] == to_parquet(done.rows)
    summary = json.loads(found["summary.json"])
    assert summary["rows"] == [row.to_json() for row in done.rows]
    assert (summary["job"], summary["revision"], summary["created_at"]) == ("leaves", 1, NOW)
    assert summary["images"] == {"expected": 6, "counted": 6}
    assert published_revision(target, "leaves") == 1


def test_publishing_again_gives_the_same_bytes_in_whatever_order_images_were_counted() -> None:
    _, target, marker = complete_job()
    counted = counted_of(marker)
    publish(target, marker, counted)
    before = files(target)
    publish(target, marker, reversed(counted))
    assert files(target) == before


def test_images_that_could_not_be_read_are_named() -> None:
    _, target, marker = complete_job()
    counted = counted_of(marker)
    bad = counted[4].__class__(2, counted[4].name, code="corrupt-image", message="cut <short>")
    done = publish(target, marker, [*counted[:4], bad, counted[5]])
    assert [row.images for row in done.rows] == [3, 3, 2, 2]
    found = files(target)
    assert json.loads(found["summary.json"])["unreadable"] == [
        {"name": bad.name, "code": "corrupt-image", "message": "cut <short>"}
    ]
    page = found["index.html"].decode()
    assert "1 could not be read" in page
    assert "cut &lt;short&gt;" in page


def test_rows_are_in_the_database_before_the_summary_says_so() -> None:
    _, target, marker = complete_job()
    told: list[Sequence[Row]] = []

    def away(rows: Sequence[Row]) -> None:
        told.append(rows)
        raise DatabaseUnavailable("away")

    with pytest.raises(DatabaseUnavailable):
        publish(target, marker, counted_of(marker), database=away)
    assert published_revision(target, "leaves") == 0
    done = publish(target, marker, counted_of(marker), database=told.append)
    assert told == [done.rows, done.rows]
    assert published_revision(target, "leaves") == 1


@pytest.mark.parametrize("change", ["missing", "twice", "other"])
def test_every_image_of_the_marker_is_counted_exactly_once(change: str) -> None:
    _, target, marker = complete_job()
    counted = counted_of(marker)
    wrong = {
        "missing": counted[1:],
        "twice": [*counted, counted[0]],
        "other": [counted[0].__class__(1, "batch_1/x.png", counted[0].counts), *counted[1:]],
    }
    with pytest.raises(BadArtifact, match=r"revisions/1\.json lists 6 images"):
        publish(target, marker, wrong[change])
    assert [entry.name for entry in target.entries()] == ["leaves/revisions/1.json"]


def test_an_earlier_revision_does_not_replace_a_later_one() -> None:
    sources, target, first = complete_job()
    second = correct(sources, target)
    publish(target, second, counted_of(second, 50))
    before = files(target)
    late = publish(target, first, counted_of(first), database=lambda _: pytest.fail("written"))
    assert late.superseded
    assert files(target) == before


def test_who_is_overtaken_while_writing_says_so_and_the_later_revision_is_repaired() -> None:
    sources, target, first = complete_job()
    later: list[Marker] = []

    def overtake(_: object) -> None:
        later.append(correct(sources, target))
        publish(target, later[0], counted_of(later[0], 50))

    done = publish(target, first, counted_of(first), database=overtake)
    assert done.superseded
    found = detect(sources, target, "leaves", SMALL, now=lambda: NOW)
    assert (found.state, found.marker) == ("pending", later[0])
    publish(target, later[0], counted_of(later[0], 50))
    assert published_revision(target, "leaves") == 2
    assert b",2\r\n" in files(target)["batch_stats.csv"]


class Contested(MemoryStore):
    """A store in which somebody overwrites a file after each of the first writes of another."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._left = itertools.chain(itertools.repeat(True, times), itertools.repeat(False))

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().write(name, data, content_type=content_type, metadata=metadata)
        if name.endswith("summary.json") and next(self._left):
            super().write("leaves/batch_stats.csv", b"of an earlier revision")


def test_files_that_an_earlier_revision_overwrote_are_written_again() -> None:
    sources, _, marker = complete_job()
    target = Contested(1)
    found = detect(sources, target, "leaves", SMALL, now=lambda: NOW)
    assert found.marker == marker
    done = publish(target, marker, counted_of(marker))
    assert files(target)["batch_stats.csv"] == to_csv(done.rows)


def test_files_that_are_overwritten_for_ever_are_a_transient_error() -> None:
    _, _, marker = complete_job()
    with pytest.raises(StoreUnavailable, match="keeps overwriting the results of leaves"):
        publish(Contested(100), marker, counted_of(marker))
