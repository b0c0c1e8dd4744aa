"""Fuzz the image decoder: ``python tests/fuzz/fuzz_decoder.py -max_total_time=60 [CORPUS]``."""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.fuzz.driver import fuzz, instrumented


def main() -> None:
    """Begin with PngSuite, small images of every format, and hostile containers."""
    invariants, seeds = instrumented("tests.fuzz.invariants"), instrumented("tests.fuzz.seeds")
    rng = random.Random(0)

    def mend(data: bytes) -> bytes:
        """Give most mutated PNGs right checksums, else the decoder would never be reached."""
        if data.startswith(seeds.SIGNATURE) and rng.random() < 0.8:
            return bytes(seeds.joined_chunks(seeds.split_chunks(data)))
        return data

    begin = [*seeds.image_seeds().values(), *seeds.hostile_seeds().values()]
    fuzz(invariants.check_decoder, begin, mend)


if __name__ == "__main__":
    main()
