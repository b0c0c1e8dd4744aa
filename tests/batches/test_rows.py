"""Rows: statistics of counts, and the files that hold them."""

from __future__ import annotations

import csv
import io
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from fft_tool.batches.counting import Counted, count_image
from fft_tool.batches.origin import Origin
from fft_tool.batches.rows import COLOURS, COLUMNS, Row, statistics, to_csv, to_parquet
from fft_tool.batches.shape import JobShape
from fft_tool.batches.survey import survey
from fft_tool.image.counts import Counts
from fft_tool.recipe import Recipe
from fft_tool.stores.memory import MemoryStore
from tests.support.jobs import NOW, rows_of
from tools.batch_images import known_images

ORIGIN = Origin("leaves", "s3://bucket/batches/leaves/", "key", 3, NOW)
FIELDS = (
    *("id", "job_id", "batch_id", "color", "avg_pixels", "std_pixels", "min_pixels"),
    *("max_pixels", "images", "created_at", "source_prefix", "revision"),
)


def test_the_fields_of_a_row_are_pinned() -> None:
    assert tuple(each.name for each in fields(Row)) == FIELDS
    assert [column.name for column in COLUMNS] == list(FIELDS)
    assert all(column.description for column in COLUMNS)


def test_the_statistics_of_a_hundred_images_are_those_of_numpy() -> None:
    """The images are generated with known counts, in nine formats."""
    known = list(known_images())
    store = MemoryStore()
    for image in known:
        store.write(f"job/{image.name}", image.data)
    found = survey(store, "job", JobShape())
    assert found.complete
    counted = [count_image(store, "job", image, Recipe()) for image in found.images]
    truth = {image.name: image for image in known}
    assert len({image.name.rpartition(".")[2] for image in known}) > 5
    for each in counted:
        assert each.counts == Counts(truth[each.name].black, truth[each.name].white), each.name
    rows = statistics(counted, ORIGIN, 5)
    assert [(row.batch_id, row.color) for row in rows] == [
        (batch, color) for batch in range(1, 6) for color in COLOURS
    ]
    for row in rows:
        values = np.array([getattr(i, row.color) for i in known if i.batch == row.batch_id])
        assert row.images == values.size == 20
        assert row.avg_pixels == pytest.approx(values.mean(), rel=1e-14)
        assert row.std_pixels == pytest.approx(values.std(), rel=1e-12)
        assert (row.min_pixels, row.max_pixels) == (values.min(), values.max())


@given(st.lists(st.integers(0, 300_000_000), min_size=1, max_size=30))
def test_mean_and_population_deviation_are_exact_to_the_last_digits(values: list[int]) -> None:
    images = [Counted(1, str(n), Counts(value, 0)) for n, value in enumerate(values)]
    row, _ = statistics(images, ORIGIN, 1)
    assert row.avg_pixels == pytest.approx(np.mean(values), rel=1e-14)
    assert row.std_pixels == pytest.approx(np.std(values), rel=1e-6, abs=1e-6)


def test_large_counts_do_not_lose_the_deviation() -> None:
    """The difference of two floating-point squares would be wrong in every digit."""
    images = [Counted(1, str(n), Counts(300_000_000 + n, 0)) for n in range(2)]
    row, _ = statistics(images, ORIGIN, 1)
    assert row.std_pixels == 0.5


def test_images_that_could_not_be_read_are_left_out_and_counted_as_such() -> None:
    images = [
        Counted(1, "a", Counts(1, 2)),
        Counted(1, "b", code="corrupt-image", message="cut"),
        Counted(2, "c", code="corrupt-image", message="cut"),
    ]
    black, white, *none = statistics(images, ORIGIN, 2)
    assert (black.images, black.avg_pixels, black.std_pixels, white.max_pixels) == (1, 1.0, 0.0, 2)
    for row in none:
        assert (row.batch_id, row.images) == (2, 0)
        assert row.statistics() == (None, None, None, None)


def test_the_identity_of_a_row_is_that_of_its_images() -> None:
    rows = rows_of()
    assert rows_of() == rows
    assert len({row.id for row in rows}) == len(rows)
    assert {row.id for row in rows_of(at="2027-01-01T00:00:00Z")} == {row.id for row in rows}
    for other in (rows_of("other"), rows_of(revision=2), rows_of(key="other")):
        assert not {row.id for row in other} & {row.id for row in rows}


def test_the_csv_has_a_line_for_each_row_and_empty_cells_for_what_is_not_known() -> None:
    rows = rows_of()
    lines = list(csv.DictReader(io.StringIO(to_csv(rows).decode(), newline="")))
    assert list(lines[0]) == list(FIELDS)
    for line, row in zip(lines, rows, strict=True):
        for name, value in row.to_json().items():
            text = line[name]
            assert (text == "") if value is None else (type(value)(text) == value)


def test_the_parquet_has_types_and_descriptions() -> None:
    rows = rows_of()
    table = parquet.read_table(io.BytesIO(to_parquet(rows)))
    assert table.to_pylist() == [row.to_json() for row in rows]
    kinds = {field.name: str(field.type) for field in table.schema}
    assert (kinds["avg_pixels"], kinds["min_pixels"], kinds["color"]) == (
        "double",
        "int64",
        "string",
    )
    about = table.schema.field("std_pixels").metadata
    assert b"population" in about[b"description"]
    assert about[b"unit"] == b"px"
    assert table.schema.metadata[b"schema"] == b"fft-tool/batch-stats/1"
