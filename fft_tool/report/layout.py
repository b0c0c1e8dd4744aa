"""Where the parts of a report are: all in one page, or in files of their own beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import quote

from fft_tool.report.markup import Markup, element
from fft_tool.report.thumbnails import Thumbnail

STYLE_NAME = "style.css"


@dataclass(frozen=True, slots=True)
class Layout:
    """Names and links of a report.

    Without ``folder``, the report is one page that contains everything. With it, the page
    ``index`` contains the overview; each of ``count`` images has a page of its own in ``folder``,
    which is beside ``index`` and also holds the pictures.

    >>> Layout().link(3), beside("out.html", count=9).link(3)
    ('#image-3', 'out_files/0003.html')
    """

    index: str = ""
    folder: str = ""
    count: int = 0

    def ways(self, order: int) -> Iterator[tuple[str, str]]:
        """Texts and targets of the links from an image to the overview and to its neighbours."""
        row = f"#{row_name(order)}"
        if not self.folder:
            yield "Overview", row
            return
        yield "Overview", f"../{quote(self.index)}{row}"
        if order > 1:
            yield "Previous", page_name(order - 1)
        if order < self.count:
            yield "Next", page_name(order + 1)

    def link(self, order: int) -> str:
        """Link from the overview to an image."""
        return f"{quote(self.folder)}/{page_name(order)}" if self.folder else f"#image-{order}"

    def file(self, name: str) -> str:
        """Name of a file of the folder, from the folder in which the index is."""
        return f"{self.folder}/{name}"

    def source(self, picture: Thumbnail, *, in_overview: bool) -> str:
        """Where a page finds a picture."""
        if not self.folder:
            return picture.uri
        return quote(self.file(picture.name)) if in_overview else picture.name


def beside(index: str, count: int) -> Layout:
    """Layout of a page called ``index`` with ``count`` images that have their own pages."""
    return Layout(index, f"{PurePosixPath(index).stem}_files", count)


def row_name(order: int) -> str:
    """Identifier of an image's row in the overview."""
    return f"row-{order}"


def page_name(order: int) -> str:
    """File name of the page on an image."""
    return f"{order:04d}.html"


@dataclass(slots=True)
class Pictures:
    """Shows pictures; collects those that are not in the page itself in ``files``, by name."""

    layout: Layout
    files: dict[str, bytes] = field(default_factory=dict)

    def image(self, picture: Thumbnail, alt: str, *, in_overview: bool = False) -> Markup:
        """Element that shows a picture on the page of its image, or in the overview."""
        if self.layout.folder:
            self.files[picture.name] = picture.data
        return element(
            "img",
            src=self.layout.source(picture, in_overview=in_overview),
            alt=alt,
            width=picture.width,
            height=picture.height,
            decoding="async",
            loading="lazy" if self.layout.folder else None,
        )
