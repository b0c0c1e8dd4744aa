"""Estimates: prices and times are those of the documentation, and the sums are right."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from unittest import mock

import pytest

from fft_tool.backfill import estimate as module
from fft_tool.backfill.estimate import estimate, seconds_of

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
PAGE = FOLDER.parent / "docs" / "backfill.md"

MILLION = 1_000_000
SMALL, LARGE = 220_000, 3_500_000  # bytes of the sources in docs/cost.md


def test_prices_are_those_of_the_benchmarks() -> None:
    with mock.patch.object(sys, "path", [str(FOLDER), *sys.path]):
        prices = import_module("lambda_dollars").PRICES
    assert prices["x86-64"].of(1) == pytest.approx(module.GB_SECOND)
    assert prices["invocations"].of(1) == pytest.approx(module.INVOCATION)
    assert prices["PUT"].of(1) == pytest.approx(module.PUT)
    assert prices["GET"].of(1) == pytest.approx(module.GET)
    assert prices["logs"].of(1) == pytest.approx(module.LOG_BYTE * (1 << 30))


def test_times_are_those_of_the_page_on_costs() -> None:
    page = (FOLDER.parent / "docs" / "cost.md").read_text("utf-8")
    small, large = (int(ms) for ms in re.findall(r"\(\*t\* = (\d+)\)", page))
    assert 1000 * seconds_of(1, SMALL) == pytest.approx(small, rel=0.05)
    assert 1000 * seconds_of(1, LARGE) == pytest.approx(large, rel=0.05)


def test_a_table_of_a_million_images_costs_less_than_a_dollar_in_requests() -> None:
    told = estimate("map", MILLION, MILLION * LARGE, table=True, per_invocation=200)
    requests = told.dollars - told.of("compute", "log")
    assert 0.5 < requests < 1.0


@pytest.mark.parametrize("engine", ["batch", "map"])
def test_a_bill_is_the_sum_of_its_items_and_grows_with_the_images(engine: str) -> None:
    told = estimate(engine, 1000, 1000 * SMALL)
    assert told.dollars == pytest.approx(sum(item.dollars for item in told.items))
    assert estimate(engine, 2000, 2000 * SMALL).dollars > told.dollars
    assert estimate(engine, 1000, 1000 * SMALL, artifacts=1).dollars < told.dollars
    twice = estimate(engine, 1000, 1000 * SMALL, concurrency=40)
    assert twice.seconds == pytest.approx(told.seconds / 2)


def test_larger_batches_cost_less_and_only_with_a_map() -> None:
    few, many = (estimate("map", MILLION, MILLION, per_invocation=n) for n in (10, 100))
    assert few.of("Step Functions") == pytest.approx(10 * many.of("Step Functions"))
    assert estimate("batch", 10, 10, per_invocation=5) == estimate("batch", 10, 10)


def test_the_table_in_the_documentation_is_the_current_one() -> None:
    with mock.patch.object(sys, "path", [str(FOLDER), *sys.path]):
        made = import_module("backfill_dollars")
    page = PAGE.read_text("utf-8")
    assert made.with_table(page) == page, "run python benchmarks/backfill_dollars.py"
