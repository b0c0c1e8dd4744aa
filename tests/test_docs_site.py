"""The documentation site: its links are valid, and it needs no network."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

import fft_tool
from fft_tool.cli.arguments import COMMANDS
from tests.support.programs import loaded

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    return loaded(ROOT / "docs" / "build_site.py")


def site(folder: Path, **pages: str) -> Path:
    for name, html in pages.items():
        (folder / f"{name}.html").write_text(html, "utf-8")
    (folder / "a b.png").write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    "html",
    [
        '<a href="b.html">b</a> <a href="b.html#there">b</a> <a href="#here" id="here">here</a>',
        '<a href="https://www.rfc-editor.org/">elsewhere</a> <a href="mailto:a@example.org">us</a>',
        '<img src="a%20b.png"> <img src="data:image/png;base64,AA==">',
    ],
)
def test_valid_links_are_not_reported(builder: ModuleType, tmp_path: Path, html: str) -> None:
    assert list(builder.problems(site(tmp_path, a=html, b='<p id="there">'))) == []


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<a href="c.html">c</a>', "a.html: c.html leads nowhere"),
        ('<a href="b.html#nowhere">b</a>', "a.html: b.html#nowhere leads nowhere"),
        ('<a href="#nowhere">here</a>', "a.html: #nowhere leads nowhere"),
        ('<img src="missing.png">', "a.html: missing.png leads nowhere"),
        ('<script src="https://cdn.example/x.js">', "a.html: loads https://cdn.example/x.js"),
        ('<link href="//fonts.example/x.css">', "a.html: loads //fonts.example/x.css"),
    ],
)
def test_broken_links_and_network_resources_are_reported(
    builder: ModuleType, tmp_path: Path, html: str, fault: str
) -> None:
    assert list(builder.problems(site(tmp_path, a=html, b=""))) == [fault]


def test_the_reference_has_every_public_name(builder: ModuleType) -> None:
    text = builder.reference()
    for name in vars(fft_tool)["__all__"]:
        assert f":: fft_tool.{name}\n" in text


def test_the_command_line_s_page_has_every_command(builder: ModuleType) -> None:
    text = builder.command_line()
    for name in COMMANDS:
        assert f"## fft-tool {name}\n" in text


def test_every_page_of_the_documentation_has_a_place(builder: ModuleType) -> None:
    pages = {page for names in builder.SECTIONS.values() for page in names}
    for path in (ROOT / "docs").glob("*.md"):
        assert f"docs/{path.name}" in pages
