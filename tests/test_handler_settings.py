"""Settings: what stands without any, what is refused and how it is told, and what they decide."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fft_tool import Limits, Recipe
from fft_tool.errors import RecipeError
from fft_tool.recipe import KEYS
from handler.errors import SettingsError
from handler.settings import MEMORY, VARIABLES, Settings

MEMORY_SIZE = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
NAMES = {variable.name for variable in VARIABLES}


def made(**variables: str) -> Settings:
    return Settings.from_environ(variables)


def faults(**variables: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ(variables)
    assert str(caught.value) == "; ".join(caught.value.faults)
    return caught.value.faults


def fault(**variables: str) -> str:
    (told,) = faults(**variables)
    return told


# Defaults


def test_everything_has_a_default() -> None:
    settings = made()
    assert settings.input_prefix == "input/"
    assert settings.output_prefix == "output/"
    assert settings.recipe == Recipe(metadata=True)
    assert settings.limits == Limits()
    assert settings.namespace == "fft-pipeline"
    assert settings.reserve_ms == 2000


def test_the_defaults_are_those_that_the_table_shows() -> None:
    table = {variable.name: variable.default for variable in (*VARIABLES, MEMORY)}
    assert made(**table) == made()


def test_every_variable_is_of_the_project_and_explained() -> None:
    assert {
        *("FFT_INPUT_PREFIX", "FFT_OUTPUT_PREFIX", "FFT_RECIPE", "FFT_MAX_PIXELS"),
        *("FFT_FOREIGN_METADATA", "FFT_METRICS_NAMESPACE", "FFT_RESERVE_MS"),
    } == NAMES
    assert all(variable.help for variable in (*VARIABLES, MEMORY))


def test_what_belongs_to_others_is_left_alone() -> None:
    assert made(PATH="/bin", AWS_REGION="eu-central-1", AWS_LAMBDA_X="?", XFFT_X="1") == made()


# Faults


def test_all_faults_are_told_together_each_with_its_variable_its_value_and_the_form() -> None:
    told = faults(
        FFT_INPUT_PREFIX="/in",
        FFT_OUTPUT_PREFIX="a//b",
        FFT_RECIPE="bits=12 colr=x",
        FFT_MAX_PIXELS="many",
        FFT_FOREIGN_METADATA="mtime,*",
        FFT_METRICS_NAMESPACE="AWS/Lambda",
        FFT_RESERVE_MS="-1",
        FFT_FORMAT="png",
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE="1 GB",
    )
    assert len(told) == 9
    for name, value, form in (
        ("FFT_FORMAT", "'png'", "unknown setting; known: FFT_FOREIGN_METADATA, FFT_INPUT_PREFIX"),
        ("FFT_INPUT_PREFIX", "'/in'", "should be a folder such as input/"),
        ("FFT_OUTPUT_PREFIX", "'a//b'", "should be a folder such as input/"),
        ("FFT_RECIPE", "bits='12'", "should be 8"),
        ("FFT_RECIPE", "colr='x'", "unknown key"),
        ("FFT_MAX_PIXELS", "'many'", "should be a whole number from 1 to 10,000,000,000"),
        ("FFT_FOREIGN_METADATA", "'mtime,*'", "should not"),
        ("FFT_METRICS_NAMESPACE", "'AWS/Lambda'", "should be 1 to 255"),
        ("FFT_RESERVE_MS", "'-1'", "should be a whole number from 100 to 800,000"),
        (MEMORY_SIZE, "'1 GB'", "should be a whole number"),
    ):
        (line,) = (line for line in told if line.startswith(f"{name}="))
        assert value in line
        assert form in line


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("FFT_INPUT_PREFIX", text) for text in ("/", "//", "/in/", "a//b", "x" * 512, "\udcff")),
        *(("FFT_OUTPUT_PREFIX", text) for text in ("/", "//out", "out//", "ü" * 256)),
        *(("FFT_RECIPE", text) for text in ("bits", "bits=", "colour=maybe")),
        *(("FFT_MAX_PIXELS", text) for text in ("0", "", "1e6", "1.5", "+1", "\u0661", "9" * 5000)),
        *(("FFT_METRICS_NAMESPACE", text) for text in ("", "a b", "ä", "x" * 256, ":spectra")),
        *(("FFT_RESERVE_MS", text) for text in ("99", "800001", "2s", "")),
        *((MEMORY_SIZE, text) for text in ("-1", "x", "", "9999999999")),
    ],
)
def test_a_value_of_another_form_is_told_what_it_should_be(name: str, text: str) -> None:
    told = fault(**{name: text})
    assert told.startswith(f"{name}={text!r}: ")
    assert "should be" in told


@pytest.mark.parametrize("name", ["FFT_INPUT_PREFIXES", "FFT_", "FFT_recipe", "FFT_BITS"])
def test_a_variable_that_nobody_knows_is_a_fault(name: str) -> None:
    told = fault(**{name: "x"})
    assert told.startswith(f"{name}='x': unknown setting")
    for known in NAMES:
        assert known in told


@given(st.dictionaries(st.sampled_from(sorted(NAMES)), st.text(), min_size=1))
@settings(deadline=None)
def test_any_text_is_a_setting_or_a_fault_that_names_it(variables: dict[str, str]) -> None:
    try:
        Settings.from_environ(variables)
    except SettingsError as exc:
        for told in exc.faults:
            assert any(name in told for name in variables)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        *(("FFT_MAX_PIXELS", number) for number in (1, 12345, 10**10)),
        *(("FFT_RESERVE_MS", number) for number in (100, 12345, 800_000)),
        *((MEMORY_SIZE, number) for number in (0, 128, 10_240)),
    ],
)
def test_whole_numbers_are_taken_up_to_their_bounds(name: str, number: int) -> None:
    (field,) = (variable.field for variable in (*VARIABLES, MEMORY) if variable.name == name)
    assert getattr(made(**{name: str(number)}), field) == number


# Prefixes


def test_a_prefix_leaves_room_for_keys_below_it() -> None:
    assert len(made(FFT_INPUT_PREFIX="x" * 511).input_prefix) == 512
    assert "should be a folder" in fault(FFT_INPUT_PREFIX="x" * 512)


@pytest.mark.parametrize("text", ["scans/raw", "scans/raw/"])
def test_a_prefix_is_a_folder_with_or_without_its_slash(text: str) -> None:
    assert made(FFT_INPUT_PREFIX=text).input_prefix == "scans/raw/"
    assert made(FFT_OUTPUT_PREFIX=text).output_prefix == "scans/raw/"


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ("a", "a"),
        ("a/", "a"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("a/b/c", "a/b"),
        ("", "out"),
        ("in", ""),
        ("", ""),
    ],
)
def test_prefixes_that_overlap_would_feed_on_their_own_results(inputs: str, outputs: str) -> None:
    told = fault(FFT_INPUT_PREFIX=inputs, FFT_OUTPUT_PREFIX=outputs)
    assert "overlap" in told
    assert "FFT_INPUT_PREFIX" in told
    assert "FFT_OUTPUT_PREFIX" in told
    assert "two separate folders" in told


def test_a_prefix_that_overlaps_the_default_of_the_other_is_refused() -> None:
    assert "overlap" in fault(FFT_INPUT_PREFIX="output/new")
    assert "overlap" in fault(FFT_OUTPUT_PREFIX="input")


@pytest.mark.parametrize(
    ("inputs", "outputs"), [("in", "input/"), ("input", "in/"), ("a/in", "a/out"), ("a", "b/a")]
)
def test_folders_that_only_begin_alike_do_not_overlap(inputs: str, outputs: str) -> None:
    settings = made(FFT_INPUT_PREFIX=inputs, FFT_OUTPUT_PREFIX=outputs)
    assert settings.input_prefix == inputs.rstrip("/") + "/"
    assert settings.output_prefix == outputs.rstrip("/") + "/"


# The recipe


def test_the_default_recipe_is_the_setting_s_and_always_with_a_record() -> None:
    recipe = made(FFT_RECIPE="bits=16 window=hann").recipe
    assert recipe == Recipe(bits=16, window="hann", metadata=True)
    assert made(FFT_RECIPE="metadata=yes").recipe == made().recipe


def test_a_default_recipe_without_record_is_refused() -> None:
    told = fault(FFT_RECIPE="bits=16 metadata=no")
    assert "metadata='no': should be yes" in told


def test_a_recipe_is_the_defaults_overridden_by_metadata_overridden_by_a_wish() -> None:
    settings = made(FFT_RECIPE="bits=16 window=hann crop=square")
    assert settings.recipe_of({}, {}) == settings.recipe
    metadata = {"window": "tukey", "crop": "0,0,9,9"}
    assert settings.recipe_of(metadata, {"crop": "none", "phase": False}) == Recipe(
        bits=16, window="tukey", crop=None, phase=False, metadata=True
    )


def test_a_wish_may_take_back_what_would_contradict_it() -> None:
    settings = made()
    with pytest.raises(RecipeError, match="excludes crop"):
        settings.recipe_of({"crop": "square"}, {"smart-crop": "5,5"})
    recipe = settings.recipe_of({"crop": "square"}, {"smart-crop": "5,5", "crop": "none"})
    assert recipe.smart_crop == (5, 5)


@pytest.mark.parametrize(
    ("metadata", "wish"), [({"metadata": "no"}, {}), ({}, {"metadata": False})]
)
def test_nobody_can_go_without_the_record(metadata: dict[str, str], wish: dict[str, bool]) -> None:
    with pytest.raises(RecipeError, match="metadata='no': should be yes"):
        made().recipe_of(metadata, wish)


@pytest.mark.parametrize(
    "key",
    [
        *("mtime", "s3cmd-attrs", "file-mtime", "file-owner", "md5chksum", "x-amz-key-v2"),
        *("uid", "user-agent-id", "MTime", "original-filename"),
    ],
)
def test_metadata_of_other_tools_is_passed_over(key: str) -> None:
    assert made().recipe_of({key: "whatever", "bits": "16"}, {}).bits == 16


@pytest.mark.parametrize("key", ["crpo", "smart-crops", "mtimes", "recipe", "file"])
def test_a_mistake_in_a_key_is_not_passed_over(key: str) -> None:
    with pytest.raises(RecipeError, match=f"{key}='x': unknown key"):
        made().recipe_of({key: "x"}, {})


def test_which_metadata_are_foreign_can_be_set() -> None:
    settings = made(FFT_FOREIGN_METADATA=" Camera-*, site ,,")
    assert settings.recipe_of({"camera-lens": "x", "SITE": "y"}, {}) == settings.recipe
    with pytest.raises(RecipeError, match="mtime"):
        settings.recipe_of({"mtime": "1"}, {})
    with pytest.raises(RecipeError, match="site"):
        made(FFT_FOREIGN_METADATA="").recipe_of({"site": "y"}, {})


def test_no_key_of_a_recipe_is_foreign() -> None:
    for key in KEYS:
        with pytest.raises(RecipeError):
            made().recipe_of({key.name: "no such value"}, {})


@pytest.mark.parametrize("glob", ["*", "**", "?*", "crop", "CROP", "c*", "[a-z]*", "*-crop"])
def test_a_glob_that_would_swallow_a_key_of_the_recipe_is_refused(glob: str) -> None:
    told = fault(FFT_FOREIGN_METADATA=f"mtime,{glob}")
    assert told.startswith("FFT_FOREIGN_METADATA=")
    assert "should not" in told


# Memory and processors


@pytest.mark.parametrize(("text", "allowed"), [("0", None), ("512", 512 << 20), ("1", 1 << 20)])
def test_the_memory_setting_is_a_limit(text: str, allowed: int | None) -> None:
    limits = made(AWS_LAMBDA_FUNCTION_MEMORY_SIZE=text, FFT_MAX_PIXELS="1000").limits
    assert limits.max_memory == allowed
    assert limits.max_pixels == 1000


@pytest.mark.parametrize(
    ("memory", "cores", "threads"),
    [
        ("0", 4, 4),
        ("0", 1, 1),
        ("128", 2, 1),
        ("1769", 2, 1),
        ("1770", 2, 2),
        ("3538", 6, 2),
        ("10240", 6, 6),
        ("10240", 2, 2),
    ],
)
def test_there_are_as_many_threads_as_the_memory_setting_pays_processors(
    memory: str, cores: int, threads: int
) -> None:
    assert made(AWS_LAMBDA_FUNCTION_MEMORY_SIZE=memory).threads(cores) == threads
