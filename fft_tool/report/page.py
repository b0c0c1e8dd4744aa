"""HTML pages of results, which load nothing from elsewhere.

A report is one self-contained page, or an overview with a page for each image in a folder beside it
(:mod:`fft_tool.report.layout`). It is a pure function of its entries: the same entries give the
same files. A content security policy forbids pages to load anything else, and to run any script but
the one that sorts the overview.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from fft_tool.report.article import article_of, done_article, rejected_details, ways_from
from fft_tool.report.details import definitions
from fft_tool.report.layout import STYLE_NAME, Layout, Pictures, page_name
from fft_tool.report.markup import Markup, element, join
from fft_tool.report.overview import done_row, overview, refused_row, script
from fft_tool.results.entry import Entry

_DAMAGE = (LookupError, ArithmeticError, TypeError, ValueError, AttributeError)
_TERMS = {
    "Magnitude and phase": "The two-dimensional Fourier transform of the grey image: the mean in "
    "the centre, frequency growing outwards to half a cycle per pixel at the borders. The contrast "
    "of the magnitude is stretched here; circles mark the waves that are listed, each with its "
    "twin, and say which when pointed at. Larger pictures are scaled down such that bright points "
    "stay.",
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


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """A rendered entry.

    ``outcome`` is exact, done, rejected or damaged; ``row`` is its line of the overview. If images
    have pages of their own, ``files`` has that page and its pictures by name; those of the first
    entry include the style sheet.
    """

    outcome: str
    row: Markup
    article: Markup
    files: Mapping[str, bytes] = field(default_factory=dict)


def render(entries: Iterable[Entry], *, title: str = "Spectra") -> str:
    """Render one page with an overview, and an article for each entry.

    Entries are processed one by one, and only thumbnails are kept: a generator that reads files
    needs memory for just one image at a time.
    """
    return assemble([show(entry, order) for order, entry in enumerate(entries, 1)], title=title)


def show(entry: Entry, order: int, layout: Layout | None = None) -> ShownEntry:
    """Render the entry of position ``order``, counted from 1.

    A picture that cannot be decoded is replaced by a note, and a damaged record by an article that
    says so. Entries are independent of each other and may be rendered on several threads.
    """
    layout = layout or Layout()
    try:
        if entry.record["outcome"] == "rejected":
            shown = _show_rejected(entry, order, layout)
        else:
            shown = _show_done(entry, order, layout)
    except _DAMAGE:
        shown = _show_refused(
            order, f"Entry {order}", "damaged", "its record cannot be read", layout
        )
    return shown


def show_unreadable(name: str, reason: str, order: int, layout: Layout | None = None) -> ShownEntry:
    """Render an entry whose record could not be read."""
    return _show_refused(order, name, "damaged", reason, layout or Layout())


def assemble(
    shown: Sequence[ShownEntry], *, title: str = "Spectra", layout: Layout | None = None
) -> str:
    """Put rendered entries together: the page with the overview and, if it is the only one, all."""
    layout, code = layout or Layout(), script()
    skip = main = None
    if not layout.folder:
        skip = element("a", "Skip to the images", href="#images", class_="skip")
        main = element("main", *(one.article for one in shown), id="images")
    return document(
        title,
        skip,
        element(
            "header",
            element("h1", title),
            element("p", _tally([one.outcome for one in shown]), class_="lede"),
        ),
        overview(one.row for one in shown) if shown else None,
        main,
        element("footer", element("h2", "How to read this page"), definitions(_TERMS.items())),
        element("script", code) if shown else None,
        policy=f"script-src 'sha256-{_digest(code)}'" if shown else "",
        style=layout.file(STYLE_NAME) if layout.folder else None,
    )


def _style_sheet() -> str:
    """Text of the style sheet, which is a file of its own if images have pages of their own."""
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")


def _show_done(entry: Entry, order: int, layout: Layout) -> ShownEntry:
    record, pictures = entry.record, Pictures(layout)
    article, small = done_article(entry, order, layout, pictures)
    certificate = record["certificate"]
    outcome = "exact" if certificate and certificate["exact"] else "done"
    row = done_row(record, order, layout.link(order), small)
    return _shown(outcome, row, article, order, record["source"]["name"], pictures)


def _show_rejected(entry: Entry, order: int, layout: Layout) -> ShownEntry:
    error, name = entry.record["error"], entry.record["source"]["name"]
    reason = join([error["message"], " (", element("code", error["code"]), ")"])
    pictures = Pictures(layout)
    details = rejected_details(entry, pictures)
    return _show_refused(order, name, "rejected", reason, layout, *details, pictures=pictures)


def _show_refused(
    order: int,
    name: str,
    outcome: str,
    reason: str | Markup,
    layout: Layout,
    *details: Markup | None,
    pictures: Pictures | None = None,
) -> ShownEntry:
    badge = element("span", outcome, class_="badge bad")
    row = refused_row(name, order, layout.link(order), reason, badge)
    note = element("p", reason, class_="refusal")
    article = article_of(order, name, badge, note, *details, layout=layout)
    return _shown(outcome, row, article, order, name, pictures or Pictures(layout))


def _shown(
    outcome: str, row: Markup, article: Markup, order: int, name: str, pictures: Pictures
) -> ShownEntry:
    """Complete an entry, whose article becomes a page if the layout has pages for images."""
    if not pictures.layout.folder:
        return ShownEntry(outcome, row, article)
    ways = element("nav", ways_from(order, pictures.layout), class_="up", aria_label="Images")
    page = document(str(name), ways, element("main", article, id="images"), style=STYLE_NAME)
    files = {**pictures.files, page_name(order): page.encode("utf-8")}
    if order == 1:
        files[STYLE_NAME] = _style_sheet().encode("utf-8")
    return ShownEntry(outcome, row, Markup(), files)


def document(
    title: str,
    *body: Markup | None,
    policy: str = "",
    style: str | None = None,
    more_style: str = "",
) -> str:
    """Complete page; ``style`` is the name of the style sheet if it is not in the page.

    ``policy`` is added to the content security policy, and ``more_style`` to the style sheet that
    is in the page.
    """
    if style is None:
        rules = "img-src data:; style-src 'unsafe-inline'"
        sheet = element("style", Markup(_style_sheet() + more_style))
    else:
        rules = "img-src 'self' file:; style-src 'self' file:"
        sheet = element("link", rel="stylesheet", href=quote(style))
    rules = "; ".join(filter(None, ("default-src 'none'", rules, policy)))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=rules),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        sheet,
    )
    return f"<!doctype html>\n{element('html', head, element('body', *body), lang='en')}\n"


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()


def _tally(outcomes: Sequence[str]) -> str:
    count = Counter(outcomes)
    done = count["exact"] + count["done"]
    parts = [f"{done} {'image' if done == 1 else 'images'} analysed"]
    parts += [f"{count['exact']} given back bit for bit by the artifacts"] if done else []
    parts += [
        f"{count[outcome]} {outcome}" for outcome in ("rejected", "damaged") if count[outcome]
    ]
    return ", ".join(parts) + "."
