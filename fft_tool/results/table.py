"""Records as one flat table, for spreadsheets (CSV) and data frames (Parquet).

A record has one row; :data:`COLUMNS` says what each column holds, in an order that stays: new
columns are only ever added at the end. What a record does not have (a rejected one, a constant
image) is None, an empty cell.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fft_tool.errors import MissingExtra
from fft_tool.results.record import SCHEMA_NAME

Value = str | int | float | bool | None
Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, the type of its values, what they mean, and where the record has them.

    ``path`` names keys, and places in lists, from the record inwards.
    """

    name: str
    type: type[str | int | float | bool]
    description: str
    path: str


def _peak_columns(place: int) -> tuple[Column, ...]:
    wave, path = f"wave {place + 1}, by strength", f"measures.peaks.{place}"
    name = f"peak{place + 1}"
    return (
        Column(f"{name}_period_px", float, f"Period of {wave}, in pixels", f"{path}.period"),
        Column(
            f"{name}_angle_deg",
            float,
            f"Angle of {wave}, in degrees counter-clockwise from the x axis, from 0 to below 180",
            f"{path}.angle",
        ),
        Column(
            f"{name}_prominence_db",
            float,
            f"Power of {wave}, over the background at its frequency, in dB",
            f"{path}.prominence_db",
        ),
        Column(
            f"{name}_period_um",
            float,
            f"Period of {wave}, in micrometres, where the pixel size is known",
            f"{path}.period_um",
        ),
    )


COLUMNS: tuple[Column, ...] = (
    Column("outcome", str, "done or rejected", "outcome"),
    Column("name", str, "Name of the source below the place where sources are kept", "source.name"),
    Column("sha256", str, "SHA-256 of the source's bytes, in hexadecimal", "source.sha256"),
    Column("bytes", int, "Size of the source in bytes", "source.bytes"),
    Column("error_code", str, "Why the source was rejected, for machines", "error.code"),
    Column("error_message", str, "Why the source was rejected, in words", "error.message"),
    Column("format", str, "Format of the source: png, tiff, jpeg, webp or bmp", "image.format"),
    Column("width", int, "Width of the upright source in pixels", "image.width"),
    Column("height", int, "Height of the upright source in pixels", "image.height"),
    Column("channels", str, "Names of the source's channels, joined by +", "image.channels"),
    Column("depth", int, "Bits of a sample as stored", "image.depth"),
    Column(
        "pixel_width_um",
        float,
        "Width of a pixel in micrometres, from the recipe or else the source",
        "measures.pixel_size_um.0",
    ),
    Column("pixel_height_um", float, "Height of a pixel, likewise", "measures.pixel_size_um.1"),
    Column("region_x", int, "First column of the region that was analysed", "region.x"),
    Column("region_y", int, "First row of the region that was analysed", "region.y"),
    Column("region_width", int, "Width of the region in pixels", "region.width"),
    Column("region_height", int, "Height of the region in pixels", "region.height"),
    Column("region_method", str, "whole, given or spectral residual", "region.method"),
    Column("recipe", str, "What the recipe changes from the defaults", "recipe.text"),
    Column("mean", float, "Mean of the grey values", "statistics.grey.mean"),
    Column(
        "standard_deviation",
        float,
        "Population standard deviation of the grey values",
        "statistics.grey.standard_deviation",
    ),
    Column("minimum", int, "Smallest grey value", "statistics.grey.minimum"),
    Column("maximum", int, "Largest grey value", "statistics.grey.maximum"),
    Column("median", float, "Median of the grey values", "statistics.grey.median"),
    Column("white", int, "Grey value of white", "statistics.grey.white"),
    Column(
        "entropy_bits",
        float,
        "Shannon entropy of the grey values, in bits per pixel",
        "statistics.grey.entropy_bits",
    ),
    Column(
        "clipped_black",
        float,
        "Share of the pixels that are 0, from 0 to 1",
        "statistics.grey.clipped_share.black",
    ),
    Column(
        "clipped_white",
        float,
        "Share of the pixels that are white, from 0 to 1",
        "statistics.grey.clipped_share.white",
    ),
    Column(
        "threshold",
        int,
        "Largest grey value that counts as black",
        "statistics.grey.threshold.value",
    ),
    Column(
        "black_pixels",
        int,
        "Pixels up to the threshold",
        "statistics.grey.threshold.black_pixels",
    ),
    Column(
        "white_pixels",
        int,
        "Pixels above the threshold",
        "statistics.grey.threshold.white_pixels",
    ),
    Column(
        "laplacian_variance",
        float,
        "Sharpness: variance of the Laplacian, with grey values from 0 to 1",
        "sharpness.laplacian_variance",
    ),
    Column(
        "gradient_energy",
        float,
        "Sharpness: mean square of the Sobel gradient, with grey values from 0 to 1",
        "sharpness.gradient_energy",
    ),
    Column(
        "slope_beta",
        float,
        "Exponent with which the mean power falls with frequency, 1/f^beta",
        "measures.slope.beta",
    ),
    Column("slope_error", float, "Standard error of slope_beta", "measures.slope.error"),
    Column(
        "high_frequency_fraction",
        float,
        "Share of the power beside DC above 0.25 cycles per pixel, from 0 to 1",
        "measures.high_frequency_fraction",
    ),
    Column(
        "anisotropy",
        float,
        "How much the waves agree in direction, from 0, not at all, to 1",
        "measures.orientation.anisotropy",
    ),
    Column(
        "dominant_angle_deg",
        float,
        "Angle that the waves prefer, in degrees counter-clockwise from the x axis",
        "measures.orientation.angle",
    ),
    *_peak_columns(0),
    *_peak_columns(1),
    *_peak_columns(2),
    Column(
        "exact",
        bool,
        "Whether the artifacts give every grey value back; empty where they give none",
        "certificate.exact",
    ),
    Column(
        "max_abs_error",
        int,
        "Largest error of the grey values given back, in grey levels",
        "certificate.max_abs_error",
    ),
    Column(
        "psnr_db",
        float,
        "Peak signal-to-noise ratio of what is given back, before rounding, in dB; empty where "
        "there is no error",
        "certificate.psnr_db",
    ),
    Column(
        "parseval_ratio",
        float,
        "Energy of the spectrum in the artifacts over that of the image, 1 if nothing is lost",
        "certificate.parseval_ratio",
    ),
)

_LARGEST = 1 << 63  # what Parquet's integers hold

# White space, and characters that nobody sees: spreadsheets may drop them from the beginning of a
# cell, and then see what comes after.
_UNSEEN = (
    "[\\s\\x00-\\x20\\x7f-\\xa0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f"
    "\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# What spreadsheets take for a formula: such a character, also in its wide form, at the beginning
# of a cell, or of what a list separator or line break in the name makes the next one.
_FORMULA = re.compile(f"(^|[;\t\r\n])(?={_UNSEEN}*[=+\\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])")
_SURROGATE = re.compile("[\ud800-\udfff]")


def rows(records: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Flatten records, one row each: a value or None for every column, in their order.

    A value of another type than its column's counts as missing, so that a damaged record spoils
    one cell and not the table.
    """
    return [{column.name: _value(record, column) for column in COLUMNS} for record in records]


def to_csv(rows: Iterable[Row]) -> bytes:
    """Write rows as CSV (RFC 4180): UTF-8, a header line, CRLF, None as an empty cell.

    Numbers are written so that they read back to the same value, truth values as ``true`` and
    ``false``. Text that a spreadsheet would run as a formula (``=``, ``+``, ``-``, ``@``, tab or
    line break at the beginning, or after ``;``, tab or line break, also behind white space and
    characters that cannot be seen) gets an apostrophe in front,
    as OWASP recommends, because names of files may come from strangers. Parquet has them as they
    are, and ``sha256`` tells the sources apart in both.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(column.name for column in COLUMNS)
    writer.writerows([_cell(row[column.name]) for column in COLUMNS] for row in rows)
    return file.getvalue().encode()


def to_parquet(rows: Iterable[Row]) -> bytes:
    """Write rows as Parquet, with types, descriptions of the columns and the records' schema name.

    Needs pyarrow, which is not installed by default; ``MissingExtra`` says how to get it.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415  (optional, and its import costs 100 ms)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as exc:
        raise MissingExtra(
            "Parquet needs pyarrow: pip install 'fft-pipeline[parquet]', or write CSV"
        ) from exc
    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    fields = [
        pa.field(c.name, types[c.type], metadata={"description": c.description}) for c in COLUMNS
    ]
    schema = pa.schema(fields, metadata={"record_schema": SCHEMA_NAME})
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(list(rows), schema=schema), sink)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _value(record: Mapping[str, Any], column: Column) -> Value:
    found: Any = record
    for key in column.path.split("."):
        if isinstance(found, Mapping):
            found = found.get(key)
        elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return _fitting(found, column.type)


def _fitting(value: Any, kind: type) -> Value:
    """Give the value if it is of a kind, or may stand for one of that kind."""
    if kind is str:
        text = "+".join(map(str, value)) if isinstance(value, list) else value
        return _SURROGATE.sub("\ufffd", text) if isinstance(text, str) else None
    if isinstance(value, bool) or kind is bool:
        return value if isinstance(value, bool) and kind is bool else None
    if kind is int:
        return value if isinstance(value, int) and -_LARGEST <= value < _LARGEST else None
    return float(value) if isinstance(value, int | float) and abs(value) < float("inf") else None


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _FORMULA.sub(r"\1'", value)
    return str(value).lower() if isinstance(value, bool) else repr(value)
