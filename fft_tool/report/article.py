"""The part of a report that shows one image: its pictures, and what its record says."""

from __future__ import annotations

from collections.abc import Iterator

from fft_tool.report import charts
from fft_tool.report.details import (
    badge_of,
    facts,
    measure_table,
    name_of,
    pixel_table,
    plots,
    provenance,
    reading,
    waves,
)
from fft_tool.report.layout import Layout, Pictures
from fft_tool.report.markup import Markup, element, join
from fft_tool.report.sentences import file_size
from fft_tool.report.thumbnails import SIZE, SMALL, THINNEST, Thumbnail, draw_picture, draw_sizes
from fft_tool.results.entry import Entry
from fft_tool.results.registry import ARTIFACT_KINDS, Shown
from fft_tool.validate import Json


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
        element("p", " · ".join(facts(record)), class_="facts"),
        element("div", *figures, class_="pictures"),
        element("div", reading(record), waves(record), class_="columns"),
        element("div", *plots(record), class_="charts"),
        element("div", pixel_table(record), measure_table(record), class_="columns"),
        provenance(record),
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
    yield provenance(record)


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
