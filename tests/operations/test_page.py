"""The page of operations agrees with the registry, and its picture shows every operation."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from fft_tool.operations.registry import OPERATIONS
from tests.support.programs import loaded

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    return loaded(DOCS / "operations_pictures.py")


def test_the_page_is_generated_from_the_registry() -> None:
    generator = loaded(DOCS / "operations_page.py")
    assert generator.PAGE.read_text("utf-8") == generator.page(), "run docs/operations_page.py"


def test_every_operation_has_a_section_in_the_order_of_the_registry() -> None:
    page = (DOCS / "operations.md").read_text("utf-8")
    assert re.findall(r"^### (.*)$", page, re.MULTILINE) == list(OPERATIONS)


def test_the_picture_shows_every_operation(pictures: ModuleType) -> None:
    shown = {text.partition(":")[0] for text in pictures.TEXTS}
    assert shown >= set(OPERATIONS)


def test_the_code_on_the_page_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DOCS.parent)
    (block,) = re.findall("```python\n(.*?)```", (DOCS / "operations.md").read_text(), re.DOTALL)
    names: dict[str, np.ndarray] = {}
    exec(block, names)  # noqa: S102  (our own page)
    assert names["pixels"].ndim == 2


@pytest.mark.slow
def test_the_picture_is_what_its_script_draws(
    pictures: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a few levels: versions of Pillow draw letters and scale slightly differently."""
    kept = pictures.TARGET
    monkeypatch.setattr(pictures, "TARGET", tmp_path / "sheet.png")
    pictures.main()
    drawn, expected = (
        np.asarray(Image.open(path).convert("RGB"), np.float64)
        for path in (tmp_path / "sheet.png", kept)
    )
    assert drawn.shape == expected.shape
    assert np.abs(drawn - expected).mean() < 3
