"""A small fuzzer without libFuzzer: the same seeds and invariants, a few thousand fixed cases."""

from __future__ import annotations

import random
from typing import Any

import pytest

from fft_tool.recipe import KEYS
from tests.fuzz import invariants
from tests.fuzz.seeds import RECIPES, image_seeds, mutated

SEEDS = image_seeds(suite=False)
CASES = 8000


@pytest.mark.parametrize("name", SEEDS)
def test_seeds_are_valid(name: str) -> None:
    assert invariants.check_decoder(SEEDS[name]) == (name != "lab.tif")


@pytest.mark.parametrize("recipe", RECIPES)
def test_initial_recipes_are_valid(recipe: str) -> None:
    assert invariants.check_recipe_text(recipe)


@pytest.mark.parametrize("seed", range(4))
def test_mutated_images_are_decoded_or_refused(seed: int) -> None:
    rng = random.Random(seed)
    files = list(image_seeds().values())
    taken = 0
    for case in range(CASES // 4):
        data = mutated(rng.choice(files), rng.choice(files), rng)
        try:
            taken += invariants.check_decoder(data)
        except Exception as finding:
            finding.add_note(f"case {case}: {data!r}")
            raise
    assert 0.05 * CASES / 4 < taken < 0.95 * CASES / 4, "mutations too wild or too tame"


def mutated_text(text: str, rng: random.Random) -> str:
    """Mutate a recipe with a piece of another, a character, or a number."""
    other = rng.choice(RECIPES)
    at, to = rng.randrange(len(text) + 1), rng.randrange(len(other) + 1)
    piece = rng.choice(
        ("=", ",", ":", "+", "-", ".", " ", "\0", "é", "\ud800", "٣", "0", "9" * 9, "1e400", "nan",
         "inf", "-0", "none", "yes", "1e-320", "0x1", "_", "%", "#", "²", rng.choice(KEYS).name)
    )  # fmt: skip
    match rng.randrange(4):
        case 0:
            return text[:at] + piece + text[at:]
        case 1:
            return text[:at] + piece + text[at + len(piece) :]
        case 2:
            return text[:at] + other[to:]
        case _:
            return text[:at] + text[at + 1 :]


def test_mutated_recipes_are_parsed_or_refused() -> None:
    rng = random.Random(0)
    taken = 0
    for case in range(CASES):
        text = rng.choice(RECIPES)
        for _ in range(rng.choice((1, 1, 2, 3))):
            text = mutated_text(text, rng)
        try:
            taken += invariants.check_recipe_text(text)
            words = (word.partition("=") for word in text.split())
            invariants.check_recipe_mapping({key: value for key, _, value in words})
        except Exception as finding:
            finding.add_note(f"case {case}: {text!r}")
            raise
    assert 0.03 * CASES < taken < 0.95 * CASES, "mutations too wild or too tame"


def test_values_of_any_type_are_parsed_or_refused() -> None:
    odd: tuple[Any, ...] = (
        None,
        True,
        False,
        0,
        1,
        8,
        16,
        -1,
        1.5,
        1e400,
        10**30,
        "",
        " 16 ",
        "٣",
        [],
        {},
        b"16",
    )
    for key in KEYS:
        for value in odd:
            invariants.check_recipe_mapping({key.name: value})
            invariants.check_recipe_mapping({key.field.upper(): value})
