"""American spellings, and what may have been meant."""

from __future__ import annotations

import pytest

import fft_tool
from fft_tool.errors import RecipeError
from fft_tool.recipe import KEYS, Recipe
from fft_tool.spelling import british, did_you_mean


@pytest.mark.parametrize(
    ("american", "ours"),
    [
        ({"color": "yes"}, {"colour": "yes"}),
        ({"COLOR": "yes"}, {"colour": "yes"}),
        ({"background": "gray"}, {"background": "grey"}),
        ({"crop": "center:8,8"}, {"crop": "centre:8,8"}),
    ],
)
def test_keys_and_values_may_be_american(american: dict[str, str], ours: dict[str, str]) -> None:
    assert Recipe.parse(american) == Recipe.parse(ours)
    text = " ".join(f"{key}={value}" for key, value in american.items())
    assert str(Recipe.parse_text(text)) == str(Recipe.parse(ours))
    assert Recipe(crop="center:8,8") == Recipe(crop="centre:8,8")


def test_a_key_given_in_both_spellings_is_given_twice() -> None:
    with pytest.raises(RecipeError, match="given twice"):
        Recipe.parse({"color": "yes", "colour": "yes"})


def test_the_library_takes_them_too() -> None:
    import numpy as np  # noqa: PLC0415  (only this test needs it)

    grey = np.eye(16, dtype=np.uint8)
    made = fft_tool.analyze(grey, color=True)["magnitude"].data
    assert made == fft_tool.analyze(grey, colour=True)["magnitude"].data


def test_only_whole_words_change() -> None:
    unchanged = (
        "none",
        "#c0102f",
        "colors",
        "lowpass:8+notch:6,45",
        "0.5um",
        *(k.name for k in KEYS),
    )
    assert [british(text) for text in unchanged] == list(unchanged)


@pytest.mark.parametrize(
    ("entry", "near"),
    [
        ({"windw": "hann"}, "did you mean window?"),
        ({"smartcrop": "8,8"}, "did you mean smart-crop?"),
        ({"window": "han"}, "did you mean hann?"),
        ({"channel": "lumma"}, "did you mean luma?"),
    ],
)
def test_what_may_have_been_meant_is_said(entry: dict[str, str], near: str) -> None:
    with pytest.raises(RecipeError, match=near.replace("?", r"\?")):
        Recipe.parse(entry)


def test_nothing_is_suggested_where_nothing_is_like_it() -> None:
    assert did_you_mean("xyzzy", ["window", "bits"]) == ""
    with pytest.raises(RecipeError) as caught:
        Recipe.parse({"xyzzy": "1"})
    assert "did you mean" not in str(caught.value)


def test_the_filter_that_was_meant_is_suggested() -> None:
    with pytest.raises(RecipeError, match="; did you mean lowpass\\?"):
        Recipe(filter="lowpas:8")
