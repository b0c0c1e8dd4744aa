"""The part of a report that shows one image: pictures, sentences, charts and tables.

All text from files is escaped by :func:`fft_tool.report.markup.element`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fft_tool.report import charts
from fft_tool.report.layout import Layout, Pictures
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
from fft_tool.report.thumbnails import SIZE, SMALL, THINNEST, Thumbnail, draw_picture, draw_sizes
from fft_tool.results.entry import Entry
from fft_tool.results.registry import ARTIFACT_KINDS, Shown
from fft_tool.validate import Json

_SEPARATOR = re.compile(r"(?<=[-_./])(?=.)")
_EXPONENT = re.compile(r"\^([\d.]*\d)")


def done_article(
    entry: Entry, order: int, layout: Layout, pictures: Pictures
) -> tuple[Markup, Markup | None]:
    """Article of an analysed source, and the small picture of its spectrum for the overview."""
    record = entry.record
    small, figures = _figures(entry, pictures)
    article = article_of(
        order,
        record["source"]["name"],
        badge_of(record["certificate"]),
        element("p", " · ".join(_facts(record)), class_="facts"),
        element("div", *figures, class_="pictures"),
        element("div", _reading(record), _waves(record), class_="columns"),
        element("div", *_charts(record), class_="charts"),
        element("div", _pixel_table(record), _measure_table(record), class_="columns"),
        _provenance(record),
        layout=layout,
    )
    return article, pictures.image(small, "", in_overview=True) if small else None


def rejected_details(entry: Entry, pictures: Pictures) -> Iterator[Markup | None]:
    """Size, picture and provenance of a rejected source, as far as they are available."""
    record = entry.record
    yield element("p", file_size(record["source"]["bytes"]), class_="facts")
    picture = draw_picture(entry.source, "photo")
    if picture:
        shown = pictures.image(picture, f"Source of {record['source']['name']}")
        yield _figure("Source", "as it came in", shown)
    yield _provenance(record)


def article_of(
    order: int, name: str, badge: Markup, *content: Markup | None, layout: Layout
) -> Markup:
    """Article on one image: heading, content, and the way back unless it is elsewhere."""
    head = element("header", element("h2", name_of(name)), badge)
    up = None if layout.folder else element("p", ways_from(order, layout), class_="up")
    return element("article", head, *content, up, id=f"image-{order}")


def ways_from(order: int, layout: Layout) -> Markup:
    """Links from an image to the overview and, between pages, to its neighbours."""
    return join((element("a", text, href=href) for text, href in layout.ways(order)), " · ")


def badge_of(certificate: Json | None) -> Markup:
    """Say in a word or two whether the artifacts give the image back."""
    if certificate is None:
        return element("span", "not invertible", class_="badge")
    if certificate["exact"]:
        return element("span", "exact", class_="badge good")
    return element("span", f"± {certificate['max_abs_error']:,}", class_="badge")


def name_of(name: str) -> Markup:
    """Show a file name that may wrap after separators, with its writing direction isolated."""
    return element("bdi", join(_SEPARATOR.split(str(name)), element("wbr")))


def _facts(record: Json) -> Iterator[str]:
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


def _figures(entry: Entry, pictures: Pictures) -> tuple[Thumbnail | None, list[Markup]]:
    """Return the small picture for the overview, and all figures."""
    record, recipe = entry.record, entry.record["recipe"]["values"]
    name = record["source"]["name"]

    def figure(
        kind: str, note: str, picture: Thumbnail | None, marks: Markup | None = None
    ) -> Markup:
        image = pictures.image(picture, f"{kind} of {name}") if picture else None
        return _figure(kind, note, image, marks)

    shape = record["spectrum"]["width"], record["spectrum"]["height"]
    marks = charts.peak_marks(record["measures"]["peaks"], *shape)
    small, large = draw_sizes(entry.pictures.get("magnitude"), "magnitude", SMALL, SIZE)
    source = "as it came in" if entry.source is not None else "is not at hand"
    # Records of earlier versions count frames from 0.
    photo = draw_picture(entry.source, "photo", frame=entry.record["image"]["frame"] or 1)
    figures = [figure("Source", source, photo)]
    for kind, shown in _shown_kinds():
        note = shown.note(recipe)
        if kind == "magnitude" and _was_made(kind, recipe):
            over = marks if min(shape) > THINNEST else None
            figures.append(figure(shown.title, note, large, over))
        elif kind in entry.pictures:
            picture = draw_picture(entry.pictures[kind], shown.drawn_as)
            figures.append(figure(shown.title, note, picture))
    return small, figures


def _was_made(kind: str, recipe: Json) -> bool:
    """Whether a picture was asked for; records of earlier versions do not say so of every kind."""
    return recipe.get(kind) != "no"


def _shown_kinds() -> list[tuple[str, Shown]]:
    """Kinds of artifacts that are shown, and how, in order of position."""
    shown = [(kind.name, kind.shown) for kind in ARTIFACT_KINDS.values() if kind.shown]
    return sorted(shown, key=lambda each: each[1].place)


def _figure(kind: str, note: str, image: Markup | None, marks: Markup | None = None) -> Markup:
    if image is None:
        frame = element("div", "no picture to show", class_="frame empty")
    else:
        frame = element("div", image, marks, class_="frame")
    return element("figure", frame, element("figcaption", element("b", kind), " ", note))


def _reading(record: Json) -> Markup:
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


def _waves(record: Json) -> Markup | None:
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
    return _table("Waves", heads, rows) if rows else None


def _charts(record: Json) -> Iterator[Markup]:
    measures = record["measures"]
    for kind, note, chart in (
        ("Power", "over all directions; dashed: fitted slope", charts.radial_plot(measures)),
        ("Histogram", "light: logarithmic scale", charts.histogram_plot(record["statistics"])),
        ("Directions", "in which waves run, by power", charts.rose_plot(measures["orientation"])),
    ):
        if chart is not None:
            caption = element("figcaption", element("b", kind), " ", note)
            yield element("figure", chart, caption)


def _pixel_table(record: Json) -> Markup:
    planes = record["statistics"]
    each = {name: dict(_pixel_statistics(plane)) for name, plane in planes.items()}
    rows = [(label, *(texts[label] for texts in each.values())) for label in each["grey"]]
    return _table("Pixels", ("", *(name.capitalize() for name in planes)), rows)


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


def _measure_table(record: Json) -> Markup:
    return _table("Measures", ("", "Value"), list(_measures(record)))


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


def _table(title: str, heads: Iterable[str], rows: Iterable[Iterable[object]]) -> Markup:
    """Render a section with a table whose first column has the row headers."""
    head = element("tr", *(element("th", text, scope="col") for text in heads))
    body = [
        element("tr", element("th", first, scope="row"), *(element("td", cell) for cell in cells))
        for first, *cells in rows
    ]
    table = element("table", element("thead", head), element("tbody", *body))
    return element("section", element("h3", title), element("div", table, class_="wide"))


def _provenance(record: Json) -> Markup:
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
