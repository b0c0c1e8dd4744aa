"""The benchmarks of counting and scanning: equal results, rows and page."""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

import fft_tool
from fft_tool.codec import png_encode

FOLDER = Path(__file__).parents[2] / "benchmarks"
DOCUMENT = FOLDER.parent / "docs" / "benchmarks-batches.md"

# The folder is not a package: its scripts import each other from the folder they are started in.
with mock.patch.object(sys, "path", [str(FOLDER), *sys.path]):
    images = import_module("images")
    measure = import_module("measure")
    plain = import_module("scripts.plain_measures")
    workflow = import_module("workflow")


def test_plain_script_counts_on_either_side_of_the_middle() -> None:
    pixels = np.array([[0, 127, 128], [255, 200, 1]], np.uint8)
    assert plain.counts(png_encode.encode(pixels)) == (3, 3)


def test_plain_script_measures_what_the_record_states() -> None:
    data = images.pink_file(128)
    (record,) = fft_tool.run(fft_tool.Source("a.png", data), workflow.SCAN)
    grey = json.loads(record.data)["statistics"]["grey"]
    measured = plain.measures(data)
    assert measured["mean"] == pytest.approx(grey["mean"])
    assert measured["standard_deviation"] == pytest.approx(grey["standard_deviation"])
    assert measured["slope"] == pytest.approx(2, abs=0.3)  # power, of amplitudes like 1/f


def test_wrong_counts_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "counts", lambda _: (0, 0))
    with pytest.raises(workflow.WrongResult):
        workflow.counting(workflow.QUICK)


def test_rates_are_those_of_the_best_round() -> None:
    times, rates = workflow.rows_of(512, measure.Times((0.1, 0.05)), measure.Times((0.2,)))
    assert times.value == 4
    assert (rates.ours, rates.its) == ("20.0 images", "5.00 images")


@pytest.mark.slow
def test_quick_run_writes_only_the_given_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "use_cores", lambda count: count)  # not of the whole test run
    before, page = DOCUMENT.read_bytes(), tmp_path / "page.md"
    assert workflow.main(["--quick", "--out", str(page)]) == 0
    text = page.read_text("utf-8")
    assert re.findall("^## (.*)$", text, re.MULTILINE) == [
        "Counting black and white pixels",
        "Scanning",
        "Machine",
    ]
    assert DOCUMENT.read_bytes() == before
