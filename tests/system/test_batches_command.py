"""``fft-tool batch`` as people run it: a process that starts others, on a hundred images."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fft_tool.stores.opening import open_store
from tests.support.cloud import Bucket
from tests.support.command import tool
from tests.support.postgres import Postgres, postgres
from tools.batch_images import KnownImage, known_images, write_job


@pytest.fixture(scope="module")
def known() -> list[KnownImage]:
    return list(known_images())


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


def check(rows: list[dict[str, object]], known: list[KnownImage]) -> None:
    """Compare rows with what is known of the images."""
    assert len(rows) == 10
    for row in rows:
        color = str(row["color"])
        values = [getattr(image, color) for image in known if image.batch == row["batch_id"]]
        assert (row["images"], row["min_pixels"], row["max_pixels"]) == (
            20,
            min(values),
            max(values),
        )
        assert row["avg_pixels"] == pytest.approx(np.mean(values))
        assert row["std_pixels"] == pytest.approx(np.std(values))


@pytest.mark.slow
def test_a_folder_of_a_hundred_images_is_counted_by_several_processes(
    known: list[KnownImage], tmp_path: Path, server: Postgres
) -> None:
    write_job(tmp_path / "leaves", known)
    words = ("batch", "leaves", "--jobs", "2", "--json", "--plot", "page.html")
    done = tool(*words, "--database", server.url(), cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    (told,) = done.objects
    check(told["rows"], known)
    stored = server.query("SELECT json_agg(s) FROM latest_batch_stats AS s")
    check(json.loads(stored), known)
    again = tool(*words, "--database", server.url(), cwd=tmp_path)
    assert again.objects[0]["revision"] == 1
    assert server.query("SELECT count(*) FROM batch_stats") == "10"
    assert (tmp_path / "page.html").stat().st_size < 100_000


@pytest.mark.slow
def test_a_bucket_is_counted_by_several_processes(
    known: list[KnownImage], bucket: Bucket, tmp_path: Path
) -> None:
    store = open_store(f"{bucket.url}/batches/leaves")
    for image in known:
        store.write(image.name, image.data)
    url = f"{bucket.url}/batches/leaves"
    done = tool("batch", url, "--jobs", "2", "--json", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    check(done.objects[0]["rows"], known)


@pytest.mark.slow
def test_an_image_that_takes_too_long_does_not_block_the_others(
    known: list[KnownImage], tmp_path: Path
) -> None:
    write_job(tmp_path / "leaves", known)
    words = ("--timeout", "0.000001", "--jobs", "2", "--json")
    done = tool("batch", "leaves", "--batches", "5", *words, cwd=tmp_path)
    assert done.code == 1
    told = done.objects[0]
    assert {bad["code"] for bad in told["unreadable"]} == {"took-too-long"}
    assert told["images"]["counted"] + len(told["unreadable"]) == 100
