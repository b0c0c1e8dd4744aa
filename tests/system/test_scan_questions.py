"""The questions of docs/scan.md, asked of a thousand images of which the answers are known."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fft_tool
from fft_tool import Recipe, Source
from fft_tool.backfill.parts import SCAN, row_of, row_of_failure
from fft_tool.errors import FftToolError
from fft_tool.results.table import Row, to_parquet
from tests.support.images import png_bytes

pytestmark = pytest.mark.slow

SIDE, COUNT = 96, 1000
BLURRED, STRIPED, OUTLYING, DAMAGED = (
    {f"{number:04}.png" for number in range(start, COUNT, step)}
    for start, step in ((7, 25), (11, 50), (13, 50), (29, 200))
)


def scene(rng: np.random.Generator, name: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A scene with the spectrum of a photograph, blurred, striped or badly exposed by its name."""
    fy, fx = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None]
    frequency = np.hypot(fy, fx)
    frequency[0, 0] = 1
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE))) / frequency
    if name in BLURRED:
        spectrum *= np.exp(-2 * (np.pi * 2.0 * frequency) ** 2)  # a Gaussian of 2 pixels
    spectrum[0, 0] = 0
    image = np.fft.irfft2(spectrum, (SIDE, SIDE))
    image *= rng.uniform(28, 36) / image.std()
    if name in STRIPED:
        angle, period = rng.uniform(0, np.pi), rng.uniform(3, 8)
        y, x = np.mgrid[:SIDE, :SIDE]
        image += 25 * np.cos(2 * np.pi / period * (x * np.cos(angle) + y * np.sin(angle)))
    level = rng.choice([40, 215]) if name in OUTLYING else rng.normal(128, 5)
    pixels: np.ndarray[Any, np.dtype[np.uint8]] = np.clip(np.rint(image + level), 0, 255).astype(
        np.uint8
    )
    return pixels


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the table."""
    rng = np.random.default_rng(2026)
    recipe = Recipe.parse({**SCAN, "metadata": "yes"})
    rows: list[Row] = []
    for number in range(COUNT):
        name = f"{number:04}.png"
        data = png_bytes(scene(rng, name))
        source = Source(name, data[: len(data) // 2] if name in DAMAGED else data)
        try:
            record = fft_tool.run(source, recipe).record
        except FftToolError as exc:
            rows.append(row_of_failure(name, "rejected", exc, recipe=recipe))
        else:
            assert record
            rows.append(row_of(record))
    made = tmp_path_factory.mktemp("scan")
    (made / "scan.parquet").write_bytes(to_parquet(rows))
    return made


@pytest.fixture(scope="module")
def questions(repository_docs: Path) -> list[str]:
    page = (repository_docs / "scan.md").read_text("utf-8")
    return re.findall(r"^```sql\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def repository_docs() -> Path:
    return Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(
    ("number", "known"),
    [(0, BLURRED - DAMAGED), (1, STRIPED - DAMAGED), (2, OUTLYING - DAMAGED), (3, DAMAGED)],
    ids=["blurred", "striped", "outlying", "damaged"],
)
def test_the_answer_is_the_known_one(
    number: int,
    known: set[str],
    questions: list[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import duckdb  # noqa: PLC0415  (only this test needs it)

    monkeypatch.chdir(folder)
    assert len(questions) == 4
    asked = duckdb.sql(questions[number])
    assert asked
    answer = {row[0] for row in asked.fetchall()}
    assert len(known) >= 5
    assert answer == known
