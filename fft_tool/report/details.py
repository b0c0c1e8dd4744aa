"""What a record says, as pieces of a page: facts, sentences, charts and tables.

All text from files is escaped by :func:`fft_tool.report.markup.element`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fft_tool.report import charts
from fft_tool.report.markup import Markup, element, join
from fft_tool.report.sentences import (
    angle,
    decimal,
    file_size,
    findings,
    length,
    number,
    percent,
    period,
    with_error,
)
from fft_tool.validate import Json

_SEPARATOR = re.compile(r"(?<=[-_./])(?=.)")
_EXPONENT = re.compile(r"\^([\d.]*\d)")


def badge_of(certificate: Json | None) -> Markup:
    """Say in a word or two whether the artifacts give the image back."""
    if certificate is None:
        return element("span", "not invertible", class_="badge")
    if certificate["exact"]:
        return element("span", "exact", class_="badge good")
    error = f"± {certificate['max_abs_error']:,}"
    told = "largest error of the image that the pictures give back, in grey levels"
    return element("span", error, class_="badge", title=told)


def name_of(name: str) -> Markup:
    """Show a file name that may wrap after separators, with its writing direction isolated."""
    return element("bdi", join(_SEPARATOR.split(str(name)), element("wbr")))


def facts(record: Json) -> Iterator[str]:
    """Format, size, channels, region, pixel size and bytes of a source, one text each."""
    image, region, size = record["image"], record["region"], record["measures"]["pixel_size_um"]
    yield str(image["format"]).upper()
    yield f"{image['width']:,} × {image['height']:,} px"
    yield f"{image['depth']:d} bits, {' + '.join(map(str, image['channels']))}"
    if region["method"] != "whole":
        place = f"({region['x']:,}, {region['y']:,}), {region['method']}"
        yield f"region of {region['width']:,} × {region['height']:,} px at {place}"
    if size:
        yield f"{' × '.join(dict.fromkeys(length(side) for side in size))} per pixel"
    yield file_size(record["source"]["bytes"])


def reading(record: Json) -> Markup:
    """What the spectrum says, in sentences."""
    told = ((finding.topic, _raised(finding.text)) for finding in findings(record))
    return element("section", element("h3", "What the spectrum says"), definitions(told))


def _raised(text: str) -> Markup:
    """Typeset exponents: 1/f^2.1 as 1/f²·¹."""
    return join(
        element("sup", part) if i % 2 else part for i, part in enumerate(_EXPONENT.split(text))
    )


def definitions(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Show terms and what they mean as a list."""
    return element(
        "dl", *(element("div", element("dt", term), element("dd", text)) for term, text in pairs)
    )


def waves(record: Json) -> Markup | None:
    """Table of the peaks of the spectrum; None if there are none."""
    peaks = record["measures"]["peaks"]
    rows = [
        (
            order,
            period(peak),
            angle(peak["angle"]),
            number(peak["amplitude"]),
            f"{peak['prominence_db']:.0f} dB",
        )
        for order, peak in enumerate(peaks, start=1)
    ]
    heads = ("", "Period", "Angle", "Amplitude", "Prominence")
    return table("Waves", heads, rows) if rows else None


def plots(record: Json) -> Iterator[Markup]:
    """Figures: power against frequency, histogram, and directions."""
    measures = record["measures"]
    for kind, note, chart in (
        ("Power", "over all directions; dashed: fitted slope", charts.radial_plot(measures)),
        ("Histogram", "light: logarithmic scale", charts.histogram_plot(record["statistics"])),
        ("Directions", "in which waves run, by power", charts.rose_plot(measures["orientation"])),
    ):
        if chart is not None:
            caption = element("figcaption", element("b", kind), " ", note)
            yield element("figure", chart, caption)


def pixel_table(record: Json) -> Markup:
    """Table of the statistics of each plane."""
    planes = record["statistics"]
    each = {name: dict(_pixel_statistics(plane)) for name, plane in planes.items()}
    rows = [(label, *(texts[label] for texts in each.values())) for label in each["grey"]]
    return table("Pixels", ("", *(name.capitalize() for name in planes)), rows)


def _pixel_statistics(plane: Json) -> Iterator[tuple[str, str]]:
    percentiles, clipped, cut = (plane[k] for k in ("percentiles", "clipped_share", "threshold"))
    yield "Mean", decimal(plane["mean"])
    yield "Standard deviation", decimal(plane["standard_deviation"])
    yield "Smallest", f"{plane['minimum']:,}"
    yield "1st percentile", f"{percentiles['1']:,.6g}"
    yield "25th percentile", f"{percentiles['25']:,.6g}"
    yield "Median", f"{plane['median']:,.6g}"
    yield "75th percentile", f"{percentiles['75']:,.6g}"
    yield "99th percentile", f"{percentiles['99']:,.6g}"
    yield "Largest", f"{plane['maximum']:,}"
    yield "At 0", percent(clipped["black"])
    yield f"At {plane['white']:,}", percent(clipped["white"])
    yield f"Up to threshold ({cut['method']})", percent(cut["black_pixels"] / plane["pixels"])
    yield "Entropy, bits", decimal(plane["entropy_bits"])


def measure_table(record: Json) -> Markup:
    """Table of the measures and of the certificate."""
    return table("Measures", ("", "Value"), list(_measures(record)))


def _measures(record: Json) -> Iterator[tuple[str, str]]:
    measures, certificate = record["measures"], record["certificate"]
    slope, sharpness, orientation = measures["slope"], record["sharpness"], measures["orientation"]
    if slope:
        yield "Slope β", with_error(slope["beta"], slope["error"])
    if measures["high_frequency_fraction"] is not None:
        yield "Energy at periods below 4 px", percent(measures["high_frequency_fraction"])
    if orientation:
        yield "Dominant angle", angle(orientation["angle"])
        yield "Anisotropy", number(orientation["anisotropy"])
    if sharpness:
        yield "Laplacian variance", number(sharpness["laplacian_variance"])
        yield "Gradient energy", number(sharpness["gradient_energy"])
    if certificate:
        ratio, parseval = certificate["psnr_db"], certificate["parseval_ratio"]
        yield "Inversion from", certificate["from"]
        yield "Largest error, grey levels", f"{certificate['max_abs_error']:,}"
        if corrected := certificate.get("corrected_pixels"):
            yield "Pixels from the correction", f"{corrected:,}"
        yield "PSNR before rounding", f"{ratio:.1f} dB" if ratio is not None else "no error"
        yield "Parseval ratio", f"{parseval:.6f}" if parseval is not None else "–"


def provenance(record: Json) -> Markup:
    """Which version made a record, by which recipe, of which bytes."""
    recipe, tool = record["recipe"], record["tool"]
    text = (recipe and recipe["text"]) or "defaults"
    return element(
        "p",
        f"{tool['name']} {tool['version']} · recipe ",
        element("code", text),
        " · source SHA-256 ",
        element("code", record["source"]["sha256"]),
        class_="provenance",
    )


def table(title: str, heads: Iterable[str], rows: Iterable[Iterable[object]]) -> Markup:
    """Render a section with a table whose first column has the row headers."""
    head = element("tr", *(element("th", text, scope="col") for text in heads))
    body = [
        element("tr", element("th", first, scope="row"), *(element("td", cell) for cell in cells))
        for first, *cells in rows
    ]
    table = element("table", element("thead", head), element("tbody", *body))
    return element("section", element("h3", title), element("div", table, class_="wide"))
