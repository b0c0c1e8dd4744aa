"""Settings: defaults, faults and how they are reported, and effects."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fft_tool import Limits, Recipe
from fft_tool.admission import memory_needed, output_size
from fft_tool.codec.header import Header
from fft_tool.errors import RecipeError, SettingsError
from fft_tool.limits import FORMATS
from fft_tool.recipe import CHANNELS, KEYS
from fft_tool.results.outputs import output_kinds
from fft_tool.spectrum.scale import SCALES
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
    assert settings.limits == Limits(max_output_bytes=settings.limits.max_output_bytes)
    assert settings.metadata_keys == {key.name for key in KEYS}
    assert settings.buckets == set()
    assert settings.namespace == "fft-pipeline"
    assert settings.reserve_ms == 2000


def test_the_defaults_are_those_of_the_table() -> None:
    table = {variable.name: variable.default for variable in (*VARIABLES, MEMORY)}
    assert made(**table) == made()


def test_every_variable_has_the_prefix_and_a_help_text() -> None:
    assert {
        *("FFT_INPUT_PREFIX", "FFT_OUTPUT_PREFIX", "FFT_RECIPE", "FFT_MAX_PIXELS", "FFT_FORMATS"),
        *("FFT_FOREIGN_METADATA", "FFT_METRICS_NAMESPACE", "FFT_RESERVE_MS"),
        *("FFT_METADATA_KEYS", "FFT_MAX_OUTPUT_BYTES", "FFT_BUCKET", "FFT_BUCKETS"),
        "FFT_WORKFLOW_PREFIX",
    } == NAMES
    assert all(variable.help for variable in (*VARIABLES, MEMORY))


def test_variables_without_the_prefix_are_ignored() -> None:
    assert made(PATH="/bin", AWS_REGION="eu-central-1", AWS_LAMBDA_X="?", XFFT_X="1") == made()


# Faults


def test_all_faults_are_reported_together_with_variable_value_and_form() -> None:
    told = faults(
        FFT_INPUT_PREFIX="/in",
        FFT_OUTPUT_PREFIX="a//b",
        FFT_RECIPE="bits=12 colr=x",
        FFT_MAX_PIXELS="many",
        FFT_FOREIGN_METADATA="mtime,*",
        FFT_METRICS_NAMESPACE="AWS/Lambda",
        FFT_RESERVE_MS="-1",
        FFT_METADATA_KEYS="crop,colr",
        FFT_MAX_OUTPUT_BYTES="1 GB",
        FFT_BUCKET="scans,more-scans",
        FFT_BUCKETS="arn:aws:s3:::scans",
        FFT_FORMAT="png",
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE="1 GB",
    )
    assert len(told) == 13
    for name, value, form in (
        ("FFT_FORMAT", "'png'", "unknown setting; known: FFT_BUCKET, FFT_BUCKETS"),
        ("FFT_INPUT_PREFIX", "'/in'", "should be a folder such as input/"),
        ("FFT_OUTPUT_PREFIX", "'a//b'", "should be a folder such as input/"),
        ("FFT_RECIPE", "bits='12'", "should be 8"),
        ("FFT_RECIPE", "colr='x'", "unknown key"),
        ("FFT_MAX_PIXELS", "'many'", "should be a whole number from 1 to 10,000,000,000"),
        ("FFT_FOREIGN_METADATA", "'mtime,*'", "should not"),
        ("FFT_METRICS_NAMESPACE", "'AWS/Lambda'", "should be 1 to 255"),
        ("FFT_RESERVE_MS", "'-1'", "should be a whole number from 100 to 800,000"),
        ("FFT_METADATA_KEYS", "'crop,colr'", "unknown: colr; known: background, bits"),
        ("FFT_MAX_OUTPUT_BYTES", "'1 GB'", "should be a whole number from 1"),
        ("FFT_BUCKET", "'scans,more-scans'", "should be the name of one bucket"),
        (
            "FFT_BUCKETS",
            "'arn:aws:s3:::scans'",
            "should be names of buckets separated by commas, not ARNs",
        ),
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
        *(("FFT_FORMATS", text) for text in ("", ",", "heic", "png tiff")),
        *(("FFT_METADATA_KEYS", text) for text in ("all", "crop,*", "metadata bits", "mtime")),
        *(("FFT_MAX_OUTPUT_BYTES", text) for text in ("0", "-1", "1e9", "1 ", "9" * 13)),
        *(("FFT_BUCKET", text) for text in ("a,b", "scans/", "s3://scans", "*", ",", " ")),
        *(("FFT_BUCKETS", text) for text in ("scans,*", "scans;more", "../scans", ",")),
        *((MEMORY_SIZE, text) for text in ("-1", "x", "", "9999999999")),
    ],
)
def test_a_value_of_the_wrong_form_is_reported_with_the_right_one(name: str, text: str) -> None:
    told = fault(**{name: text})
    assert told.startswith(f"{name}={text!r}: ")
    assert "should be" in told


@pytest.mark.parametrize("name", ["FFT_INPUT_PREFIXES", "FFT_", "FFT_recipe", "FFT_BITS"])
def test_an_unknown_variable_is_a_fault(name: str) -> None:
    told = fault(**{name: "x"})
    assert told.startswith(f"{name}='x': unknown setting")
    for known in NAMES:
        assert known in told


@given(st.dictionaries(st.sampled_from(sorted(NAMES)), st.text(), min_size=1))
@settings(deadline=None)
def test_any_text_is_valid_or_a_fault_that_names_the_variable(variables: dict[str, str]) -> None:
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
def test_whole_numbers_are_accepted_up_to_their_bounds(name: str, number: int) -> None:
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
def test_overlapping_prefixes_are_refused(inputs: str, outputs: str) -> None:
    told = fault(FFT_INPUT_PREFIX=inputs, FFT_OUTPUT_PREFIX=outputs)
    assert "overlap" in told
    assert "FFT_INPUT_PREFIX" in told
    assert "FFT_OUTPUT_PREFIX" in told
    assert "separate folders" in told


def test_a_prefix_that_overlaps_the_default_of_the_other_is_refused() -> None:
    assert "overlap" in fault(FFT_INPUT_PREFIX="output/new")
    assert "overlap" in fault(FFT_OUTPUT_PREFIX="input")


@pytest.mark.parametrize("folder", ["input", "input/workflow", "output/workflow", ""])
def test_the_folder_of_the_workflow_is_a_separate_one(folder: str) -> None:
    told = fault(FFT_WORKFLOW_PREFIX=folder)
    assert "FFT_WORKFLOW_PREFIX" in told
    assert "separate folders" in told


@pytest.mark.parametrize(
    ("inputs", "outputs"), [("in", "input/"), ("input", "in/"), ("a/in", "a/out"), ("a", "b/a")]
)
def test_folders_with_a_common_beginning_do_not_overlap(inputs: str, outputs: str) -> None:
    settings = made(FFT_INPUT_PREFIX=inputs, FFT_OUTPUT_PREFIX=outputs)
    assert settings.input_prefix == inputs.rstrip("/") + "/"
    assert settings.output_prefix == outputs.rstrip("/") + "/"


# The recipe


def test_the_default_recipe_is_the_setting_with_a_record() -> None:
    recipe = made(FFT_RECIPE="bits=16 window=hann").recipe
    assert recipe == Recipe(bits=16, window="hann", metadata=True)
    assert made(FFT_RECIPE="metadata=yes").recipe == made().recipe


def test_a_default_recipe_without_record_is_refused() -> None:
    told = fault(FFT_RECIPE="bits=16 metadata=no")
    assert "metadata='no': should be yes" in told


def test_an_event_overrides_metadata_which_overrides_the_defaults() -> None:
    settings = made(FFT_RECIPE="bits=16 window=hann crop=square")
    assert settings.recipe_of({}, {}) == settings.recipe
    metadata = {"window": "tukey", "crop": "0,0,9,9"}
    assert settings.recipe_of(metadata, {"crop": "none", "phase": False}) == Recipe(
        bits=16, window="tukey", crop=None, phase=False, metadata=True
    )


def test_an_event_can_unset_a_conflicting_key() -> None:
    settings = made()
    with pytest.raises(RecipeError, match="cannot be combined with crop"):
        settings.recipe_of({"crop": "square"}, {"smart-crop": "5,5"})
    recipe = settings.recipe_of({"crop": "square"}, {"smart-crop": "5,5", "crop": "none"})
    assert recipe.smart_crop == (5, 5)


@pytest.mark.parametrize(
    ("metadata", "overrides"), [({"metadata": "no"}, {}), ({}, {"metadata": False})]
)
def test_the_record_cannot_be_turned_off(
    metadata: dict[str, str], overrides: dict[str, bool]
) -> None:
    with pytest.raises(RecipeError, match="metadata='no': should be yes"):
        made().recipe_of(metadata, overrides)


@pytest.mark.parametrize(
    "key",
    [
        *("mtime", "s3cmd-attrs", "file-mtime", "file-owner", "md5chksum", "x-amz-key-v2"),
        *("uid", "user-agent-id", "MTime", "original-filename"),
    ],
)
def test_metadata_of_other_tools_is_ignored(key: str) -> None:
    assert made().recipe_of({key: "whatever", "bits": "16"}, {}).bits == 16


@pytest.mark.parametrize("key", ["crpo", "smart-crops", "mtimes", "recipe", "file"])
def test_a_misspelt_key_is_not_ignored(key: str) -> None:
    with pytest.raises(RecipeError, match=f"{key}='x': unknown key"):
        made().recipe_of({key: "x"}, {})


def test_the_list_of_foreign_metadata_is_a_setting() -> None:
    settings = made(FFT_FOREIGN_METADATA=" Camera-*, site ,,")
    assert settings.recipe_of({"camera-lens": "x", "SITE": "y"}, {}) == settings.recipe
    with pytest.raises(RecipeError, match="mtime"):
        settings.recipe_of({"mtime": "1"}, {})
    with pytest.raises(RecipeError, match="site"):
        made(FFT_FOREIGN_METADATA="").recipe_of({"site": "y"}, {})


def test_no_key_of_the_recipe_is_foreign() -> None:
    for key in KEYS:
        with pytest.raises(RecipeError):
            made().recipe_of({key.name: "no such value"}, {})


@pytest.mark.parametrize("glob", ["*", "**", "?*", "crop", "CROP", "c*", "[a-z]*", "*-crop"])
def test_a_glob_that_matches_a_key_of_the_recipe_is_refused(glob: str) -> None:
    told = fault(FFT_FOREIGN_METADATA=f"mtime,{glob}")
    assert told.startswith("FFT_FOREIGN_METADATA=")
    assert "should not" in told


# What an object's metadata may set


def test_all_keys_may_be_set_by_default() -> None:
    texts = {key.name: key.value_type.format(key.default) for key in KEYS} | {"metadata": "yes"}
    assert made().recipe_of(texts, {}) == made(FFT_METADATA_KEYS="*").recipe_of(texts, {})


def test_a_key_that_is_not_allowed_is_refused_with_the_reason() -> None:
    settings = made(FFT_METADATA_KEYS="channel, Scale,")
    assert settings.recipe_of({"channel": "red", "scale": "db"}, {}).channel == "red"
    with pytest.raises(RecipeError) as caught:
        settings.recipe_of({"channel": "red", "spectrum": "yes", "bits": "16"}, {})
    reason = "may not be set by an object's metadata here (FFT_METADATA_KEYS)"
    assert str(caught.value) == f"spectrum='yes': {reason}; bits='16': {reason}"


@pytest.mark.parametrize("name", ["Smart-Crop", "smart_crop", " SMART-CROP "])
def test_no_spelling_of_a_key_bypasses_the_list(name: str) -> None:
    with pytest.raises(RecipeError, match="may not be set"):
        made(FFT_METADATA_KEYS="crop").recipe_of({name: "9,9"}, {})


@pytest.mark.parametrize("key", [key.name for key in KEYS])
def test_with_an_empty_list_metadata_cannot_set_even_a_default(key: str) -> None:
    with pytest.raises(RecipeError, match=f"^{key}='no': may not be set"):
        made(FFT_METADATA_KEYS="").recipe_of({key: "no"}, {})


DEAR = Header("png", 5000, 4000, channels=4, depth=16)
VALUES = {
    "background": ("black", "#123456"),
    "channel": CHANNELS,
    "offset": ("mid", "-40"),
    "pixel-size": ("65nm", "1m"),
    "scale": SCALES,
    "threshold": ("mid", "otsu", "128"),
}


def test_the_strict_set_of_the_guide_makes_no_output_larger(repository: Path) -> None:
    guide = (repository / "docs" / "lambda.md").read_text("utf-8")
    (shown,) = re.findall(r"^    FFT_METADATA_KEYS=(.+)$", guide, re.MULTILINE)
    settings = made(FFT_METADATA_KEYS=shown)
    assert settings.metadata_keys == set(VALUES)
    kinds = output_kinds(settings.recipe)
    for values in itertools.product(*VALUES.values()):
        recipe = settings.recipe_of(dict(zip(VALUES, values, strict=True)), {})
        assert output_kinds(recipe) == kinds
        assert memory_needed(DEAR, recipe) == memory_needed(DEAR, settings.recipe)
        more = output_size(DEAR, recipe, kinds) - output_size(DEAR, settings.recipe, kinds)
        assert more < 10_000, "the recipe's own text"


def test_a_misspelt_key_is_reported_as_unknown() -> None:
    with pytest.raises(RecipeError, match="crpo='x': unknown key"):
        made(FFT_METADATA_KEYS="crop").recipe_of({"crpo": "x", "mtime": "1"}, {})


def test_defaults_and_events_are_not_restricted() -> None:
    settings = made(FFT_METADATA_KEYS="", FFT_RECIPE="bits=16")
    assert settings.recipe_of({}, {"spectrum": "yes"}) == Recipe(
        bits=16, spectrum=True, metadata=True
    )


# Limit on the outputs of one source


@pytest.mark.parametrize(
    "recipe",
    ["", "bits=16 spectrum=yes precision=double", "crop=0,0,9,9 colour=yes filter=notch:8,90"],
)
@pytest.mark.parametrize("pixels", [1, 1_000_000, 300_000_000])
@pytest.mark.parametrize("aspect", [1, 9])
def test_by_default_an_image_of_the_largest_size_is_accepted(
    recipe: str, pixels: int, aspect: int
) -> None:
    settings = made(FFT_RECIPE=recipe, FFT_MAX_PIXELS=str(pixels))
    height = max(1, math.isqrt(pixels // aspect))
    header = Header("png", pixels // height, height, channels=4, depth=16)
    plain = dataclasses.replace(settings.recipe, crop=None)
    settings.limits.check_output(output_size(header, plain, output_kinds(settings.recipe)))


def test_by_default_the_limit_is_what_the_largest_image_takes() -> None:
    most = made(FFT_MAX_PIXELS="100000000").limits.max_output_bytes
    assert most is not None
    assert 200_000_000 < most < 1.06 * 200_000_000


@pytest.mark.parametrize("number", [1, 348_000_000, 10**12 - 1])
def test_a_given_number_of_bytes_is_the_limit(number: int) -> None:
    assert made(FFT_MAX_OUTPUT_BYTES=str(number)).limits.max_output_bytes == number


# Allowed buckets


def test_buckets_are_one_or_several() -> None:
    assert made(FFT_BUCKET="scans").buckets == {"scans"}
    assert made(FFT_BUCKETS=" scans, more-scans,").buckets == {"scans", "more-scans"}


def test_one_bucket_and_several_cannot_be_combined() -> None:
    told = fault(FFT_BUCKET="scans", FFT_BUCKETS="scans,more-scans")
    assert told == "FFT_BUCKET and FFT_BUCKETS are both set: only one of them should be"


# Formats


def test_only_listed_formats_are_accepted() -> None:
    assert made().limits.formats == FORMATS
    assert made(FFT_FORMATS=" TIFF, png,").limits.formats == ("png", "tiff")
    assert fault(FFT_FORMATS="png,heic").endswith(
        f"should be one or more of {', '.join(FORMATS)}, separated by commas"
    )


# Memory and processors


@pytest.mark.parametrize(("text", "allowed"), [("0", None), ("512", 480 << 20), ("1", 1)])
def test_the_memory_limit_is_the_setting_less_the_function_s_own_memory(
    text: str, allowed: int | None
) -> None:
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
def test_there_is_one_thread_per_processor_that_the_memory_setting_pays_for(
    memory: str, cores: int, threads: int
) -> None:
    assert made(AWS_LAMBDA_FUNCTION_MEMORY_SIZE=memory).threads(cores) == threads
