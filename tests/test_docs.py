"""The documentation agrees with the code."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import pytest

from fft_tool.cli.arguments import COMMANDS
from fft_tool.results.registry import ARTIFACT_KINDS, RECORD
from tests.support.programs import loaded

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    return loaded(ROOT / "docs" / "record_page.py")


@pytest.mark.parametrize("name", ["record", "manifest"])
def test_schemas_and_pages_are_generated_from_the_models(generator: ModuleType, name: str) -> None:
    remedy = "run python docs/record_page.py"
    document = generator.DOCUMENTS[name]
    assert document.schema.read_text("utf-8") == generator.schema_text(document), remedy
    assert document.page.read_text("utf-8") == generator.page(document), remedy


def test_the_schema_lists_the_kinds_that_the_registry_has(
    generator: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        ARTIFACT_KINDS, "negative", dataclasses.replace(ARTIFACT_KINDS["crop"], name="negative")
    )
    kinds = generator.schema()["$defs"]["artifact"]["properties"]["artifact"]["enum"]
    assert kinds == [name for name in ARTIFACT_KINDS if name != RECORD]
    assert "negative" in kinds


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
