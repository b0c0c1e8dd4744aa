from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from numpy.typing import NDArray

import fft_tool
from fft_tool.codec.png_encode import encode
from fft_tool.errors import BadArtifact, FftToolError, UnknownFormat
from fft_tool.limits import Limits
from fft_tool.recipe import KEYS, Recipe
from fft_tool.results import record as records
from fft_tool.results import recording
from fft_tool.results.record_model import Done, Rejected, Sharpness, Slope
from fft_tool.results.sections import SCHEMA_NAME
from tests.support.images import noise, pink_noise

Json = dict[str, Any]

SCHEMA = records.schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def made(pixels: NDArray[Any], recipe: str = "bits=16", **options: Any) -> Json:
    """The record of an image, as read from its file and validated against the schema."""
    source = fft_tool.Source("folder/image.png", encode(pixels, **options))
    outputs = fft_tool.run(source, Recipe.parse_text(f"{recipe} metadata=yes"))
    record = records.from_bytes(outputs["metadata"].data)
    assert record == outputs.record
    return record


def rejected(data: bytes, recipe: Recipe | None = None, limits: Limits | None = None) -> Json:
    source = fft_tool.Source("bad.png", data)
    with pytest.raises(FftToolError) as caught:
        fft_tool.run(source, recipe or Recipe(), limits)
    return recording.rejected(source, recipe, caught.value)


def faults(record: Json) -> list[str]:
    return [f"{fault.json_path}: {fault.message}" for fault in VALIDATOR.iter_errors(record)]


def objects(schema: Any, path: str = "$") -> Iterator[tuple[str, Json]]:
    """Every object in the schema that describes properties, with its path."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield path, schema
        for key, value in schema.items():
            yield from objects(value, f"{path}.{key}")
    elif isinstance(schema, list):
        for place, value in enumerate(schema):
            yield from objects(value, f"{path}[{place}]")


def described() -> Iterator[tuple[str, Json]]:
    """All objects except the two conditions, which only constrain known properties."""
    return ((path, it) for path, it in objects(SCHEMA) if path != "$.if")


def test_the_schema_is_a_valid_one_with_the_name_that_records_carry() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert SCHEMA["$id"] == SCHEMA_NAME
    assert SCHEMA["title"]


def test_every_property_has_a_description() -> None:
    paths = []
    for path, it in described():
        for name, value in it["properties"].items():
            paths.append(f"{path}.{name}")
            assert value.get("description", "").endswith("."), paths[-1]
    assert len(paths) > 120


def test_no_object_lets_unknown_properties_pass() -> None:
    for path, it in described():
        closed = it.get("additionalProperties") is False or "propertyNames" in it
        assert closed, path


def test_every_property_is_required_or_known_to_be_optional() -> None:
    optional = {
        f"{path.rpartition('.')[2]}.{name}"
        for path, it in described()
        if path.startswith("$.$defs")
        for name in it["properties"]
        if name not in it["required"]
    }
    assert optional == {
        *(f"statistics.{name}" for name in ("red", "green", "blue", "alpha")),
        "radial_profile.frequency_per_um",
        "orientation.physical_angle",
        "orientation.physical_anisotropy",
        *(f"peak.{name}" for name in ("period_um", "frequency_per_um", "physical_angle")),
        *(f"ways.{name}" for name in ("spectrum", "pictures")),
        *("way.correction", "preparation.jumps"),
    }


def test_no_definition_is_unused() -> None:
    text = json.dumps(SCHEMA)
    for name in SCHEMA["$defs"]:
        assert f'"#/$defs/{name}"' in text, name


def test_the_schema_knows_the_recipe_s_keys_and_choices() -> None:
    known = SCHEMA["$defs"]["recipe_values"]["properties"]
    assert list(known) == [key.name for key in KEYS]
    for key in KEYS:
        if key.value_type.choices:
            assert sorted(known[key.name]["enum"]) == sorted(key.value_type.choices)


KINDS_OF_IMAGES = {
    "noise": noise((24, 31)),
    "natural": pink_noise((40, 30)),
    "constant": np.full((9, 12), 77, np.uint8),
    "black": np.zeros((8, 8), np.uint8),
    "white": np.full((8, 8), 255, np.uint8),
    "one pixel": noise((1, 1)),
    "one row": noise((1, 37)),
    "one column": noise((41, 1)),
    "two by two": noise((2, 2)),
    "grey and alpha": noise((11, 13, 2)),
    "colour": noise((14, 10, 3)),
    "colour and alpha": noise((14, 10, 4)),
    "16-bit": noise((16, 17), np.uint16),
    "16-bit colour and alpha": noise((12, 10, 4), np.uint16),
    "constant 16-bit": np.full((5, 5), 40_000, np.uint16),
}


@pytest.mark.parametrize("recipe", ["bits=16", "bits=8 spectrum=yes", "phase=no"])
@pytest.mark.parametrize("kind", KINDS_OF_IMAGES)
def test_records_of_all_kinds_of_images_satisfy_the_schema(kind: str, recipe: str) -> None:
    assert not faults(made(KINDS_OF_IMAGES[kind], recipe))


@pytest.mark.parametrize(
    "recipe",
    [
        "colour=yes histogram=yes",
        "crop=3,4,20,10 channel=green",
        "crop=square filter=lowpass:8+notch:4,30 threshold=otsu",
        "smart-crop=16,12 background=#102030 threshold=200",
        "window=hann detrend=linear bits=16",
        "window=blackman detrend=mean spectrum=yes precision=double",
        "window=tukey scale=linear bits=16",
        "periodic=yes bits=16 spectrum=yes",
        "scale=db bits=16",
        "scale=power",
        "pixel-size=65nm bits=16",
        "channel=alpha bits=16",
    ],
)
def test_records_of_all_recipes_satisfy_the_schema(recipe: str) -> None:
    assert not faults(made(noise((32, 40, 4)), recipe))


@pytest.mark.parametrize("density", [(200_000, 200_000), (3937, 7874)])
def test_physical_units_satisfy_the_schema_for_square_and_oblong_pixels(
    density: tuple[int, int],
) -> None:
    y, x = np.mgrid[:64, :64]
    waves = noise((64, 64)) // 16 + 100 * (1 + np.cos(2 * np.pi * (x * 8 + y * 4) / 64))
    record = made(waves.astype(np.uint8), pixels_per_metre=density)
    assert not faults(record)
    assert record["measures"]["peaks"][0]["period_um"] > 0
    assert record["image"]["pixel_size"]["from"] == "PNG pHYs"
    square = density[0] == density[1]
    assert ("frequency_per_um" in record["measures"]["radial_profile"]) == square


@pytest.mark.parametrize("suffix", ["jpeg", "tiff", "webp", "bmp"])
def test_records_of_other_formats_satisfy_the_schema(suffix: str) -> None:
    import io  # noqa: PLC0415  (needed by this test only)

    from PIL import Image  # noqa: PLC0415  (needed by this test only)

    file = io.BytesIO()
    Image.fromarray(noise((20, 30, 3))).save(file, suffix, dpi=(300, 300))
    outputs = fft_tool.run(
        fft_tool.Source(f"image.{suffix}", file.getvalue()), Recipe(metadata=True)
    )
    assert outputs.record is not None
    assert outputs.record["image"]["format"] == suffix
    assert not faults(outputs.record)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 4)),
    deep=st.booleans(),
    seed=st.integers(0, 99),
    top=st.sampled_from((0, 1, 255)),
    recipe=st.sampled_from(("bits=16", "window=hamming", "periodic=yes", "detrend=linear")),
)
def test_records_of_small_images_satisfy_the_schema(
    shape: tuple[int, int, int], deep: bool, seed: int, top: int, recipe: str
) -> None:
    pixels = noise(shape, np.uint16 if deep else np.uint8, seed)
    assert not faults(made(np.minimum(pixels, top)[:, :, : shape[2]], recipe))


def test_the_sample_images_satisfy_the_schema(repository: Path) -> None:
    path = repository / "input_images" / "micrograph.png"
    source = fft_tool.Source(path.name, path.read_bytes())
    outputs = fft_tool.run(source, Recipe(metadata=True, bits=16))
    assert outputs.record is not None
    assert not faults(outputs.record)


@pytest.mark.parametrize(
    ("data", "recipe", "limits", "code"),
    [
        (b"", None, None, "empty-image"),
        (b"no image", Recipe(), None, "unknown-format"),
        (encode(noise((9, 9)))[:-20], Recipe(bits=16), None, "corrupt-image"),
        (encode(noise((9, 9))), Recipe.parse({"crop": "5,5,9,9"}), None, "crop-outside"),
        (encode(noise((9, 9))), Recipe(channel="red"), None, "bad-recipe"),
        (encode(noise((9, 9))), None, Limits(max_pixels=80), "too-many-pixels"),
        (encode(noise((9, 9))), None, Limits(max_bytes=20), "too-many-bytes"),
        (encode(noise((9, 9))), None, Limits(max_memory=20), "too-much-memory"),
    ],
)
def test_records_of_rejected_sources_satisfy_the_schema(
    data: bytes, recipe: Recipe | None, limits: Limits | None, code: str
) -> None:
    record = rejected(data, recipe, limits)
    assert record["error"]["code"] == code
    assert record["artifacts"] == []
    assert not faults(record)


@pytest.fixture(scope="module")
def whole() -> Json:
    """A record in which every part is present."""
    y, x = np.mgrid[:48, :64]
    waves = noise((48, 64)) // 16 + 100 * (1 + np.cos(2 * np.pi * (x * 8 / 64 + y * 4 / 48)))
    colour = np.repeat(waves.astype(np.uint8)[:, :, None], 3, axis=2)
    record = made(colour, "bits=16 spectrum=yes crop=0,0,60,48", pixels_per_metre=(1000, 1000))
    assert not faults(record)
    return record


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of the objects in a record, of the first entry of each list only."""
    if isinstance(value, dict):
        yield path
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def at(record: Json, path: tuple[Any, ...]) -> Json:
    found: Any = record
    for key in path:
        found = found[key]
    assert isinstance(found, dict)
    return found


def test_unknown_fields_are_rejected_at_every_level(whole: Json) -> None:
    paths = list(places(whole))
    assert len(paths) > 20
    for path in paths:
        changed = copy.deepcopy(whole)
        at(changed, path)["surprise"] = 1
        assert not VALIDATOR.is_valid(changed), path


@pytest.mark.slow
def test_missing_fields_are_rejected_at_every_level(whole: Json) -> None:
    may_miss = {
        ("statistics", "red"),
        ("statistics", "green"),
        ("statistics", "blue"),
        ("radial_profile", "frequency_per_um"),
        ("ways", "pictures"),
        ("ways", "spectrum"),
    }
    record = copy.deepcopy(whole)
    for path in places(whole):
        part = at(record, path)
        for key in [key for key in part if (path and path[-1], key) not in may_miss]:
            value = part.pop(key)
            assert not VALIDATOR.is_valid(record), (*path, key)
            part[key] = value
    assert record == whole


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "fft-tool/record/2"),
        (("outcome",), "perhaps"),
        (("recipe",), None),
        (("artifacts",), None),
        (("source", "sha256"), "A" * 64),
        (("source", "bytes"), -1),
        (("image", "channels"), ["blue"]),
        (("image", "depth"), 65),
        (("measures", "orientation", "angle"), 180),
        (("measures", "high_frequency_fraction"), 1.5),
        (("measures", "radial_profile", "frequency"), [0.6]),
        (("certificate", "exact"), "yes"),
        (("certificate", "max_abs_error"), 0.5),
        (("spectrum", "bits"), 12),
        (("spectrum", "preparation", "window"), "hanning"),
        (("recipe", "values", "bits"), 16),
        (("statistics", "grey", "histogram", "counts"), [1, 2]),
        (("statistics", "grey", "mean"), "12"),
        (("error",), {"code": "corrupt-image", "message": "no"}),
    ],
)
def test_impossible_values_are_rejected(whole: Json, path: tuple[str, ...], value: Any) -> None:
    changed = copy.deepcopy(whole)
    at(changed, path[:-1])[path[-1]] = value
    assert faults(changed)


def test_a_rejected_record_holds_no_results(whole: Json) -> None:
    record = rejected(b"no image")
    for key in whole.keys() - record.keys():
        assert faults(record | {key: whole[key]}), key
    assert faults(record | {"artifacts": whole["artifacts"]})
    assert faults({key: value for key, value in record.items() if key != "error"})
    assert faults(record | {"outcome": "done"})


def test_records_survive_the_round_trip_through_bytes(whole: Json) -> None:
    for record in (whole, rejected(b""), rejected(b"x", Recipe())):
        data = records.to_bytes(record)
        assert records.from_bytes(data) == record
        assert list(records.from_bytes(data)) == list(record), "in the same order"
        assert records.to_bytes(records.from_bytes(data)) == data
        assert data.endswith(b"}\n")


def test_the_model_holds_every_field_of_a_record(whole: Json) -> None:
    """Every field, in order: reading into sections and writing gives the same record."""
    rejection = rejected(b"no image")
    for model, record in ((Done, whole), (Rejected, rejection)):
        again = model.of(record).to_json()
        assert records.to_bytes(again) == records.to_bytes(record)


def test_the_model_rejects_unknown_fields() -> None:
    values = {"beta": 2.0, "error": 0.1, "low": 0.1, "high": 0.4, "bins": 9}
    assert Slope.of(values).to_json() == values
    with pytest.raises(TypeError, match="Slope has no gamma"):
        Slope.of({**values, "gamma": 1})
    with pytest.raises(TypeError, match="bins"):
        Slope.of({key: value for key, value in values.items() if key != "bins"})


def test_sections_are_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Sharpness(laplacian_variance=0.1, gradient_energy=0.2).gradient_energy = 1.0  # type: ignore[misc]  # that it is refused is the point


def test_names_in_any_script_stay_readable_in_the_file() -> None:
    source = fft_tool.Source("Gräser/草.png", b"")
    record = recording.rejected(source, None, UnknownFormat("not an image"))
    data = records.to_bytes(record)
    assert "Gräser/草.png".encode() in data
    assert records.from_bytes(data) == record


def test_a_name_that_is_not_utf8_can_be_written_and_read_back() -> None:
    # What Python makes of a file called b"caf\xe9.png", which is legal on Linux.
    source = fft_tool.Source("caf\udce9.png", b"")
    record = recording.rejected(source, None, UnknownFormat("not an image"))
    assert records.from_bytes(records.to_bytes(record)) == record


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_nan_is_never_written(whole: Json, value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        records.to_bytes(whole | {"certificate": {"psnr_db": value}})


@pytest.mark.parametrize("kind", KINDS_OF_IMAGES)
def test_records_hold_only_finite_numbers(kind: str) -> None:
    def refuse(text: str) -> None:
        raise AssertionError(text)

    pixels = KINDS_OF_IMAGES[kind]
    json.loads(records.to_bytes(made(pixels, "bits=16 detrend=mean")), parse_constant=refuse)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"schema": "other/1"}',
        b"\xff\xfe",
        b"\x89PNG",
    ],
)
def test_other_files_are_rejected_with_a_clear_message(data: bytes) -> None:
    with pytest.raises(BadArtifact, match="not a record"):
        records.from_bytes(data)


def test_the_artifacts_listed_are_those_written_with_their_hashes(whole: Json) -> None:
    kinds = [artifact["artifact"] for artifact in whole["artifacts"]]
    assert kinds == ["crop", "spectrum", "phase", "magnitude"]
    assert all(artifact["name"].startswith("folder/image_") for artifact in whole["artifacts"])
    source = fft_tool.Source("a.png", encode(noise((8, 8))))
    outputs = fft_tool.run(source, Recipe(metadata=True))
    assert outputs.record is not None
    listed = {entry["name"]: entry for entry in outputs.record["artifacts"]}
    written = [artifact for artifact in outputs if artifact.kind != "metadata"]
    assert list(listed) == [artifact.name for artifact in written]
    for artifact in written:
        assert listed[artifact.name]["sha256"] == artifact.sha256
        assert listed[artifact.name]["bytes"] == len(artifact.data)
        assert listed[artifact.name]["content_type"] == artifact.content_type


def test_each_call_returns_a_fresh_schema() -> None:
    records.schema().clear()
    assert records.schema() == SCHEMA
