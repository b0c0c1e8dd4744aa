"""The overview of a report: a table with a row for each image, which a script makes sortable."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fft_tool.report.details import badge_of, name_of
from fft_tool.report.layout import row_name
from fft_tool.report.markup import Markup, element
from fft_tool.report.sentences import angle, decimal, dominant, number, period
from fft_tool.validate import Json

# Heading, class, and the key of a row's value by which it is sorted.
_COLUMNS = (
    ("Spectrum", "thumb", None),
    ("Image", None, "name"),
    ("Size, px", "minor", "size"),
    ("Dominant wave", None, "period"),
    ("Slope β", "figure", "slope"),
    ("Sharpness", "figure minor", "sharpness"),
    ("Exact", None, "error"),
)


def overview(rows: Iterable[Markup]) -> Markup:
    """Table of all images, with the headings above."""
    heads = (
        element("th", text, scope="col", class_=name, data_sort=key) for text, name, key in _COLUMNS
    )
    table = element("table", element("thead", element("tr", *heads)), element("tbody", *rows))
    return element("nav", table, id="overview", aria_label="Overview")


def done_row(record: Json, order: int, link: str, small: Markup | None) -> Markup:
    """Row of an analysed source; ``small`` is the picture of its spectrum."""
    name, certificate, region = record["source"]["name"], record["certificate"], record["region"]
    peak, slope, sharpness = dominant(record), record["measures"]["slope"], record["sharpness"]
    sharp = number(sharpness["laplacian_variance"]) if sharpness else "–"
    return element(
        "tr",
        element("td", small, class_="thumb"),
        element("th", element("a", name_of(name), href=link), scope="row"),
        element("td", f"{region['width']:,} × {region['height']:,}", class_="minor"),
        element("td", f"{period(peak)} at {angle(peak['angle'])}" if peak else "–"),
        element("td", decimal(slope["beta"]) if slope else "–", class_="figure"),
        element("td", sharp, class_="figure minor"),
        element("td", badge_of(certificate)),
        id=row_name(order),
        data_name=name,
        data_size=region["width"] * region["height"],
        data_period=_plain(peak["period"]) if peak else None,
        data_slope=_plain(slope["beta"]) if slope else None,
        data_sharpness=_plain(sharpness["laplacian_variance"]) if sharpness else None,
        data_error=_plain(certificate["max_abs_error"]) if certificate else None,
    )


def refused_row(name: str, order: int, link: str, reason: str | Markup, badge: Markup) -> Markup:
    """Row of a source that was rejected, or whose record is damaged."""
    return element(
        "tr",
        element("td", class_="thumb"),
        element("th", element("a", name_of(name), href=link), scope="row"),
        element("td", class_="minor"),
        element("td", reason, colspan=2),
        element("td", class_="minor"),
        element("td", badge),
        id=row_name(order),
        data_name=name,
    )


def script() -> Markup:
    """Text of the script that sorts the table by the column whose heading is clicked."""
    return Markup(Path(__file__).with_name("sort.js").read_text(encoding="utf-8"))


def _plain(value: float) -> str:
    return f"{value:.6g}"
