"""The most expensive uploads that the function accepts, for docs/cost.md.

For each recipe, the largest black image with some white dots that is accepted with Terraform's
defaults: 1 bit per pixel, so that the file is small; dots, so that the spectrum does not compress.

    python benchmarks/worst_upload.py
"""

from __future__ import annotations

import struct
import subprocess
import sys
import time
import zlib
from itertools import chain

from fft_tool import FftToolError, Recipe, Source, run
from fft_tool.admission import admit, output_size
from fft_tool.codec import png_file
from fft_tool.codec.header import Header
from fft_tool.results.outputs import output_kinds
from handler.settings import Settings

DEFAULTS = {"FFT_MAX_PIXELS": "100000000", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"}
RECIPES = (
    "",
    "bits=16",
    "spectrum=yes",
    "spectrum=yes precision=double",
    "periodic=yes",
    "bits=16 filter=lowpass:3 histogram=yes window=hann detrend=linear",
)
LIMITS = Settings.from_environ(DEFAULTS).limits
DOTS = 97  # rows between two dots: a prime, so that the dots do not form a grid


def dotted(side: int) -> bytes:
    """A square PNG of 1 bit per pixel: black with scattered white dots."""
    squeeze, pieces = zlib.compressobj(9), []
    for y in range(side):
        row = bytearray(1 + -(-side // 8))
        if y % DOTS == 0:
            x = y * y % side
            row[1 + x // 8] = 128 >> x % 8
        pieces.append(squeeze.compress(bytes(row)))
    pieces.append(squeeze.flush())
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = (
        png_file.chunk(b"IHDR", header),
        png_file.chunk(b"IDAT", *pieces),
        png_file.chunk(b"IEND"),
    )
    return b"".join((png_file.SIGNATURE, *chain.from_iterable(chunks)))


def accepted(side: int, recipe: Recipe) -> bool:
    """Whether a square of this size passes every limit."""
    header = Header("png", side, side, channels=1, depth=1, file_bytes=side * side // 500)
    try:
        LIMITS.check_pixels(side, side)
        admit(header, "a.png", recipe, LIMITS, output_kinds(recipe))
    except FftToolError:
        return False
    return True


def largest_side(recipe: Recipe) -> int:
    """Side of the largest square that is accepted."""
    low, high = 1, 20_000
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if accepted(middle, recipe) else (low, middle - 1)
    return low


def measure(text: str) -> str:
    """One row of the table, with one thread as on one vCPU of Lambda."""
    recipe = Recipe.parse_text(f"metadata=yes {text}")
    side = largest_side(recipe)
    source = Source("a.png", dotted(side))
    start = time.process_time()
    outputs = run(source, recipe, LIMITS, threads=1)
    seconds = time.process_time() - start
    written = sum(len(artifact.data) for artifact in outputs)
    header = Header("png", side, side, channels=1, depth=1)
    estimate = output_size(header, recipe, output_kinds(recipe))
    return (
        f"| `{text or '(defaults)'}` | {side:,}² | {source.size / 1000:.0f} | {seconds:.1f} | "
        f"{written / 1e6:.0f} | {estimate / 1e6:.0f} |"
    )


def main() -> None:
    """Run each recipe in a separate process, so that memory is not reused between them."""
    if len(sys.argv) > 1:
        print(measure(sys.argv[1]))
        return
    for recipe in RECIPES:
        subprocess.run([sys.executable, __file__, recipe], check=True)


if __name__ == "__main__":
    main()
