from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import fft_tool
from fft_tool.codec import image_file
from fft_tool.codec.png_encode import encode
from fft_tool.printable import printable
from fft_tool.recipe import Recipe
from fft_tool.report import charts
from fft_tool.report.charts import LogAxis
from fft_tool.report.markup import Markup, element, join
from tests.support.images import noise, pink_noise

Json = dict[str, Any]
Places = list[tuple[float, float]]


def run(pixels: NDArray[Any], **options: Any) -> fft_tool.Outputs:
    source = fft_tool.Source("image.png", encode(pixels, **options))
    return fft_tool.run(source, Recipe(metadata=True))


def record_of(pixels: NDArray[Any], **options: Any) -> Json:
    found = run(pixels, **options).record
    assert found is not None
    return found


def parsed(chart: Markup | None) -> ET.Element:
    assert chart is not None
    return ET.fromstring(chart)  # noqa: S314  (made right here)


def of_class(chart: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in chart.iter() if name in each.get("class", "").split()]


def points(path: ET.Element) -> Places:
    numbers = [float(text) for text in re.findall(r"-?[\d.]+", path.get("d", ""))]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def labels(chart: ET.Element) -> list[str]:
    return [each.text or "" for each in chart.iter("text")]


def profile(power: list[float], **more: Any) -> Json:
    count = len(power)
    return {
        "frequency": [0.5 * (k + 1) / count for k in range(count)],
        "mean": power,
        "count": [8 * (k + 1) for k in range(count)],
        **more,
    }


def measures(power: list[float], **more: Any) -> Json:
    return {
        "radial_profile": profile(power),
        "pixel_size_um": None,
        "slope": None,
        "peaks": [],
        **more,
    }


def power_law(beta: float, count: int = 200) -> list[float]:
    return [1e6 * (0.5 * (k + 1) / count) ** -beta for k in range(count)]


class Texts(HTMLParser):
    """Texts and attribute values of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.found += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def test_elements_are_written_with_their_attributes_and_children() -> None:
    made = element("p", "a", element("br"), None, 3, class_="note", aria_label="x", lang=None)
    assert made == '<p class="note" aria-label="x">a<br>3</p>'
    assert isinstance(made, Markup)


def test_text_is_escaped_and_markup_is_not() -> None:
    assert element("p", "<b>&\"'") == "<p>&lt;b&gt;&amp;&quot;&#x27;</p>"
    assert element("p", Markup("<b>")) == "<p><b></p>"
    assert element("a", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;"></a>'
    assert join(["<", Markup("<br>"), None], separator="|") == "&lt;|<br>"


@given(st.text(), st.text())
def test_any_text_survives_the_page_and_creates_no_element(text: str, value: str) -> None:
    page = element("p", text, title=value)
    page.encode()
    reader = Texts(page)
    assert reader.tags == ["p"]
    assert reader.found == [printable(value), *([printable(text)] if text else [])]


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x7f", "\x85", "\udce9", "\uffff", "\u202e"])
def test_invisible_characters_are_escaped(character: str) -> None:
    shown = ascii(character)[1:-1]
    assert element("p", f"a{character}b", id=character) == f'<p id="{shown}">a{shown}b</p>'


@given(
    low=st.floats(1e-12, 1e12),
    ratio=st.floats(1.001, 1e15),
    share=st.floats(0, 1),
)
def test_ticks_are_few_distinct_and_within_the_axis(low: float, ratio: float, share: float) -> None:
    axis = LogAxis(low, low * ratio, 50, 400)
    ticks = axis.ticks()
    assert ticks == sorted(set(ticks))
    assert all(axis.low <= tick <= axis.high for tick in ticks)
    assert len(ticks) <= 7
    if ratio > 10:
        assert len(ticks) >= 2
    assert axis.place(low * ratio**share) == pytest.approx(50 + 350 * share, abs=0.01)


def test_a_power_law_is_a_straight_line_and_its_fit_lies_on_it() -> None:
    slope = {"beta": 2.0, "error": 0.0, "low": 0.01, "high": 0.45, "bins": 150}
    chart = parsed(charts.radial_plot(measures(power_law(2.0), slope=slope)))
    (curve,), (fit,) = of_class(chart, "curve"), of_class(chart, "fit")
    (x0, y0), (x1, y1) = points(curve)[0], points(curve)[-1]
    for x, y in points(curve) + points(fit):
        assert y == pytest.approx(y0 + (y1 - y0) * (x - x0) / (x1 - x0), abs=0.2)
    assert len(points(fit)) == 2


def test_the_axes_show_frequency_period_and_power() -> None:
    chart = parsed(charts.radial_plot(measures(power_law(2.0))))
    texts = labels(chart)
    for text in ("frequency, cycles per pixel", "period, px", "power", "0.5", "0.01", "10", "2"):
        assert text in texts
    assert "10⁷" in texts
    place = {text.text: float(text.get("x", "")) for text in chart.iter("text")}
    assert place["0.5"] == pytest.approx(place["2"]), "Nyquist has a period of two pixels"
    assert place["0.1"] == pytest.approx(place["10"])


def test_a_known_pixel_size_adds_an_axis_of_lengths() -> None:
    known = measures(power_law(2.0), pixel_size_um=[0.005, 0.005])
    known["radial_profile"]["frequency_per_um"] = []
    chart = parsed(charts.radial_plot(known))
    assert "period, nm" in labels(chart)
    assert "period, px" in labels(chart)
    place = {text.text: float(text.get("x", "")) for text in chart.iter("text")}
    decade = (place["0.5"] - place["0.1"]) / math.log10(5)
    six_pixels = place["0.5"] - decade * math.log10(6 / 2)
    assert place["30"] == pytest.approx(six_pixels, abs=0.2)
    oblong = measures(power_law(2.0), pixel_size_um=[0.005, 0.01])
    assert "period, nm" not in labels(parsed(charts.radial_plot(oblong)))


def test_bins_without_power_are_omitted() -> None:
    chart = parsed(charts.radial_plot(measures([0.0, 4.0, 0.0, 2.0, 1.0, 0.0])))
    (curve,) = of_class(chart, "curve")
    assert len(points(curve)) == 3


@pytest.mark.parametrize("power", [[], [1.0], [0.0, 0.0, 0.0], [0.0, 2.0]])
def test_there_is_no_plot_unless_two_bins_have_power(power: list[float]) -> None:
    assert charts.radial_plot(measures(power)) is None


def test_the_strongest_periods_are_marked_and_coinciding_ones_share_a_mark() -> None:
    peaks = [{"frequency": f} for f in (0.1, 0.1003, 0.25, 0.4)]
    chart = parsed(charts.radial_plot(measures(power_law(1.0), peaks=peaks)))
    assert [text.text for text in of_class(chart, "order")] == ["1, 2", "3"]
    place = {text.text: float(text.get("x", "")) for text in chart.iter("text")}
    marks = of_class(chart, "period")
    assert float(marks[0].get("x1", "")) == pytest.approx(place["0.1"], abs=0.2)
    beyond = measures(power_law(1.0), peaks=[{"frequency": 0.7}])
    assert not of_class(parsed(charts.radial_plot(beyond)), "period")


def test_equal_powers_are_drawn() -> None:
    chart = parsed(charts.radial_plot(measures([5.0] * 40)))
    heights = {y for _, y in points(of_class(chart, "curve")[0])}
    assert len(heights) == 1


def bars(path: ET.Element) -> list[float]:
    """Heights of a histogram's bars, in units of the highest."""
    assert path.get("transform") == "translate(12 168) scale(1.15625 -.1)", "256 bars on 296 px"
    rises = [int(rise or 0) for rise in re.findall(r"(?:v(-?\d+))?h1", path.get("d", ""))]
    heights: list[float] = (np.cumsum(rises) / 1500).tolist()
    return heights


def statistics(pixels: NDArray[Any]) -> Json:
    found: Json = record_of(pixels)["statistics"]
    return found


def test_heights_of_bars_are_proportional_to_counts() -> None:
    pixels = noise((64, 64))
    chart = parsed(charts.histogram_plot(statistics(pixels)))
    counts = np.bincount(pixels.ravel(), minlength=256)
    (linear,), (rare,) = of_class(chart, "bars"), of_class(chart, "rare")
    assert bars(linear) == pytest.approx(counts / counts.max(), abs=1e-3)
    assert bars(rare) == pytest.approx(np.log1p(counts) / np.log1p(counts.max()), abs=1e-3)
    assert labels(chart) == ["0", "128", "255"]


def test_channels_of_a_colour_image_have_lines_on_the_scale_of_the_highest() -> None:
    pixels = noise((40, 40, 3)) // np.array([1, 2, 4], np.uint8)
    chart = parsed(charts.histogram_plot(statistics(pixels)))
    lines = {name: bars(of_class(chart, name)[0]) for name in ("red", "green", "blue")}
    most = max(np.bincount(pixels[:, :, i].ravel()).max() for i in range(3))
    for place, heights in enumerate(lines.values()):
        counts = np.bincount(pixels[:, :, place].ravel(), minlength=256)
        assert heights == pytest.approx(counts / most, abs=1e-3)


def test_the_threshold_lies_between_black_and_white() -> None:
    found = statistics(noise((16, 16)))
    for value, x in ((0, 12 + 296 / 256), (127, 160), (255, 308)):
        found["grey"]["threshold"]["value"] = value
        (line,) = of_class(parsed(charts.histogram_plot(found)), "threshold")
        assert float(line.get("x1", "")) == pytest.approx(x, abs=0.1)


def test_images_above_8_bits_have_their_own_scale() -> None:
    chart = parsed(charts.histogram_plot(statistics(noise((16, 16), np.uint16))))
    assert labels(chart) == ["0", "32,768", "65,535"]


def rose(shares: list[float], angle: float = 30.0, anisotropy: float = 0.5) -> Json:
    count = len(shares)
    angles = [180 * k / count for k in range(count)]
    return {"angle": angle, "anisotropy": anisotropy, "angles": angles, "histogram": shares}


def test_areas_of_the_rose_are_fractions_of_power() -> None:
    shares = [0.4, 0.1, 0.2, 0.3]
    chart = parsed(charts.rose_plot(rose(shares)))
    (path,) = of_class(chart, "bars")
    radii = [float(text) for text in re.findall(r"A([\d.]+) ", path.get("d", ""))]
    assert len(radii) == 2 * len(shares), "each direction and its opposite"
    squares = [radius**2 for radius in radii[::2]]
    assert [square / sum(squares) for square in squares] == pytest.approx(shares, abs=1e-3)
    (even,) = of_class(chart, "even")
    assert float(even.get("r", "")) ** 2 == pytest.approx(sum(squares) / 4, rel=0.01)


def test_angles_of_the_rose_run_counter_clockwise() -> None:
    chart = parsed(charts.rose_plot(rose([0.0, 1.0, 0.0, 0.0], angle=45.0)))
    (line,) = of_class(chart, "dominant")
    x, y = float(line.get("x1", "")) - 120, 116 - float(line.get("y1", ""))
    assert math.degrees(math.atan2(y, x)) == pytest.approx(45, abs=0.1)
    place = {text.text: (float(text.get("x", "")), text.get("y")) for text in chart.iter("text")}
    assert place["0°"][0] > 200
    assert place["180°"][0] < 40
    assert float(place["90°"][1] or "nan") < 20


def test_no_dominant_angle_is_drawn_if_no_direction_is_preferred() -> None:
    assert not of_class(parsed(charts.rose_plot(rose([0.25] * 4, anisotropy=0.01))), "dominant")
    assert charts.rose_plot(None) is None


@pytest.mark.parametrize("shape", [(48, 64), (47, 65), (64, 33)])
@pytest.mark.parametrize("vector", [(8, 0), (0, 6), (5, 9), (-7, 4), (20, 20)])
def test_marks_lie_around_the_bright_points_of_the_picture(
    shape: tuple[int, int], vector: tuple[int, int]
) -> None:
    height, width = shape
    kx, ky = (round(k * side / 64) for k, side in zip(vector, (width, height), strict=True))
    y, x = np.mgrid[:height, :width]
    wave = np.cos(2 * np.pi * (kx * x / width + ky * y / height))
    outputs = run(np.rint(128 + 100 * wave + noise(shape) / 64).astype(np.uint8))
    assert outputs.record is not None
    picture = image_file.decode(outputs["magnitude"].data).pixels[:, :, 0].astype(int)
    picture[height // 2, width // 2] = 0  # DC
    bright = np.argwhere(picture == picture.max())
    marks = parsed(charts.peak_marks(outputs.record["measures"]["peaks"][:1], width, height))
    places = {
        (round(float(mark.get("cy", "")) - 0.5), round(float(mark.get("cx", "")) - 0.5))
        for mark in marks.iter("circle")
    }
    assert {tuple(place) for place in bright.tolist()} <= places
    assert labels(marks) == ["1"]


def test_only_the_strongest_marks_are_numbered_and_screen_readers_skip_them() -> None:
    peaks = [{"fx": 0.05 * k, "fy": 0.1, "period": 9.0, "angle": 30.0} for k in range(5)]
    marks = parsed(charts.peak_marks(peaks, 100, 80))
    assert len(list(marks.iter("circle"))) == 10
    assert labels(marks) == ["1", "2", "3"]
    assert marks.get("aria-hidden") == "true"
    assert marks.get("viewBox") == "0 0 100 80"


def test_every_mark_says_the_period_and_angle_of_its_wave() -> None:
    peak = {"fx": 0.1, "fy": 0.05, "period": 8.94, "period_um": 0.447, "angle": 26.565}
    marks = parsed(charts.peak_marks([peak], 100, 80))
    titles = [circle.findtext("title") for circle in marks.iter("circle")]
    assert titles == ["8.94 px = 447 nm at 26.6°"] * 2


@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    kind=st.sampled_from(("noise", "constant", "pink", "wave")),
    density=st.sampled_from((None, (1000, 1000), (10**8, 10**8))),
)
def test_charts_of_any_image_are_well_formed_and_finite(
    shape: tuple[int, int], kind: str, density: tuple[int, int] | None
) -> None:
    wave = np.broadcast_to(np.arange(shape[1]) % 3 * 100, shape).astype(np.uint8)
    constant = np.full(shape, 5, np.uint8)
    pixels = {"noise": noise(shape), "pink": pink_noise(shape), "wave": wave}.get(kind, constant)
    record = record_of(pixels, pixels_per_metre=density)
    found = record["measures"]
    for chart in (
        charts.radial_plot(found),
        charts.histogram_plot(record["statistics"]),
        charts.rose_plot(found["orientation"]),
    ):
        if chart is None:
            continue
        assert not re.search(r"\b(nan|inf)\b", chart)
        tree = parsed(chart)
        assert tree.get("role") == "img"
        assert len(tree.get("aria-label", "")) > 20
        _, _, width, height = map(float, tree.get("viewBox", "").split())
        for text in tree.iter("text"):
            assert -1 <= float(text.get("x", "")) <= width
            assert 0 <= float(text.get("y", "")) <= height
        for curve in of_class(tree, "curve"):
            assert all(0 <= x <= width and 0 <= y <= height for x, y in points(curve))


def test_the_same_record_gives_the_same_charts() -> None:
    record = record_of(pink_noise((32, 32)))
    first, second = (charts.radial_plot(record["measures"]) for _ in range(2))
    assert first == second
