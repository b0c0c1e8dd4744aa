from __future__ import annotations

import builtins
import csv
import io
import json
import math
import sys
import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import fft_tool
from fft_tool.codec.png_encode import encode
from fft_tool.errors import FftToolError, MissingExtra
from fft_tool.recipe import Recipe
from fft_tool.results import record as records
from fft_tool.results import recording
from fft_tool.results.sections import SCHEMA_NAME
from fft_tool.results.table import COLUMNS, Row, rows, to_csv, to_parquet
from tests.support.images import noise

NAMES = [column.name for column in COLUMNS]

# The order is part of the interface: scripts may count columns. New ones are added at the end.
FIRST_ORDER = (
    "outcome name sha256 bytes error_code error_message format width height channels depth "
    "pixel_width_um pixel_height_um region_x region_y region_width region_height region_method "
    "recipe mean standard_deviation minimum maximum median white entropy_bits clipped_black "
    "clipped_white threshold black_pixels white_pixels laplacian_variance gradient_energy "
    "slope_beta slope_error high_frequency_fraction anisotropy dominant_angle_deg "
    "peak1_period_px peak1_angle_deg peak1_prominence_db peak1_period_um "
    "peak2_period_px peak2_angle_deg peak2_prominence_db peak2_period_um "
    "peak3_period_px peak3_angle_deg peak3_prominence_db peak3_period_um "
    "exact max_abs_error psnr_db parseval_ratio"
)


def analysed(name: str, pixels: Any, recipe: str = "bits=16") -> dict[str, Any]:
    """The record of an image, as read from its file."""
    source = fft_tool.Source(name, encode(pixels))
    outputs = fft_tool.run(source, Recipe.parse_text(f"{recipe} metadata=yes"))
    return records.from_bytes(outputs["metadata"].data)


def rejected(name: str, data: bytes) -> dict[str, Any]:
    source, recipe = fft_tool.Source(name, data), Recipe()
    with pytest.raises(FftToolError) as caught:
        fft_tool.run(source, recipe)
    return recording.rejected(source, recipe, caught.value)


def waves(*vectors: tuple[float, float]) -> Any:
    """Cosines with given numbers of periods along x (right) and y (down), with slight noise."""
    y, x = np.mgrid[:64, :96]
    levels = 128 + np.random.default_rng(0).normal(size=(64, 96))
    for fx, fy in vectors:
        levels += 110 / len(vectors) * np.cos(2 * np.pi * (fx * x / 96 + fy * y / 64))
    return np.rint(levels).astype(np.uint8)


@pytest.fixture(scope="module")
def mixed() -> list[dict[str, Any]]:
    return [
        analysed("waves/grating.png", waves((12, 4)), "bits=16 pixel-size=0.5um"),
        analysed("constant.png", np.full((5, 7), 9, np.uint8)),
        analysed("colour.png", noise((12, 20, 3)), "crop=2,3,16,8 colour=yes"),
        analysed("deep.png", noise((16, 16), np.uint16)),
        rejected("notes.txt", b"no image"),
    ]


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def read_parquet(data: bytes) -> pa.Table:
    # Arrow's reading threads may outlive the interpreter, which then aborts.
    return parquet.ParquetFile(pa.BufferReader(data)).read(use_threads=False)


def test_the_order_of_columns_is_stable() -> None:
    assert f"{' '.join(NAMES)} ".startswith(f"{FIRST_ORDER} ")
    assert len(set(NAMES)) == len(NAMES)


def test_every_column_is_described() -> None:
    for column in COLUMNS:
        assert column.description
        assert column.type in (str, int, float, bool)


def test_every_row_has_every_column_in_order_with_its_type(mixed: list[dict[str, Any]]) -> None:
    for row in rows(mixed):
        assert list(row) == NAMES
        for column in COLUMNS:
            value = row[column.name]
            assert value is None or type(value) is column.type


def test_every_column_has_a_value_in_some_record(mixed: list[dict[str, Any]]) -> None:
    three = analysed("three.png", waves((12, 0), (0, 8), (30, 0)), "bits=16 pixel-size=65nm")
    made = rows([*mixed, three])
    assert not [name for name in NAMES if all(row[name] is None for row in made)]


def test_a_row_holds_the_values_of_its_record(mixed: list[dict[str, Any]]) -> None:
    row, record = rows(mixed)[0], mixed[0]
    assert row["outcome"] == "done"
    assert row["name"] == "waves/grating.png"
    assert row["sha256"] == record["source"]["sha256"]
    assert (row["width"], row["height"], row["channels"], row["depth"]) == (96, 64, "grey", 8)
    assert (row["pixel_width_um"], row["pixel_height_um"]) == (0.5, 0.5)
    assert row["recipe"] == record["recipe"]["text"]
    assert row["mean"] == record["statistics"]["grey"]["mean"]
    assert row["black_pixels"] == record["statistics"]["grey"]["threshold"]["black_pixels"]
    assert row["gradient_energy"] == record["sharpness"]["gradient_energy"]
    assert row["exact"] is True
    assert row["psnr_db"] == record["certificate"]["psnr_db"]
    assert row["error_code"] is None


def test_the_row_of_a_grating_holds_its_wave(mixed: list[dict[str, Any]]) -> None:
    row = rows(mixed)[0]
    length = 1 / math.hypot(1 / 8, 1 / 16)
    assert row["peak1_period_px"] == pytest.approx(length, rel=1e-3)
    assert row["peak1_period_um"] == pytest.approx(length / 2, rel=1e-3)
    # Phase grows to the right and down; y is up: the wave runs down to the right, or up to the left
    assert row["peak1_angle_deg"] == pytest.approx(180 - math.degrees(math.atan(0.5)), abs=0.1)
    assert row["peak2_period_px"] is None


def test_measures_that_a_constant_image_lacks_are_none(mixed: list[dict[str, Any]]) -> None:
    row = rows(mixed)[1]
    for name in ("slope_beta", "anisotropy", "peak1_period_px", "psnr_db"):
        assert row[name] is None
    assert row["exact"] is True
    assert row["standard_deviation"] == 0.0


def test_a_rejected_source_has_its_reason_and_no_measures(mixed: list[dict[str, Any]]) -> None:
    row = rows(mixed)[-1]
    assert row["outcome"] == "rejected"
    assert row["name"] == "notes.txt"
    assert row["error_code"] == "unknown-format"
    assert "not an image" in str(row["error_message"])
    assert row["width"] is None
    assert row["exact"] is None


def test_regions_and_channels_are_in_the_row(mixed: list[dict[str, Any]]) -> None:
    row = rows(mixed)[2]
    assert row["channels"] == "red+green+blue"
    assert [row[f"region_{key}"] for key in ("x", "y", "width", "height")] == [2, 3, 16, 8]
    assert row["exact"] is None, "pictures in colour give nothing back"


@pytest.mark.parametrize(
    "damage",
    [
        {},
        {"source": None, "image": [], "measures": "none"},
        {"source": {"bytes": "12", "name": 3}, "image": {"width": True, "depth": 1e400}},
        {"statistics": {"grey": {"mean": float("nan"), "median": "5", "minimum": 1 << 70}}},
        {"certificate": {"exact": 1, "psnr_db": True}, "measures": {"peaks": [None, 3]}},
    ],
)
def test_a_damaged_record_gives_a_row_of_missing_values(damage: Mapping[str, Any]) -> None:
    made = rows([damage])
    assert set(made[0].values()) == {None}
    assert read_csv(to_csv(made)) == [dict.fromkeys(NAMES, "")]
    assert read_parquet(to_parquet(made)).num_rows == 1


def test_csv_reads_back_to_the_same_values(mixed: list[dict[str, Any]]) -> None:
    made = rows(mixed)
    kinds: dict[type, Any] = {
        int: int,
        float: float,
        str: str,
        bool: {"true": True, "false": False}.get,
    }
    for row, texts in zip(made, read_csv(to_csv(made)), strict=True):
        assert list(texts) == NAMES
        back = {c.name: kinds[c.type](texts[c.name]) if texts[c.name] else None for c in COLUMNS}
        assert back == {name: None if value == "" else value for name, value in row.items()}


def test_csv_is_utf8_with_crlf_and_without_byte_order_mark(mixed: list[dict[str, Any]]) -> None:
    mixed = [analysed("Gräser, 2 µm „fein“.png", waves((12, 4))), *mixed]
    data = to_csv(rows(mixed))
    assert data.startswith(b"outcome,name,")
    assert data.count(b"\r\n") == data.count(b"\n") == len(mixed) + 1
    assert read_csv(data)[0]["name"] == "Gräser, 2 µm „fein“.png"


def named(name: str) -> list[Row]:
    return rows([{"outcome": "done", "source": {"name": name}}])


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=cmd|' /C calc'!A0.png", "'=cmd|' /C calc'!A0.png"),
        ("+1.png", "'+1.png"),
        ("-1.png", "'-1.png"),
        ("@sum(a1).png", "'@sum(a1).png"),
        ("\t=1.png", "'\t'=1.png"),
        ("\r=1.png", "'\r'=1.png"),
        ("＝1.png", "'＝1.png"),  # noqa: RUF001  (the wide form)
        ("a;=1.png", "a;'=1.png"),
        ("a\n=1.png", "a\n'=1.png"),
        ("a=1-2+3@4.png", "a=1-2+3@4.png"),
        ('say "so", twice.png', 'say "so", twice.png'),
        ("folder/-1.png", "folder/-1.png"),
        ("  =1.png", "'  =1.png"),
        ("\u200b=1.png", "'\u200b=1.png"),
        ("\ufeff \u00a0@x.png", "'\ufeff \u00a0@x.png"),
        ("a; \u2060+1.png", "a;' \u2060+1.png"),
        ("\x00-1.png", "'\x00-1.png"),
        ("\u202e=1.png", "'\u202e=1.png"),
        (" a=1.png", " a=1.png"),
    ],
)
def test_names_are_never_evaluated_as_formulas(name: str, cell: str) -> None:
    assert read_csv(to_csv(named(name)))[0]["name"] == cell
    assert read_parquet(to_parquet(named(name))).to_pylist()[0]["name"] == name


@given(st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_no_text_becomes_a_formula_or_leaves_its_cell(name: str) -> None:
    lines = read_csv(to_csv(named(name)))
    assert len(lines) == 1
    cell = lines[0]["name"]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert not any(part.startswith(("=", "+", "-", "@")) for part in cell.split(";"))
    assert cell.replace("'", "") == name.replace("'", "")


def test_invisible_characters_do_not_hide_a_formula() -> None:
    unseen = ("Cc", "Cf", "Zs", "Zl", "Zp")
    hiding = [c for c in map(chr, range(sys.maxunicode)) if unicodedata.category(c) in unseen]
    assert len(hiding) > 200
    shown = read_csv(to_csv([row for c in hiding for row in named(f"{c}=1")]))
    assert not [row["name"] for row in shown if not row["name"].startswith("'")]


def test_negative_numbers_are_not_treated_as_formulas() -> None:
    made = rows([{"measures": {"slope": {"beta": -0.25}}}])
    assert read_csv(to_csv(made))[0]["slope_beta"] == "-0.25"


def test_a_name_that_is_not_utf8_is_still_written() -> None:
    made = named("caf\udce9.png")
    assert read_csv(to_csv(made))[0]["name"] == "caf\ufffd.png"
    assert read_parquet(to_parquet(made)).to_pylist()[0]["name"] == "caf\ufffd.png"


def test_parquet_reads_back_to_the_same_values(mixed: list[dict[str, Any]]) -> None:
    made = rows(mixed)
    assert read_parquet(to_parquet(made)).to_pylist() == made


def test_parquet_has_the_types_of_the_columns_even_without_rows() -> None:
    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    for made in (rows([]), rows([{}])):
        schema = read_parquet(to_parquet(made)).schema
        assert schema.names == NAMES
        assert [field.type for field in schema] == [types[column.type] for column in COLUMNS]
        assert schema.field("mean").metadata[b"description"] == b"Mean, on a scale from 0 to white."
        assert schema.field("mean").metadata[b"unit"] == b"grey levels"
        assert schema.metadata[b"record_schema"] == SCHEMA_NAME.encode()


def test_csv_without_rows_is_the_header() -> None:
    assert to_csv([]).decode().strip().split(",") == NAMES


def test_the_same_rows_give_the_same_bytes(mixed: list[dict[str, Any]]) -> None:
    assert to_csv(rows(mixed)) == to_csv(rows(json.loads(json.dumps(mixed))))
    assert to_parquet(rows(mixed)) == to_parquet(rows(mixed))


def test_without_pyarrow_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_pyarrow(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "pyarrow":
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_pyarrow)
    with pytest.raises(MissingExtra, match=r"pip install 'fft-pipeline\[parquet\]'"):
        to_parquet([])
    assert to_csv([]), "CSV needs no extra"
