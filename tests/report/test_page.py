from __future__ import annotations

import base64
import copy
import dataclasses
import hashlib
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import fft_tool
from fft_tool.codec.png_encode import encode
from fft_tool.errors import CorruptImage
from fft_tool.recipe import Recipe
from fft_tool.report.layout import beside
from fft_tool.report.page import assemble, render, show, show_unreadable
from fft_tool.results import recording
from fft_tool.results.entry import Entry
from fft_tool.results.sections import SCHEMA_NAME
from tests.support.images import noise, pink_noise

Json = dict[str, Any]
Attributes = dict[str, str]

VOID = {"br", "img", "link", "meta", "wbr"}
STYLE = Path(fft_tool.__file__).with_name("report").joinpath("page.css").read_text(encoding="utf-8")


@dataclass
class Node:
    """An element of a page."""

    tag: str
    attributes: Attributes
    children: list[Node | str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child

    @property
    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    def all(self, tag: str, name: str | None = None) -> list[Node]:
        return [n for n in self if n.tag == tag and (name is None or name in n.classes)]

    def one(self, tag: str, name: str | None = None) -> Node:
        (found,) = self.all(tag, name)
        return found


class Page(HTMLParser):
    """A page as a tree; fails if elements are not closed properly."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open = [Node("", {})]
        self.feed(text)
        self.close()
        assert len(self.open) == 1, f"left open: {[node.tag for node in self.open]}"

    @property
    def root(self) -> Node:
        return self.open[0]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), "an attribute given twice"
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parsed(entries: list[Entry], title: str = "Spectra") -> Node:
    return Page(render(entries, title=title)).root


def entry(
    pixels: NDArray[Any], recipe: str = "bits=16", name: str = "image.png", **options: Any
) -> Entry:
    data = encode(pixels, **options)
    chosen = Recipe.parse_text(f"{recipe} metadata=yes")
    outputs = fft_tool.run(fft_tool.Source(name, data), chosen)
    found = {artifact.kind: artifact.data for artifact in outputs}
    assert outputs.record is not None
    return Entry(outputs.record, found, data)


def rejected(name: str = "bad.png", message: str = "cut in the middle") -> Entry:
    source = fft_tool.Source(name, b"no image")
    record = recording.rejected(source, Recipe(), CorruptImage(message))
    return Entry(record, source=source.data)


def waves(shape: tuple[int, int], period: float) -> NDArray[Any]:
    x = np.arange(shape[1])
    levels = 128 + 90 * np.cos(2 * np.pi * x / period) + noise(shape) / 32.0
    return np.asarray(np.rint(levels).clip(0, 255), np.uint8)


def thumbnail(page: Node, alt: str) -> NDArray[Any]:
    """Pixels of the picture with this alternative text."""
    (image,) = (n for n in page.all("img") if n.attributes["alt"].startswith(alt))
    kind, _, text = image.attributes["src"].partition(",")
    assert kind == "data:image/webp;base64"
    shown = Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")
    pixels: NDArray[Any] = np.asarray(shown)
    size = (int(image.attributes["height"]), int(image.attributes["width"]))
    assert pixels.shape[:2] == size
    return pixels


@pytest.fixture(scope="module")
def mixed() -> list[Entry]:
    crop = entry(pink_noise((60, 80)), "bits=16 crop=pct:10,10,70,70 filter=lowpass:6")
    return [
        entry(waves((64, 96), 8), "bits=16 pixel-size=65nm", "waves/stripes.png"),
        dataclasses.replace(crop, source=None),
        entry(noise((20, 30, 3)), "colour=yes", "colour.png"),
        entry(np.full((9, 9), 7, np.uint8), "phase=no", "constant.png"),
        entry(noise((1, 1)), name="one.png"),
        rejected(),
        Entry({"schema": SCHEMA_NAME, "outcome": "done"}),
    ]


@pytest.fixture(scope="module")
def page(mixed: list[Entry]) -> Node:
    return parsed(mixed, "Samples")


def test_the_page_loads_nothing_and_runs_only_the_script_that_sorts(mixed: list[Entry]) -> None:
    text = render(mixed)
    root = Page(text).root
    assert text.startswith("<!doctype html>\n<html lang=")
    assert not {node.tag for node in root} & {"link", "iframe", "object", "embed", "base"}
    code = root.one("script").text
    assert code == Path(fft_tool.__file__).with_name("report").joinpath("sort.js").read_text(
        "utf-8"
    )
    assert not re.search(r"fetch|import|eval|innerHTML|https?:|XMLHttp", code)
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    for node in root:
        for name, value in node.attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in ("src", "href"):
                assert value.startswith(("data:image/", "#")), value[:40]
    assert not re.search(r"@import|url\(|https?:", STYLE)
    policies = [n for n in root.all("meta") if "http-equiv" in n.attributes]
    (policy,) = (n.attributes["content"] for n in policies)
    rules = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert policy == f"{rules}; script-src 'sha256-{digest}'"


def test_links_lead_to_elements_and_names_of_elements_are_unique(page: Node) -> None:
    names = [n.attributes["id"] for n in page if "id" in n.attributes]
    assert len(set(names)) == len(names)
    links = {n.attributes["href"].removeprefix("#") for n in page.all("a")}
    assert links <= set(names)
    assert {f"image-{order}" for order in range(1, 8)} <= links


def test_headings_are_in_order_and_images_have_words(page: Node) -> None:
    assert page.one("html").attributes["lang"] == "en"
    assert page.one("head").one("title").text == page.one("h1").text == "Samples"
    levels = [int(node.tag[1]) for node in page if re.fullmatch("h[1-6]", node.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    for article in page.all("article"):
        for image in article.all("img"):
            assert article.one("h2").text in image.attributes["alt"]
    for image in page.one("nav").all("img"):
        assert image.attributes["alt"] == "", "the name stands beside it"
    for chart in page.all("svg", "chart"):
        assert chart.attributes["role"] == "img"
        assert chart.attributes["aria-label"]
    for table in page.all("table"):
        assert all("scope" in head.attributes for head in table.all("th"))


def test_the_overview_has_a_row_for_each_entry(page: Node, mixed: list[Entry]) -> None:
    rows = page.one("nav").one("tbody").all("tr")
    assert len(rows) == len(mixed)
    cells = [[cell.text for cell in row.children if isinstance(cell, Node)] for row in rows]
    beta = mixed[0].record["measures"]["slope"]["beta"]
    slope = f"{beta:.2f}".replace("-", "−")
    variance = mixed[0].record["sharpness"]["laplacian_variance"]
    assert cells[0][1:5] == ["waves/stripes.png", "96 × 64", "8.00 px = 520 nm at 0.0°", slope]
    assert float(cells[0][5]) == pytest.approx(variance, rel=0.01)
    assert [row[-1] for row in cells] == [
        "exact",
        "exact",
        "not invertible",
        "not invertible",
        "exact",
        "rejected",
        "damaged",
    ]
    assert cells[3][3:6] == ["–", "–", "0"]
    assert "cut in the middle (corrupt-image)" in cells[5]


def test_the_first_line_counts_the_outcomes(page: Node) -> None:
    assert page.one("p", "lede").text == (
        "5 images analysed, 3 given back bit for bit by the artifacts, 1 rejected, 1 damaged."
    )
    assert parsed([rejected()]).one("p", "lede").text == "0 images analysed, 1 rejected."


def test_an_article_shows_pictures_sentences_charts_and_numbers(page: Node) -> None:
    article = page.all("article")[0]
    assert article.one("h2").text == "waves/stripes.png"
    for words in (
        "PNG · 96 × 64 px · 8 bits, grey · 65.0 nm per pixel",
        "The dominant wave has a period of 8.00 px = 520 nm, at 0.0°: vertical stripes",
        "give the source back bit for bit",
        "recipe bits=16 pixel-size=0.065um metadata=yes",
    ):
        assert words in article.text
    captions = [figure.one("figcaption").text.split()[0] for figure in article.all("figure")]
    assert captions == ["Source", "Magnitude", "Phase", "Power", "Histogram", "Directions"]
    assert [n.text for n in article.all("h3")] == [
        "What the spectrum says",
        "Waves",
        "Pixels",
        "Measures",
    ]


def test_the_numbers_are_those_of_the_record(page: Node, mixed: list[Entry]) -> None:
    article, record = page.all("article")[2], mixed[2].record
    table = article.all("table")[-2]
    assert [n.text for n in table.one("thead").all("th")] == ["", "Grey", "Red", "Green", "Blue"]
    rows = {row.one("th").text: [n.text for n in row.all("td")] for row in table.all("tr")[1:]}
    planes = [record["statistics"][name] for name in ("grey", "red", "green", "blue")]
    assert rows["Mean"] == [f"{plane['mean']:.2f}" for plane in planes]
    assert rows["Largest"] == [str(plane["maximum"]) for plane in planes]
    assert rows["At 255"][1:] == [f"{100 * p['clipped_share']['white']:.1f} %" for p in planes[1:]]


def test_regions_and_filtered_images_are_shown_if_present(page: Node) -> None:
    article = page.all("article")[1]
    captions = [figure.one("figcaption").text for figure in article.all("figure")]
    assert "Region what was analysed" in captions
    assert "Filtered lowpass:6.0" in captions or "Filtered lowpass:6" in captions
    assert "region of 56 × 42 px at (8, 6), given" in article.text
    assert "give the region back bit for bit" in article.text


def test_a_source_that_is_not_available_is_reported_as_such(page: Node) -> None:
    source = page.all("article")[1].all("figure")[0]
    assert source.one("figcaption").text == "Source is not at hand"
    assert source.one("div", "empty").text == "no picture to show"


def test_rejected_and_damaged_entries_have_articles_with_the_reason(page: Node) -> None:
    bad, damaged = page.all("article")[5:]
    assert bad.one("h2").text == "bad.png"
    assert bad.one("p", "refusal").text == "cut in the middle (corrupt-image)"
    assert bad.one("span", "badge").text == "rejected"
    assert not bad.all("figure"), "what cannot be decoded cannot be shown"
    assert damaged.one("p", "refusal").text == "its record cannot be read"


def test_a_rejected_source_that_can_be_decoded_is_shown() -> None:
    sound = dataclasses.replace(rejected(), source=encode(noise((9, 9))))
    assert thumbnail(parsed([sound]), "Source of bad.png").shape == (360, 360, 3)


HOSTILE = "<script>alert(1)</script>\"'&amp;<img src=x onerror=y>\u202e\0\x1b\udce9.png"


def test_everything_from_files_is_escaped(mixed: list[Entry]) -> None:
    def hostile(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: hostile(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [hostile(inner) for inner in value]
        kept = isinstance(value, str) and value in ("done", "rejected", "whole", "pictures", "none")
        return HOSTILE if isinstance(value, str) and not kept else value

    entries = [dataclasses.replace(each, record=hostile(each.record)) for each in mixed]
    text = render(entries, title=HOSTILE)
    text.encode()
    root = Page(text).root
    assert root.one("h1").text.startswith("<script>alert(1)</script>\"'&amp;<img")
    assert len(root.all("script")) == 1
    assert not [n for n in root if "onerror" in n.attributes]
    assert len(root.all("article")) == len(mixed)
    assert root.all("article")[0].one("h2").text.startswith("<script>")
    assert not re.search("[\0\x1b\udce9\u202e]", text)
    assert {n.tag for n in root} == {n.tag for n in Page(render(mixed)).root}


def test_names_keep_their_own_direction_and_break_at_separators(page: Node) -> None:
    (name,) = page.all("article")[0].one("h2").all("bdi")
    assert [c if isinstance(c, str) else c.tag for c in name.children] == [
        "waves/",
        "wbr",
        "stripes.",
        "wbr",
        "png",
    ]


@settings(max_examples=20, deadline=None)
@given(cut=st.integers(0, 4000), flip=st.integers(0, 4000))
def test_a_damaged_picture_does_not_break_the_page(cut: int, flip: int) -> None:
    sound = _SOUND
    magnitude = sound.pictures["magnitude"]
    data = bytearray(magnitude)
    data[flip % len(data)] ^= 0x5A
    for damaged in (bytes(data), magnitude[:cut], b"", noise((50,)).tobytes()):
        broken = Entry(sound.record, dict.fromkeys(SHOWN, damaged), damaged)
        article = parsed([broken]).one("article")
        assert article.one("h2").text == "image.png"
        assert "What the spectrum says" in article.text
        if cut < len(magnitude) and damaged == magnitude[:cut]:
            assert not article.all("img")
            assert len(article.all("div", "empty")) == 5


SHOWN = ("magnitude", "phase", "crop", "filtered")
_SOUND = entry(pink_noise((40, 40)))
WITHOUT_PHASE = {"magnitude": _SOUND.pictures["magnitude"]}


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_foreign_pictures_do_not_break_the_page(channels: int) -> None:
    other = encode(noise((30, 20, channels)) if channels > 1 else noise((30, 20)))
    strange = Entry(_SOUND.record, dict.fromkeys(SHOWN, other), other)
    assert len(parsed([strange]).one("article").all("img")) == 5


def damaged_records() -> Iterator[tuple[str, Json]]:
    record = copy.deepcopy(dict(_SOUND.record))
    for key in record:
        yield f"without {key}", {k: v for k, v in record.items() if k != key}
        wrong: tuple[Any, ...] = (None, "text", [], {}, 7)
        for value in wrong:
            yield f"{key}: {value!r}", record | {key: value}
    for key in ("radial_profile", "orientation", "peaks", "slope"):
        for value in ("text", [3], {"angle": "x"}):
            yield f"{key}: {value!r}", record | {"measures": record["measures"] | {key: value}}


@pytest.mark.slow
def test_a_damaged_record_does_not_break_the_page() -> None:
    for what, record in damaged_records():
        damaged = dataclasses.replace(_SOUND, record=record, source=None, pictures=WITHOUT_PHASE)
        articles = parsed([damaged, rejected()]).all("article")
        assert len(articles) == 2, what
        assert articles[1].one("h2").text == "bad.png", what


def test_rows_have_a_value_for_every_column_that_sorts(page: Node) -> None:
    keys = [n.attributes.get("data-sort") for n in page.one("nav").one("thead").all("th")]
    assert keys == [None, "name", "size", "period", "slope", "sharpness", "error"]
    rows = page.one("nav").one("tbody").all("tr")
    for row in rows:
        values = {k.removeprefix("data-"): v for k, v in row.attributes.items() if k[:5] == "data-"}
        assert values.keys() <= set(keys)
        for key, value in values.items():
            assert key == "name" or math.isfinite(float(value))
    striped, *_, refused, _ = (row.attributes for row in rows)
    assert striped["data-name"] == "waves/stripes.png"
    assert striped["data-size"] == str(64 * 96)
    assert float(striped["data-period"]) == pytest.approx(8, rel=0.01)
    assert striped["data-error"] == "0"
    assert [name for name in refused if name.startswith("data-")] == ["data-name"]


def split(entries: list[Entry], name: str = "index.html") -> tuple[Node, dict[str, bytes]]:
    """The overview and the other files, by name, of a report with a page for each image."""
    layout = beside(name, len(entries))
    shown = [show(entry, order, layout) for order, entry in enumerate(entries, start=1)]
    index = Page(assemble(shown, layout=layout)).root
    return index, {k: v for one in shown for k, v in one.files.items()}


def test_images_may_have_pages_of_their_own(mixed: list[Entry]) -> None:
    index, files = split(mixed, "my #1.html")
    assert not index.all("article")
    pages = {name: Page(data.decode()).root for name, data in files.items() if "html" in name}
    assert list(pages) == [f"{order:04}.html" for order in range(1, 8)]
    folder = "my%20%231_files"
    links = [n.attributes["href"] for n in index.one("nav").all("a")]
    assert links == [f"{folder}/{name}" for name in pages]
    whole = parsed(mixed).all("article")
    for order, (page, article) in enumerate(zip(pages.values(), whole, strict=True), start=1):
        assert page.one("article").text == article.text.removesuffix("Overview")
        assert page.one("head").one("title").text == article.one("h2").text
        ways = {n.text: n.attributes["href"] for n in page.one("nav").all("a")}
        assert ways.pop("Overview") == f"../my%20%231.html#row-{order}"
        neighbours = {"Previous": order - 1, "Next": order + 1}
        assert ways == {k: f"{n:04}.html" for k, n in neighbours.items() if 1 <= n <= 7}
    rows = [n.attributes["id"] for n in index.one("nav").one("tbody").all("tr")]
    assert rows == [f"row-{order}" for order in range(1, 8)]


def test_pages_of_a_split_report_load_only_the_files_beside_them(mixed: list[Entry]) -> None:
    index, files = split(mixed)
    used = set()
    for page, folder in (
        (index, "index_files/"),
        *((Page(data.decode()).root, "") for name, data in files.items() if "html" in name),
    ):
        (policy,) = (n for n in page.all("meta") if "http-equiv" in n.attributes)
        expected = "default-src 'none'; img-src 'self' file:; style-src 'self' file:"
        assert policy.attributes["content"].startswith(expected)
        assert page.one("link").attributes["href"] == f"{folder}style.css"
        for image in page.all("img"):
            used.add(image.attributes["src"].removeprefix(folder))
            shown = Image.open(io.BytesIO(files[image.attributes["src"].removeprefix(folder)]))
            assert shown.size == tuple(int(image.attributes[k]) for k in ("width", "height"))
    assert used == {name for name in files if name.endswith(".webp")}
    assert files["style.css"].decode() == STYLE


def test_equal_pictures_are_one_file() -> None:
    _, files = split([_SOUND, _SOUND])
    (alone, once), two = split([_SOUND]), files
    assert not alone.all("article")
    assert {n for n in two if n.endswith("webp")} == {n for n in once if n.endswith("webp")}


def test_the_overview_of_a_split_report_is_small(mixed: list[Entry]) -> None:
    layout = beside("index.html", 300)
    shown = [show(mixed[0], order, layout) for order in (1, 2)]
    one, two = (len(assemble(shown[:count], layout=layout)) for count in (1, 2))
    assert two - one < 900


def test_a_record_that_cannot_be_read_is_on_the_page() -> None:
    shown = show_unreadable("a_metadata.json", "out/a_metadata.json: is not JSON", 1)
    root = Page(assemble([shown])).root
    assert root.one("article").one("h2").text == "a_metadata.json"
    assert root.one("article").one("p", "refusal").text == "out/a_metadata.json: is not JSON"
    assert root.one("p", "lede").text == "0 images analysed, 1 damaged."


def test_no_entries_give_a_page() -> None:
    root = parsed([])
    assert not root.all("script")
    assert not root.all("article")
    assert not root.all("nav")
    assert root.one("p", "lede").text == "0 images analysed."


def test_the_same_entries_give_the_same_page(mixed: list[Entry]) -> None:
    assert render(mixed) == render(copy.deepcopy(mixed))


def test_entries_are_processed_one_by_one() -> None:
    alive = 0

    def entries() -> Iterator[Entry]:
        nonlocal alive
        for _ in range(3):
            made = _Counted(**{f.name: getattr(_SOUND, f.name) for f in dataclasses.fields(Entry)})
            alive += 1
            assert alive <= 2, "the one that was shown last may still be there"
            yield made
            del made

    class _Counted(Entry):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    assert len(Page(render(entries())).root.all("article")) == 3


def test_a_large_image_adds_little_to_the_page() -> None:
    text = render([entry(noise((600, 900)))])
    assert len(text) < 125_000


@pytest.mark.slow
def test_two_hundred_entries_make_one_page_of_a_few_megabytes() -> None:
    plain = dataclasses.replace(_SOUND, source=None, pictures=WITHOUT_PHASE)
    text = render(plain for _ in range(200))
    root = Page(text).root
    assert len(root.all("article")) == len(root.one("nav").one("tbody").all("tr")) == 200
    assert len(text) < 10_000_000


def lightness(pixels: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(pixels.sum(axis=2, dtype=np.int64))


def test_a_single_bright_point_stays_bright_however_large_the_picture() -> None:
    made = entry(waves((1200, 1500), 3000 / 211))
    pixels = lightness(thumbnail(parsed([made]), "Magnitude"))
    height, width = pixels.shape
    assert (width, height) == (360, 288)
    column = width // 2 + round(width * 211 / 3000)
    around = pixels[height // 2 - 2 : height // 2 + 3, column - 2 : column + 3]
    assert around.max() > 450
    assert np.median(pixels) < 350


def test_pictures_are_neither_too_large_nor_too_thin() -> None:
    for shape in ((1, 1), (1, 3000), (3000, 1), (2, 3), (700, 350), (180, 181)):
        root = parsed([entry(noise(shape))])
        for image in root.all("img"):
            width, height = int(image.attributes["width"]), int(image.attributes["height"])
            most = 56 if image.attributes["alt"] == "" else 360
            assert min(width, height) >= 12
            assert max(width, height) <= most
            assert max(width, height) > most / 2


def test_small_images_are_enlarged_pixel_by_pixel() -> None:
    pixels = noise((6, 9))
    shown = thumbnail(parsed([entry(pixels)]), "Source")
    assert shown.shape == (240, 360, 3)
    assert (shown[20::40, 20::40, 0] == pixels).all()


def test_fine_stripes_do_not_alias() -> None:
    stripes = np.broadcast_to(np.arange(2000) % 2 * 255, (1500, 2000)).astype(np.uint8)
    shown = thumbnail(parsed([entry(stripes)]), "Source").astype(float)
    assert shown.std() < 3
    assert shown.mean() == pytest.approx(127.5, abs=2)


def test_images_above_8_bits_with_a_half_empty_range_are_stretched() -> None:
    pixels = noise((64, 64), np.uint16) // 32
    shown = thumbnail(parsed([entry(pixels)]), "Source")
    assert shown.max() > 240
    assert shown.min() < 15


def test_transparent_pixels_are_shown_white() -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, 4:, 3] = 255
    shown = thumbnail(parsed([entry(pixels)]), "Source")
    assert (shown[:, :180] == 255).all()
    assert (shown[:, 180:] == 0).all()


def test_pictures_in_colour_are_shown_in_their_colours() -> None:
    pixels = pink_noise((40, 40))
    grey, colour = (parsed([entry(pixels, recipe)]) for recipe in ("bits=8", "colour=yes"))
    assert (thumbnail(grey, "Phase") == thumbnail(colour, "Phase")).all()


def variables(style: str) -> Attributes:
    return dict(re.findall(r"--([\w-]+): ([^;]+);", style))


def themes() -> tuple[Attributes, Attributes]:
    light, _, rest = STYLE.partition("@media (prefers-color-scheme: dark)")
    return variables(light), variables(rest.partition("* {")[0])


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2) of #rrggbb."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def test_light_and_dark_define_the_same_colours() -> None:
    light, dark = themes()
    assert light.keys() == dark.keys()
    used = set(re.findall(r"var\(--([\w-]+)\)", STYLE))
    assert used == light.keys()


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        *((ink, paper) for ink in ("ink", "soft", "accent") for paper in ("paper", "sheet")),
        ("soft", "faint"),
        ("good", "good-paper"),
        ("bad", "bad-paper"),
        ("bad", "sheet"),
        ("second", "sheet"),
    ],
)
def test_text_has_enough_contrast_in_both_themes(theme: int, ink: str, paper: str) -> None:
    colours = themes()[theme]
    one, other = sorted(luminance(colours[name]) for name in (ink, paper))
    assert (other + 0.05) / (one + 0.05) >= 4.5


def test_every_class_has_a_style_and_every_style_a_use(page: Node) -> None:
    styled = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\d\.\d|/\*.*?\*/", "", STYLE)))
    used = {name for node in page for name in node.classes}
    assert styled == used


def test_style_sheet_and_script_are_shipped_with_the_package(repository: Path) -> None:
    shipped = (repository / "pyproject.toml").read_text(encoding="utf-8")
    assert '"*.css", "*.js"' in shipped
