"""One self-contained HTML page of results, which needs neither network nor scripts.

The page is a pure function of its entries: the same entries give the same text. All text from files
is escaped by :func:`fft_tool.report.charts.element`, and a content security policy forbids the page
to load anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fft_tool.image.renditions import draw_photo
from fft_tool.report import charts
from fft_tool.report.charts import Markup, element, join
from fft_tool.report.sentences import (
    angle,
    decimal,
    dominant,
    file_size,
    findings,
    length,
    number,
    percent,
    period,
    with_error,
)
from fft_tool.report.thumbnails import (
    SIZE,
    SMALL,
    THINNEST,
    Thumbnail,
    draw_magnitude,
    draw_phase,
    draw_picture,
    draw_sizes,
)
from fft_tool.results.entry import Entry
from fft_tool.results.registry import ARTIFACT_KINDS, Shown
from fft_tool.validate import Json

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_DAMAGE = (LookupError, ArithmeticError, TypeError, ValueError, AttributeError)
_SEPARATOR = re.compile(r"(?<=[-_./])(?=.)")
_EXPONENT = re.compile(r"\^([\d.]*\d)")
_DRAWN = {"magnitude": draw_magnitude, "phase": draw_phase, "photo": draw_photo}
_COLUMNS = (
    ("Spectrum", "thumb"),
    ("Image", None),
    ("Size, px", "minor"),
    ("Dominant wave", None),
    ("Slope β", "figure"),
    ("Sharpness", "figure minor"),
    ("Exact", None),
)
_TERMS = {
    "Magnitude and phase": "The two-dimensional Fourier transform of the grey image: the mean in "
    "the centre, frequency growing outwards to half a cycle per pixel at the borders. The contrast "
    "of the magnitude is stretched here; circles mark the waves that are listed, each with its "
    "twin. Larger pictures are scaled down such that bright points stay.",
    "Wave, angle": "A sharp peak of the spectrum. The angle is the direction in which the wave "
    "runs, counter-clockwise from the x axis: vertical stripes have 0°, horizontal ones 90°. "
    "Prominence is power above that of other directions at the same frequency.",
    "Slope β": "Mean power falls as 1/f^β, with β's standard error. White noise has 0, most "
    "photographs from 1.6 to 3.",
    "Sharpness": "Variance of the Laplacian, with grey values from 0 to 1. It depends on the "
    "subject: compare images of the same thing.",
    "Exact": "Whether the artifacts, inverted, gave every grey value back; if not, the largest "
    "error in grey levels.",
}


def render(entries: Iterable[Entry], *, title: str = "Spectra") -> str:
    """Render the page: an overview with a row for each entry, then an article for each.

    Entries are processed one by one, and only thumbnails are kept: a generator that reads files
    needs memory for just one image at a time. A picture that cannot be decoded is replaced by a
    note, and a damaged record by an article that says so.
    """
    shown = [_show(entry, order) for order, entry in enumerate(entries, start=1)]
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(style)),
    )
    body = element(
        "body",
        element("a", "Skip to the images", href="#images", class_="skip"),
        element("header", element("h1", title), element("p", _tally(shown), class_="lede")),
        _overview(shown),
        element("main", *(one.article for one in shown), id="images"),
        element("footer", element("h2", "How to read this page"), _definitions(_TERMS.items())),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


@dataclass(frozen=True, slots=True)
class _Shown:
    """A rendered entry; ``outcome`` is exact, done, rejected or damaged."""

    outcome: str
    row: Markup
    article: Markup


def _show(entry: Entry, order: int) -> _Shown:
    try:
        if entry.record["outcome"] == "rejected":
            return _show_rejected(entry, order)
        return _show_done(entry, order)
    except _DAMAGE:
        return _show_refused(order, f"Entry {order}", "damaged", "its record cannot be read")


def _show_done(entry: Entry, order: int) -> _Shown:
    record, certificate = entry.record, entry.record["certificate"]
    badge = _badge(certificate)
    small, figures = _pictures(entry)
    article = _article(
        order,
        record["source"]["name"],
        badge,
        element("p", " · ".join(_facts(record)), class_="facts"),
        element("div", *figures, class_="pictures"),
        element("div", _reading(record), _waves(record), class_="columns"),
        element("div", *_charts(record), class_="charts"),
        element("div", _pixel_table(record), _measure_table(record), class_="columns"),
        _provenance(record),
    )
    outcome = "exact" if certificate and certificate["exact"] else "done"
    return _Shown(outcome, _row(record, order, small, badge), article)


def _show_rejected(entry: Entry, order: int) -> _Shown:
    record = entry.record
    name, error = record["source"]["name"], record["error"]
    reason = join([error["message"], " (", element("code", error["code"]), ")"])
    size = element("p", file_size(record["source"]["bytes"]), class_="facts")
    picture = draw_picture(entry.source, draw_photo)
    figure = _figure("Source", "as it came in", picture, name) if picture else None
    return _show_refused(order, name, "rejected", reason, size, figure, _provenance(record))


def _show_refused(order: int, name: str, outcome: str, reason: str, *rest: Markup | None) -> _Shown:
    badge = element("span", outcome, class_="badge bad")
    row = element(
        "tr",
        element("td", class_="thumb"),
        element("th", _link(name, order), scope="row"),
        element("td", class_="minor"),
        element("td", reason, colspan=2),
        element("td", class_="minor"),
        element("td", badge),
    )
    note = element("p", reason, class_="refusal")
    return _Shown(outcome, row, _article(order, name, badge, note, *rest))


def _tally(shown: list[_Shown]) -> str:
    outcomes = [one.outcome for one in shown]
    exact = outcomes.count("exact")
    done = exact + outcomes.count("done")
    parts = [f"{done} {'image' if done == 1 else 'images'} analysed"]
    parts += [f"{exact} given back bit for bit by the artifacts"] if done else []
    parts += [
        f"{outcomes.count(outcome)} {outcome}"
        for outcome in ("rejected", "damaged")
        if outcome in outcomes
    ]
    return ", ".join(parts) + "."


def _overview(shown: list[_Shown]) -> Markup | None:
    if not shown:
        return None
    heads = (element("th", text, scope="col", class_=name) for text, name in _COLUMNS)
    table = element(
        "table",
        element("thead", element("tr", *heads)),
        element("tbody", *(one.row for one in shown)),
    )
    return element("nav", table, id="overview", aria_label="Overview")


def _row(record: Json, order: int, small: Markup | None, badge: Markup) -> Markup:
    peak, slope, sharpness = dominant(record), record["measures"]["slope"], record["sharpness"]
    sharp = number(sharpness["laplacian_variance"]) if sharpness else "–"
    region = record["region"]
    return element(
        "tr",
        element("td", small, class_="thumb"),
        element("th", _link(record["source"]["name"], order), scope="row"),
        element("td", f"{region['width']:,} × {region['height']:,}", class_="minor"),
        element("td", f"{period(peak)} at {angle(peak['angle'])}" if peak else "–"),
        element("td", decimal(slope["beta"]) if slope else "–", class_="figure"),
        element("td", sharp, class_="figure minor"),
        element("td", badge),
    )


def _badge(certificate: Json | None) -> Markup:
    if certificate is None:
        return element("span", "not invertible", class_="badge")
    if certificate["exact"]:
        return element("span", "exact", class_="badge good")
    return element("span", f"± {certificate['max_abs_error']:,}", class_="badge")


def _article(order: int, name: str, badge: Markup, *content: Markup | None) -> Markup:
    head = element("header", element("h2", _name(name)), badge)
    up = element("p", element("a", "Overview", href="#overview"), class_="up")
    return element("article", head, *content, up, id=f"image-{order}")


def _link(name: str, order: int) -> Markup:
    return element("a", _name(name), href=f"#image-{order}")


def _name(name: str) -> Markup:
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


def _pictures(entry: Entry) -> tuple[Markup | None, list[Markup]]:
    """Return the small picture for the overview, and all figures."""
    record, recipe = entry.record, entry.record["recipe"]["values"]
    name = record["source"]["name"]
    shape = record["spectrum"]["width"], record["spectrum"]["height"]
    marks = charts.peak_marks(record["measures"]["peaks"], *shape)
    small, large = draw_sizes(entry.pictures.get("magnitude"), draw_magnitude, SMALL, SIZE)
    source = "as it came in" if entry.source is not None else "is not at hand"
    photo = draw_picture(entry.source, draw_photo, frame=record["image"]["frame"] or 1)
    figures = [_figure("Source", source, photo, name)]
    for kind, shown in _shown_kinds():
        if kind == "magnitude":
            over = marks if min(shape) > THINNEST else None
            figures.append(_figure(shown.title, shown.note(recipe), large, name, over))
        elif kind in entry.pictures:
            picture = draw_picture(entry.pictures[kind], _DRAWN[shown.drawn_as])
            figures.append(_figure(shown.title, shown.note(recipe), picture, name))
    return _image(small, "") if small else None, figures


def _shown_kinds() -> list[tuple[str, Shown]]:
    """Kinds of artifacts that are shown, and how, in order of position."""
    shown = [(kind.name, kind.shown) for kind in ARTIFACT_KINDS.values() if kind.shown]
    return sorted(shown, key=lambda each: each[1].place)


def _figure(
    kind: str, note: str, picture: Thumbnail | None, name: str, marks: Markup | None = None
) -> Markup:
    if picture is None:
        frame = element("div", "no picture to show", class_="frame empty")
    else:
        frame = element("div", _image(picture, f"{kind} of {name}"), marks, class_="frame")
    return element("figure", frame, element("figcaption", element("b", kind), " ", note))


def _image(picture: Thumbnail, alt: str) -> Markup:
    return element("img", src=picture.uri, alt=alt, width=picture.width, height=picture.height)


def _reading(record: Json) -> Markup:
    told = ((finding.topic, _raised(finding.text)) for finding in findings(record))
    return element("section", element("h3", "What the spectrum says"), _definitions(told))


def _raised(text: str) -> Markup:
    """Typeset exponents: 1/f^2.1 as 1/f²·¹."""
    return join(
        element("sup", part) if i % 2 else part for i, part in enumerate(_EXPONENT.split(text))
    )


def _definitions(pairs: Iterable[tuple[str, str]]) -> Markup:
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
