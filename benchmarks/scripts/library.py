"""Our library in a separate process: analyse one image repeatedly, and print the seconds.

``python library.py IMAGE OUT REPEATS``
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import fft_tool

THREADS = 2


def main() -> None:
    """Time every run, then write the pictures of the last, so that they can be checked."""
    path, out, repeats = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    data = path.read_bytes()
    seconds = []
    for _ in range(repeats):
        outputs = None  # free the previous run's pictures first
        start = time.perf_counter()
        source = fft_tool.Source(path.name, data)
        outputs = fft_tool.run(source, fft_tool.Recipe(), threads=THREADS)
        seconds.append(time.perf_counter() - start)
    for artifact in outputs or ():
        (out / artifact.name).write_bytes(artifact.data)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
