"""What the documentation says is what the code does."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from fft_tool.cli.arguments import COMMANDS

ROOT = Path(__file__).parents[1]


def test_the_page_on_the_record_is_made_of_the_schema() -> None:
    spec = importlib.util.spec_from_file_location("record_page", ROOT / "docs" / "record_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text("utf-8") == module.page(), "run python docs/record_page.py"


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"fft-tool {command}" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda page: page.stem
)
def test_decisions_have_a_date_and_three_parts(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.splitlines()[2] == page.name[:10]
    for heading in ("## Context", "## Decision", "## Consequences"):
        assert heading in text
