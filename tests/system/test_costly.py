"""Disproportionately expensive files are processed or refused, soon and within their estimate.

Soon means within 40 times the CPU time of an ordinary image of 2048 x 2048 on the same machine.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fft_tool
from fft_tool.errors import TooCostly
from fft_tool.limits import Limits
from tests.support.command import said_of_file
from tests.support.costly_files import CONTAINERS, shaped
from tests.support.images import noise, png_bytes

MIB = 1 << 20
SEEDS = range(20)
FIRST = int(os.environ.get("COSTLY_SEED", "0"))
SOON = 40

SCRIPT = """
import json, pathlib, re, resource, sys, time
import fft_tool
from fft_tool import admission
from fft_tool.codec import image_file
from fft_tool.limits import FIXED_MEMORY
data, recipe = pathlib.Path(sys.argv[1]).read_bytes(), fft_tool.Recipe.parse_text(sys.argv[2])
limits = fft_tool.Limits(max_memory=1700 << 20)
estimate = FIXED_MEMORY + len(data)
began = time.process_time()
try:
    estimate = admission.memory_needed(image_file.open_image(data, limits).header, recipe)
    fft_tool.run(fft_tool.Source("image", data), recipe, limits)
    end = "done"
except fft_tool.FftToolError as exc:
    end = exc.code
taken = time.process_time() - began
peak = re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())
print(json.dumps([end, taken, int(peak[1]) * 1024, estimate]))
"""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peak memory is read from /proc"
)


def result_of(data: bytes, recipe: str, folder: Path) -> tuple[str, float, int, int]:
    """The outcome, CPU seconds, peak memory in bytes, and estimated memory in bytes."""
    end, seconds, peak, estimate = json.loads(said_of_file(SCRIPT, data, recipe, folder=folder))
    return end, seconds, peak, estimate


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> float:
    """CPU seconds that an ordinary image takes: the least of three."""
    data, folder = png_bytes(noise((2048, 2048))), tmp_path_factory.mktemp("ordinary")
    return min(result_of(data, "metadata=yes", folder)[1] for _ in range(3))


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTAINERS)
def test_a_hostile_container_finishes_soon_and_within_its_estimate(
    name: str, tmp_path: Path, ordinary: float
) -> None:
    end, seconds, peak, estimate = result_of(CONTAINERS[name](), "metadata=yes", tmp_path)
    assert seconds < SOON * ordinary, f"{end} after {seconds / ordinary:.0f} times as long"
    assert peak < estimate + 100 * MIB, f"{end} with {peak / MIB:.0f} MiB"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [FIRST + seed for seed in SEEDS])
def test_an_image_of_an_extreme_shape_finishes_soon_and_within_its_estimate(
    seed: int, tmp_path: Path, ordinary: float
) -> None:
    name, data, recipe = shaped(seed)
    end, seconds, peak, estimate = result_of(data, recipe, tmp_path)
    assert end in ("done", "too-much-memory"), name
    assert seconds < SOON * ordinary, f"{name}: {seconds / ordinary:.0f} times as long"
    assert peak < estimate + 100 * MIB, f"{name}: {peak / MIB:.0f}, not {estimate / MIB:.0f} MiB"


REFUSED = {
    "wide tile": "tiles of 44,032 x 44,032",
    "many scans": "at most 64 are accepted",
    "many chunks": "more than 66,7",
    "many frames": "4,294,967,295 frames, at most 10,000 are accepted",
    "moving WebP": "10,001 frames, at most 10,000 are accepted",
    "moving GIF": "10,001 frames, at most 10,000 are accepted",
    "greedy EXIF": "tags claim more than",
    "greedy TIFF": "tags claim more than",
    "JPEG in TIFF": "at most 64 are accepted",
}


@pytest.mark.parametrize(("name", "told"), REFUSED.items())
def test_an_excessive_structure_is_refused_with_its_count_and_the_limit(
    name: str, told: str
) -> None:
    data = CONTAINERS[name]()
    with pytest.raises(TooCostly, match=told):
        fft_tool.decode(data, Limits())


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(250_000, 9), (9, 250_000), (1_125_000, 2), (1, 2_250_000)])
def test_a_narrow_image_takes_at_most_five_times_the_time_of_a_square_one(
    shape: tuple[int, int],
) -> None:
    """Both have the same number of pixels, and run in turn in one process: best of three."""

    def seconds(source: Any) -> float:
        began = time.process_time()
        fft_tool.run(source, fft_tool.Recipe(metadata=True))
        return time.process_time() - began

    sources = [
        fft_tool.Source("a.png", png_bytes(noise(each, np.uint8))) for each in (shape, (1500, 1500))
    ]
    times = [[seconds(source) for source in sources] for _ in range(3)]
    narrow, square = (min(column) for column in zip(*times, strict=True))
    assert narrow < 5 * square


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(250_000, 9), (9, 250_000)])
def test_a_narrow_image_takes_at_most_three_times_the_memory_of_a_square_one(
    shape: tuple[int, int], tmp_path: Path
) -> None:
    _, _, least, _ = result_of(png_bytes(noise((8, 8))), "metadata=yes", tmp_path)
    _, _, square, _ = result_of(png_bytes(noise((1500, 1500))), "metadata=yes", tmp_path)
    _, _, narrow, _ = result_of(png_bytes(noise(shape)), "metadata=yes", tmp_path)
    assert narrow - least < 3 * (square - least)
