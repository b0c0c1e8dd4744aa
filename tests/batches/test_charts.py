"""Charts and the page of a job."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fft_tool.batches import page as page_module
from fft_tool.batches.charts import MOST_BARS, Axis, axis_of, batches_plot, images_plot
from fft_tool.batches.counting import Counted
from fft_tool.batches.origin import Origin
from fft_tool.batches.page import Result, render
from fft_tool.batches.rows import statistics
from fft_tool.batches.shape import JobShape
from fft_tool.image.counts import Counts
from fft_tool.report.markup import Markup
from tests.report.test_page import Page
from tests.support.jobs import NOW

ORIGIN = Origin("leaves <1>", "s3://bucket/batches/leaves/", "key", 3, NOW)


def result(*blacks: list[int], name: str = "a") -> Result:
    """A job whose batches have images of so many black pixels, -1 standing for unreadable ones."""
    counted = [
        Counted(batch, f"batch_{batch}/{name}{n:04}.png", Counts(black, 100))
        if black >= 0
        else Counted(batch, f"batch_{batch}/{name}{n:04}.png", code="corrupt-image", message="cut")
        for batch, values in enumerate(blacks, start=1)
        for n, black in enumerate(values)
    ]
    shape = JobShape(len(blacks), max(map(len, blacks)))
    return Result(shape, statistics(counted, ORIGIN, len(blacks)), tuple(counted))


def svg(chart: Markup) -> ET.Element:
    return ET.fromstring(chart)  # noqa: S314  (made here)


def black_rows(*blacks: list[int]) -> list:  # type: ignore[type-arg]
    return [row for row in result(*blacks).rows if row.color == "black"]


def test_marks_are_where_the_statistics_are() -> None:
    rows = black_rows([10, 20, 60], [0, 100])
    axis = axis_of(rows)
    chart = svg(batches_plot(rows, "black"))
    means = [line for line in chart.iter("line") if line.get("class") == "mean"]
    assert [float(line.get("y1", "")) for line in means] == pytest.approx(
        [axis.place(30), axis.place(50)], abs=0.06
    )
    whiskers = [line for line in chart.iter("line") if line.get("class") == "whisker"]
    ends = [(line.get("y1"), line.get("y2")) for line in whiskers[::3]]
    assert ends == [
        (f"{axis.place(low):.1f}", f"{axis.place(high):.1f}") for low, high in ((10, 60), (0, 100))
    ]
    assert axis.place(0) > axis.place(100)


def test_bars_are_as_high_as_the_counts() -> None:
    (row,) = black_rows([10, 20, 40])
    axis = axis_of([row])
    chart = svg(images_plot(row, [("a", 10), ("b", 20), ("c", 40)], axis))
    bars = [bar for bar in chart.iter("rect") if bar.get("class") == "bars"]
    heights = [float(bar.get("height", "")) for bar in bars]
    assert heights == pytest.approx([axis.place(0) - axis.place(n) for n in (10, 20, 40)], abs=0.1)
    assert [bar.findtext("title") for bar in bars] == ["a: 10", "b: 20", "c: 40"]


@pytest.mark.parametrize("most", [1, 3, 7, 99, 100, 12_345, 3_000_000, 299_999_999, 10**12])
def test_an_axis_has_a_few_round_ticks(most: int) -> None:
    texts = re.findall(r">([\d.e+]+)<", Axis(most).draw())
    assert 2 <= len(texts) <= 5
    assert texts[0] == "0"
    assert all(len(text) <= 5 for text in texts)


def test_batches_without_any_readable_image_are_shown_as_such() -> None:
    rows = black_rows([-1, -1], [-1])
    chart = batches_plot(rows, "black")
    assert "Batch 1: no image could be counted." in chart
    assert [text.text for text in svg(chart).iter("text")].count("–") == 2


def test_constant_counts_and_black_images_have_charts() -> None:
    svg(batches_plot(black_rows([0, 0], [0, 0]), "black"))
    svg(batches_plot(black_rows([5], [5]), "black"))


def test_of_many_batches_only_some_are_labelled() -> None:
    rows = black_rows(*([n] for n in range(1, 101)))
    chart = svg(batches_plot(rows, "black"))
    labels = [int(t.text or 0) for t in chart.iter("text") if (t.text or "").isdigit()]
    assert labels[:2] != [1, 2]
    assert sum(1 for line in chart.iter("line") if line.get("class") == "mean") == 100


def test_the_page_has_a_plot_for_each_batch_and_colour_and_a_table_of_the_rows() -> None:
    shown = result([1, 2, -1], [4, 5, 6])
    page = Page(render(shown)).root
    assert page.one("h1").text == "leaves <1>"
    assert page.one("p", "lede").text == (
        "2 batches, 5 images counted, 1 could not be read. Revision 3, 2026-11-30 12:00 UTC."
    )
    assert len(page.all("svg")) == 2 + 4
    assert [row.all("td")[0].text for row in page.one("tbody").all("tr")] == ["black", "white"] * 2
    assert [badge.text for badge in page.all("span", "badge")] == ["2 of 3 images", "3 images"]
    assert "a0002.png" in page.text
    assert "s3://bucket/batches/leaves/" in page.text


def test_the_page_loads_nothing_and_is_the_same_each_time() -> None:
    shown = result([1, 2], [3, 4])
    text = render(shown)
    assert text == render(shown)
    policies = [each.attributes.get("content", "") for each in Page(text).root.all("meta")]
    assert any(policy.startswith("default-src 'none'") for policy in policies)
    assert "<script" not in text


def test_every_style_of_its_own_has_a_use() -> None:
    style = Path(page_module.__file__).with_name("page.css").read_text("utf-8")
    text = render(result([1, 2], [3, 4]))
    used = {name for node in Page(text).root for name in node.classes}
    assert set(re.findall(r"\.([a-z][\w-]*)", style)) <= used
    assert style in text


def test_names_are_shown_as_text() -> None:
    text = render(result([1, -1], name="<img src=x>"))
    assert "<img" not in text


def test_the_page_of_a_large_job_stays_small() -> None:
    many = result([5] * (MOST_BARS + 1), [6] * (MOST_BARS + 1))
    text = render(many)
    assert len(text) < 60_000
    assert f"mean and deviation of {MOST_BARS + 1:,} images" in text
