"""The recipe's grammar: a text for every value, all errors reported together, a stable hash."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fft_tool.errors import RecipeError
from fft_tool.image.region import Box, Centre, Percent, Square
from fft_tool.recipe import KEYS, Recipe
from fft_tool.spectrum.filters import LowPass, Stripe
from tests.support.recipes import recipes

# For each key, a text that differs from its default.
OTHER_VALUES = {
    "frame": "3",
    "range": "-1.0,0.5",
    "crop": "square",
    "smart-crop": "64,48",
    "channel": "green",
    "background": "black",
    "detrend": "linear",
    "window": "hann",
    "periodic": "yes",
    "precision": "double",
    "scale": "db",
    "bits": "16",
    "colour": "yes",
    "magnitude": "no",
    "phase": "no",
    "spectrum": "yes",
    "histogram": "yes",
    "filter": "lowpass:8",
    "offset": "mid",
    "threshold": "otsu",
    "pixel-size": "65nm",
    "metadata": "yes",
}


def faults_of(mapping: dict[str, Any]) -> dict[str, tuple[str, str]]:
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(mapping)
    return {fault.key: (fault.value, fault.allowed) for fault in caught.value.faults}


def faulty_keys(mapping: Mapping[str, Any]) -> list[str]:
    """Keys that are rejected, none if the mapping parses; other errors propagate."""
    try:
        Recipe.parse(mapping)
    except RecipeError as error:
        return [fault.key for fault in error.faults]
    return []


def test_every_key_is_known_to_these_tests() -> None:
    assert [key.name for key in KEYS] == list(OTHER_VALUES)


@settings(max_examples=150, deadline=None)
@given(recipe=recipes())
def test_recipes_survive_the_round_trip_through_text(recipe: Recipe) -> None:
    assert Recipe.parse(recipe.texts()) == recipe
    assert Recipe.parse_text(str(recipe)) == recipe
    assert Recipe.parse(recipe.texts()).sha256 == recipe.sha256


@settings(max_examples=50, deadline=None)
@given(recipe=recipes())
def test_text_of_a_recipe_is_canonical(recipe: Recipe) -> None:
    """Parsing and formatting give the same text, so equal recipes have the same hash."""
    assert Recipe.parse(recipe.texts()).texts() == recipe.texts()


def test_defaults_are_those_of_the_design() -> None:
    assert Recipe.parse({}) == Recipe() == Recipe.parse_text("")
    assert str(Recipe()) == ""
    assert Recipe().texts() == {
        "frame": "none",
        "range": "none",
        "crop": "none",
        "smart-crop": "none",
        "channel": "luma",
        "background": "white",
        "detrend": "none",
        "window": "none",
        "periodic": "no",
        "precision": "single",
        "scale": "log",
        "bits": "8",
        "colour": "no",
        "magnitude": "yes",
        "phase": "yes",
        "spectrum": "no",
        "histogram": "no",
        "filter": "none",
        "offset": "0",
        "threshold": "mid",
        "pixel-size": "none",
        "metadata": "no",
    }


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("frame", "12", 12),
        ("range", " -2.5e3 , +7", (-2500.0, 7.0)),
        ("crop", "1,2,3,4", Box(1, 2, 3, 4)),
        ("crop", "pct:25,25,50,50", Percent(25, 25, 50, 50)),
        ("crop", "pct:33.333333333333336,0,10,10", Percent(100 / 3, 0, 10, 10)),
        ("crop", "square", Square()),
        ("crop", "centre:8,9", Centre(8, 9)),
        ("crop", "none", None),
        ("smart-crop", "64,48", (64, 48)),
        ("background", "grey", (128, 128, 128)),
        ("background", "#0A1b2C", (10, 27, 44)),
        ("periodic", "true", True),
        ("periodic", "YES", True),
        ("phase", "0", False),
        ("bits", "16", 16),
        ("filter", "lowpass:8+stripe:90", (LowPass(8), Stripe(90))),
        ("offset", "mid", "mid"),
        ("offset", "-40", -40),
        ("offset", "+128", 128),
        ("threshold", "100", 100),
        ("threshold", "0", 0),
        ("pixel-size", "65nm", 0.065),
        ("pixel-size", "0.5um", 0.5),
        ("pixel-size", "0.1 mm", 100.0),
        ("pixel-size", "1e-6m", 1.0),
    ],
)
def test_texts_stand_for_their_values(key: str, text: str, value: Any) -> None:
    parsed = getattr(Recipe.parse({key: f" {text} "}), key.replace("-", "_"))
    assert parsed == pytest.approx(value) if isinstance(value, float) else parsed == value


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("bits", 16, "16"),
        ("metadata", True, "yes"),
        ("phase", False, "no"),
        ("crop", None, "none"),
        ("threshold", 0, "0"),
    ],
)
def test_json_values_are_treated_as_the_corresponding_texts(
    key: str, value: Any, text: str
) -> None:
    assert Recipe.parse({key: value}) == Recipe.parse({key: text})
    assert faults_of({"depth": value})["depth"][0] == text


@pytest.mark.parametrize("spelling", ["smart-crop", "smart_crop", "Smart-Crop", " SMART_CROP "])
def test_keys_may_be_written_with_dash_or_underscore_in_either_case(spelling: str) -> None:
    assert Recipe.parse({spelling: "5,6"}) == Recipe(smart_crop=(5, 6))


def test_keys_not_given_are_as_in_the_base() -> None:
    base = Recipe(bits=16, window="hann")
    assert Recipe.parse({"window": "none"}, base) == Recipe(bits=16)
    assert base == Recipe(bits=16, window="hann")


def test_all_faults_are_reported_at_once_with_key_value_and_what_is_allowed() -> None:
    faults = faults_of(
        {
            "bits": "12",
            "crop": "left half",
            "window": "kaiser",
            "threshold": "-1",
            "pixel-size": "65",
            "periodic": "maybe",
            "background": "mauve",
            "filter": "blur:3",
            "smart-crop": "0,5",
            "depth": "16",
            "metadata": "yes",
        }
    )
    expected = {
        "bits": ("12", "8"),
        "crop": ("left half", "centre:w,h"),
        "window": ("kaiser", "none, hann, hamming, blackman, tukey"),
        "threshold": ("-1", "mid, otsu"),
        "pixel-size": ("65", "65nm"),
        "periodic": ("maybe", "yes or no"),
        "background": ("mauve", "#rrggbb"),
        "filter": ("blur:3", "lowpass"),
        "smart-crop": ("0,5", "w,h"),
        "depth": ("16", "unknown key"),
    }
    assert list(faults) == list(expected)
    for key, (value, allowed) in expected.items():
        assert faults[key][0] == value
        assert allowed in faults[key][1]


def test_the_message_of_the_error_names_every_fault() -> None:
    with pytest.raises(RecipeError, match=r"bits='12'.*8.*16.*window='kaiser'.*hann"):
        Recipe.parse({"bits": 12, "window": "kaiser"})


def test_the_error_for_an_unknown_key_lists_the_known_ones() -> None:
    _, allowed = faults_of({"crops": "square"})["crops"]
    assert all(name in allowed for name in OTHER_VALUES)


@settings(deadline=None)
@given(junk=st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=5))
def test_any_mapping_either_parses_or_is_a_recipe_error(junk: dict[str, str]) -> None:
    assert set(faulty_keys(junk)) <= set(junk) | set(OTHER_VALUES)


@settings(deadline=None)
@given(key=st.sampled_from(sorted(OTHER_VALUES)), text=st.text(max_size=20))
def test_any_text_for_a_key_either_parses_or_is_its_only_fault(key: str, text: str) -> None:
    assert faulty_keys({key: text}) in ([], [key])


@settings(deadline=None)
@given(
    key=st.sampled_from(sorted(OTHER_VALUES)),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=5,
    ),
)
def test_any_json_for_a_key_either_parses_or_is_its_only_fault(key: str, value: Any) -> None:
    assert faulty_keys({key: value}) in ([], [key])


def test_key_given_twice_is_a_fault() -> None:
    assert faults_of({"smart-crop": "5,5", "smart_crop": "6,6"})["smart-crop"][1] == "given twice"
    with pytest.raises(RecipeError, match="given twice"):
        Recipe.parse_text("bits=8 bits=16")


def test_text_without_an_equals_sign_is_a_fault() -> None:
    with pytest.raises(RecipeError, match="should be key=value") as caught:
        Recipe.parse_text("bits=8 metadata phase")
    assert [fault.key for fault in caught.value.faults] == ["metadata", "phase"]


@pytest.mark.parametrize(
    ("mapping", "key"),
    [
        ({"crop": "square", "smart-crop": "8,8"}, "smart-crop"),
        ({"periodic": "yes", "window": "hann"}, "periodic"),
        ({"colour": "yes", "bits": "16"}, "colour"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(mapping: dict[str, str], key: str) -> None:
    assert (
        "cannot be combined" in faults_of(mapping)[key][1]
        or "requires" in faults_of(mapping)[key][1]
    )


def test_all_contradictions_are_reported_at_once() -> None:
    mapping = {"crop": "square", "smart-crop": "8,8", "periodic": True, "window": "hann"}
    assert set(faults_of({**mapping, "colour": True, "bits": 16})) == {
        "smart-crop",
        "periodic",
        "colour",
    }


def test_contradiction_with_the_base_is_refused() -> None:
    with pytest.raises(RecipeError, match="cannot be combined with crop"):
        Recipe.parse({"smart-crop": "5,5"}, Recipe(crop=Square()))


FALSE_VALUES: dict[str, list[Any]] = {
    "crop": ["circle", Box(-1, 0, 5, 5), Box(0, 0, 0, 5), Percent(60, 0, 50, 5), Centre(0, 1), 5],
    "smart_crop": [(0, 5), (5,), (5, 5, 5), "5", [5, 5], (5.5, 6)],
    "channel": ["cyan", None, 1],
    "background": ["pale", (0, 0), (0, 0, 256), (-1, 0, 0), (0, 0, 0, 0), [0, 0, 0], (0.5, 0, 0)],
    "detrend": ["quadratic", None],
    "window": ["kaiser", None, ("tukey", 0.5)],
    "periodic": ["maybe", None, 2],
    "precision": ["half", 64],
    "scale": ["cube root"],
    "bits": [12, "12", 8.5, None, True],
    "phase": ["maybe", 2],
    "filter": [(), "lowpass:x", LowPass(8), ("lowpass:8",), (LowPass(8), None), 3],
    "offset": ["top", -65536, 65536, 1.5, None, True],
    "threshold": ["max", -1, 65536, 1.5, None, True],
    "pixel_size": [0.0, -1.0, float("nan"), float("inf"), "65", (1, 1)],
}


@pytest.mark.parametrize("key", OTHER_VALUES)
def test_the_constructor_accepts_texts_as_on_the_command_line(key: str) -> None:
    texts: Any = {key.replace("-", "_"): OTHER_VALUES[key]}
    parsed = Recipe.parse({key: OTHER_VALUES[key]})
    assert Recipe(**texts) == parsed
    assert Recipe(**texts).sha256 == parsed.sha256


@pytest.mark.parametrize(
    ("field", "value"), [(key, value) for key, values in FALSE_VALUES.items() for value in values]
)
def test_values_that_no_text_represents_are_rejected(field: str, value: Any) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe(**{field: value})
    assert [fault.key for fault in caught.value.faults] == [field.replace("_", "-")]


def test_faults_of_a_direct_construction_are_reported_together() -> None:
    wrong: Any = {"bits": 12, "window": "kaiser"}
    with pytest.raises(RecipeError) as caught:
        Recipe(**wrong)
    assert [fault.key for fault in caught.value.faults] == ["window", "bits"]


def test_messages_do_not_mention_python() -> None:
    """They are shown to users, who need not know Python."""
    wrong: Any = {"background": [0, 0, 0], "smart_crop": 5, "filter": (None,)}
    with pytest.raises(RecipeError) as caught:
        Recipe(**wrong)
    for fault in caught.value.faults:
        assert "should be" in fault.allowed or "expected" in fault.allowed, fault


@pytest.mark.parametrize("key", OTHER_VALUES)
def test_hash_depends_on_every_key(key: str) -> None:
    assert Recipe.parse({key: OTHER_VALUES[key]}).sha256 != Recipe().sha256


def test_hashes_of_different_recipes_differ() -> None:
    hashes = {Recipe.parse({key: value}).sha256 for key, value in OTHER_VALUES.items()}
    assert len(hashes) == len(OTHER_VALUES)


def test_the_hash_is_stable() -> None:
    """It is part of records: a change here would make every earlier result seem outdated."""
    assert Recipe().sha256 == "49ec68a96fdd2fb5b1fb771b054472a04a34e21b35d235f48fa7fe4b4c704d79"
    assert (
        Recipe(bits=16, metadata=True).sha256
        == "e31d209db6f08fae2a65896ceac8197f7943f369dbf1d1847ae4e8ae82f3b172"
    )


def test_equal_recipes_have_equal_hashes() -> None:
    """Python treats 1, 1.0 and True as equal, so their texts must be equal, too."""
    alike: dict[str, tuple[Any, Any]] = {
        "pixel_size": (2, 2.0),
        "periodic": (True, 1),
        "crop": (Percent(25, 0, 50, 50), Percent(25.0, 0.0, 50.0, 50.0)),
        "filter": ((LowPass(8),), (LowPass(8.0),)),
    }
    for field, (one, other) in alike.items():
        first, second = Recipe(**{field: one}), Recipe(**{field: other})
        assert first == second
        assert first.sha256 == second.sha256, field


def test_recipes_and_recipe_errors_can_be_pickled() -> None:
    recipe = Recipe(bits=16, filter=(LowPass(8),))
    assert pickle.loads(pickle.dumps(recipe)) == recipe  # noqa: S301  (our own data)
    with pytest.raises(RecipeError) as caught:
        Recipe.parse({"bits": 12})
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  (our own data)
    assert copy.faults == caught.value.faults
    assert str(copy) == str(caught.value)


def test_a_recipe_is_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().bits = 16  # type: ignore[misc]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_key_has_a_help_text_and_says_what_is_allowed(key: Any) -> None:
    assert len(key.help) > 10
    assert key.value_type.form
    assert key.value_type.choices or key.value_type.metavar
    assert key.value_type.parse(key.value_type.format(key.default)) == key.default
