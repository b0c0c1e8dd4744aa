"""Fuzz the recipe's grammar: ``python tests/fuzz/fuzz_recipe.py -max_total_time=60 [CORPUS]``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.fuzz.driver import fuzz, instrumented


def main() -> None:
    """Begin with recipes that use every key; read the bytes as text, and as JSON if they are."""
    invariants, seeds = instrumented("tests.fuzz.invariants"), instrumented("tests.fuzz.seeds")

    def check(data: bytes) -> None:
        text = data.decode(errors="surrogateescape")
        invariants.check_recipe_text(text)
        try:
            mapping = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(mapping, dict):
            invariants.check_recipe_mapping(mapping)

    texts = [recipe.encode() for recipe in seeds.RECIPES]
    mappings = [
        json.dumps(dict(word.split("=", 1) for word in recipe.split())).encode()
        for recipe in seeds.RECIPES
    ]
    fuzz(
        check, [*texts, *mappings, b'{"bits": 16, "phase": false, "crop": null, "threshold": 1e3}']
    )


if __name__ == "__main__":
    main()
