"""The queries and tables of ``docs/batches.md``."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest

from fft_tool.batches.database import publish_rows
from fft_tool.batches.rows import COLUMNS
from fft_tool.batches.shape import COUNTING_KEYS, JobShape
from tests.support.jobs import rows_of

PAGE = (Path(__file__).parents[2] / "docs" / "batches.md").read_text("utf-8")
QUERIES = re.findall(r"^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

# Batch 1 has means of 6 black and 10 white pixels; a correction makes it 10 black ones in one job.
ANSWERS = [
    [("leaves", 1, 10, 3), ("ferns", 1, 6, 3)],
    [("ferns", 1, 37.5), ("leaves", 1, 50)],
    [
        *((1, "black", 1, 6, None), (1, "black", 2, 10, 4)),
        *((1, "white", 1, 10, None), (1, "white", 2, 10, 0)),
        *((2, color, revision, None, None) for color in ("black", "white") for revision in (1, 2)),
    ],
    [("ferns", 2, 0), ("leaves", 2, 0)],
]
EXAMPLES = list(zip(QUERIES, ANSWERS, strict=True))


def fill_table(url: str) -> None:
    for rows in (rows_of(), rows_of(revision=2, black=9), rows_of("ferns")):
        publish_rows(url, rows)


@pytest.mark.parametrize(("query", "answer"), EXAMPLES)
def test_the_queries_give_what_they_ask_for(
    tmp_path: Path, query: str, answer: list[tuple[object, ...]]
) -> None:
    path = tmp_path / "stats.db"
    fill_table(f"sqlite:///{path}")
    connection = sqlite3.connect(path)
    found = connection.execute(query).fetchall()
    connection.close()
    assert found == answer


def test_the_columns_are_described_in_their_order() -> None:
    table = PAGE.partition("## Rows")[2].partition("## Revisions")[0]
    told = re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`[^|]*)\|", table, re.MULTILINE)))
    assert told == [column.name for column in COLUMNS]


def test_the_settings_are_those_that_are_accepted() -> None:
    (text,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert JobShape().overridden(json.loads(text)).batches == 3
    assert all(f"`{key}`" in PAGE for key in COUNTING_KEYS)
