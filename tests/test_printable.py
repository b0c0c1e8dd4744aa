"""Untrusted names are printed without control characters."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fft_tool.printable import printable, printable_lines
from tests.support.command import tool
from tests.support.images import noise, png_bytes

EVIL = "\x1b[31m\x1b]0;title\x07\u202egnp\u2066.\x9b2J\x7f"


def harmless(text: str) -> bool:
    return all(c.isprintable() or c == "\n" for c in text)


@pytest.mark.parametrize("text", ["a.png", "grün 🌲.png", "", "日本語\u3000.png"])
def test_printable_text_is_unchanged(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b]0;title\a", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\r\nb\tc\x7f", "a\\r\\nb\\tc\\x7f"),
        ("photo\u202egnp.exe", "photo\\u202egnp.exe"),
        ("a\u200b\ufeff\u2066", "a\\u200b\\ufeff\\u2066"),
        ("line\u2028paragraph\u2029", "line\\u2028paragraph\\u2029"),
        ("caf\udce9", "caf\\udce9"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_deceptive_characters_are_escaped(name: str, shown: str) -> None:
    assert printable(name) == shown


@given(st.text(st.characters()))
def test_no_control_characters_remain_and_escaping_is_idempotent(name: str) -> None:
    shown = printable(name)
    assert not [c for c in shown if unicodedata.category(c)[0] == "C"]
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown


def test_line_breaks_are_kept() -> None:
    assert printable_lines("one\x1b\ntwo\n") == "one\\x1b\ntwo"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / f"{EVIL}.png").write_bytes(png_bytes(noise((8, 8))))
    (folder / f"{EVIL}-bad.png").write_bytes(b"no image")
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ["analyze", "-o", "out"],
        ["analyze", "-o", "out", "--metadata", "--json"],
        ["stats"],
        ["stats", "--json"],
        ["upload"],
    ],
    ids=" ".join,
)
def test_the_command_line_prints_no_control_characters_of_names(
    folder: Path, words: list[str], tmp_path: Path
) -> None:
    command, *flags = words
    targets = [folder, tmp_path / "copies"] if command == "upload" else [folder]
    done = tool(command, *targets, *flags, cwd=tmp_path)
    assert harmless(done.out.decode()), done.out
    assert harmless(done.err), done.err
    assert "x1b" in done.out.decode() + done.err or "u001b" in done.out.decode()


def test_messages_about_single_and_missing_sources_are_escaped(
    folder: Path, tmp_path: Path
) -> None:
    one = tool("analyze", folder / f"{EVIL}.png", "-o", "out", cwd=tmp_path)
    assert one.code == 0
    assert harmless(one.out.decode())
    missing = tool("analyze", f"{EVIL}/none.png", "-o", "out", cwd=tmp_path)
    assert missing.code == 1
    assert harmless(missing.err)


def test_json_output_has_the_original_names(folder: Path, tmp_path: Path) -> None:
    done = tool("analyze", folder, "-o", "out", "--json", cwd=tmp_path)
    assert f"{EVIL}.png" in [Path(json.loads(line)["source"]).name for line in done.lines]
