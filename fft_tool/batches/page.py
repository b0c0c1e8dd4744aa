"""The page of a job: one HTML file with plots, which loads nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fft_tool.batches import charts
from fft_tool.batches.counting import Counted
from fft_tool.batches.rows import COLOURS, Row
from fft_tool.batches.shape import JobShape
from fft_tool.report.details import definitions, name_of
from fft_tool.report.markup import Markup, element, join
from fft_tool.report.page import document

_TERMS = {
    "Black and white": "A pixel is black if its grey level is at most the threshold, otherwise "
    "white. The threshold is the middle of the image's range unless the settings say otherwise.",
    "Mean, deviation": "Of the number of such pixels in an image, over the images of a batch. The "
    "deviation is that of the population: the mean square is divided by the number of images.",
    "Plots": "Line across: mean. Light area: mean ± deviation. Thin lines: smallest and largest.",
}
_HEADS = ("Batch", "Pixels", "Images", "Mean", "Deviation", "Smallest", "Largest")


@dataclass(frozen=True, slots=True)
class Result:
    """What was found in a job: its rows, and each of its images as it was counted."""

    shape: JobShape
    rows: tuple[Row, ...]
    counted: tuple[Counted, ...]

    @property
    def unreadable(self) -> tuple[Counted, ...]:
        """Images that could not be counted, with the reasons."""
        return tuple(image for image in self.counted if image.counts is None)


def render(result: Result) -> str:
    """Render the page of a job; the same result gives the same page."""
    first = result.rows[0]
    return document(
        first.job_id,
        element(
            "header",
            element("h1", name_of(first.job_id)),
            element("p", _lede(result), class_="lede"),
        ),
        element("main", _overview(result), *_batches(result)),
        element("footer", element("h2", "How to read this page"), definitions(_TERMS.items())),
        more_style=Path(__file__).with_name("page.css").read_text("utf-8"),
    )


def _lede(result: Result) -> str:
    first, bad = result.rows[0], len(result.unreadable)
    batches = _several(result.shape.batches, "batch", "batches")
    images = _several(len(result.counted) - bad, "image", "images")
    parts = [batches, f"{images} counted"]
    if bad:
        parts.append(f"{bad:,} could not be read")
    day, _, time = first.created_at.partition("T")
    return f"{', '.join(parts)}. Revision {first.revision}, {day} {time.removesuffix('Z')[:5]} UTC."


def _overview(result: Result) -> Markup:
    settings = " ".join(f"{name}={value}" for name, value in result.shape.to_json().items())
    return element(
        "article",
        element("header", element("h2", "All batches")),
        element("div", *charts.plots_of(result.rows), class_="charts two"),
        element("section", element("div", _table(result.rows), class_="wide")),
        element(
            "p",
            element("bdi", result.rows[0].source_prefix),
            " · settings ",
            element("code", settings),
            class_="provenance",
        ),
        id="all",
    )


def _batches(result: Result) -> Iterator[Markup]:
    axes: Mapping[str, charts.Axis] = {
        color: charts.axis_of(row for row in result.rows if row.color == color) for color in COLOURS
    }
    of_batch: dict[int, list[Counted]] = {}
    for image in result.counted:
        of_batch.setdefault(image.batch, []).append(image)
    pairs = zip(result.rows[::2], result.rows[1::2], strict=True)
    for pair in pairs:
        number = pair[0].batch_id
        images = sorted(of_batch.get(number, []), key=lambda image: image.name)
        bad = [image for image in images if image.counts is None]
        yield element(
            "article",
            element(
                "header",
                element("h2", f"Batch {number}"),
                _badge(pair[0].images, len(images)),
            ),
            element("div", *_of_one(pair, images, axes), class_="charts two"),
            _refusals(bad) if bad else None,
            id=f"batch-{number}",
        )


def _of_one(
    rows: Sequence[Row], images: Sequence[Counted], axes: Mapping[str, charts.Axis]
) -> Iterator[Markup]:
    for row in rows:
        counts = [
            (image.name.partition("/")[2], getattr(image.counts, row.color))
            for image in images
            if image.counts is not None
        ]
        note = "in each image"
        if len(counts) > charts.MOST_BARS:
            counts, note = [], f"mean and deviation of {row.images:,} images"
        plot = charts.images_plot(row, counts, axes[row.color])
        yield charts.figure(f"{row.color.capitalize()} pixels", note, plot)


def _badge(counted: int, total: int) -> Markup:
    if counted == total:
        return element("span", _several(total, "image", "images"), class_="badge good")
    return element("span", f"{counted:,} of {total:,} images", class_="badge bad")


def _refusals(images: Sequence[Counted]) -> Markup:
    lines = ((image.name.partition("/")[2], image.message) for image in images)
    return element("section", element("h3", "Could not be read"), definitions(lines))


def _table(rows: Sequence[Row]) -> Markup:
    head = element("tr", *(element("th", text, scope="col") for text in _HEADS))
    body = [
        element(
            "tr",
            element("th", element("a", row.batch_id, href=f"#batch-{row.batch_id}"), scope="row"),
            element("td", row.color),
            element("td", f"{row.images:,}"),
            *(element("td", _number(value)) for value in row.statistics()),
        )
        for row in rows
    ]
    return element("table", element("thead", head), element("tbody", join(body)))


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _several(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
