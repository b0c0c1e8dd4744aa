"""The memory predicted for operations, compared with the measured peak of whole processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fft_tool.codec import png_encode
from tests.support.command import said_of_file
from tests.support.images import noise

MIB = 1 << 20
# VmHWM starts from zero with each program; ru_maxrss would include the memory of pytest.
SCRIPT = """
import pathlib, re, sys
import fft_tool
from fft_tool.codec import image_file
from fft_tool.operations.prediction import predict
from fft_tool.operations.registry import parse_operations
from fft_tool.operations.run import run_operations
data = pathlib.Path(sys.argv[1]).read_bytes()
chain = parse_operations(sys.argv[2])
print(predict(image_file.open_image(data).header, chain, fft_tool.Limits()).memory)
outputs = run_operations(fft_tool.Source("image", data), chain, threads=2)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())
print(int(peak[1]) * 1024)
"""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peak memory is read from /proc"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        *("invert", "sepia,grayscale", "equalise", "blur:3,edges", "blur:30", "rotate:12.5"),
        *("resize:150%,crop:square", "resize:20%,rotate:90", "destripe:20", "notch:8,20"),
        "blur,sharpen,invert,flip,lowpass:8",
    ],
)
@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint8), (3, np.uint8), (4, np.uint16)])
def test_the_prediction_is_safe_and_not_excessive(
    text: str, channels: int, dtype: Any, tmp_path: Path
) -> None:
    side = 2200 if channels == 1 else 1400
    shape = (side, side, channels) if channels > 1 else (side, side)
    data = png_encode.encode(noise(shape, dtype))
    needed, taken = map(int, said_of_file(SCRIPT, data, text, folder=tmp_path).split())
    assert taken <= needed <= 2.5 * taken, f"{needed / MIB:.0f} MiB for {taken / MIB:.0f} MiB"


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["blur:3,edges", "resize:50%,sepia", "rotate:180.00001", "sharpen"]
)
@pytest.mark.parametrize("shape", [(40, 300_007), (300_007, 40)])
def test_the_prediction_is_safe_for_narrow_images(
    text: str, shape: tuple[int, int], tmp_path: Path
) -> None:
    data = png_encode.encode(noise(shape, np.uint8))
    needed, taken = map(int, said_of_file(SCRIPT, data, text, folder=tmp_path).split())
    assert taken <= needed, f"{needed / MIB:.0f} MiB for {taken / MIB:.0f} MiB"
