"""Records as one flat table, for spreadsheets (CSV) and data frames (Parquet).

Each record is one row. :data:`COLUMNS` describes the columns, whose order is stable: new columns
are only added at the end. Values that a record lacks (if rejected, or of a constant image) are
None, an empty cell.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, get_args

from fft_tool.errors import MissingExtra
from fft_tool.results.record_model import Done, Rejected
from fft_tool.results.sections import SCHEMA_NAME, key_of, section_in

Value = str | int | float | bool | None
Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, the path to its values in the record, and their meaning.

    ``path`` is a sequence of keys and list indices, joined by dots. ``type``, ``description`` and
    ``unit`` are taken from the record's model.
    """

    name: str
    path: str
    type: type[str | int | float | bool]
    description: str
    unit: str


# Path to each column's values in the record, in the order of the columns.
_PATHS = {
    "outcome": "outcome",
    "name": "source.name",
    "sha256": "source.sha256",
    "bytes": "source.bytes",
    "error_code": "error.code",
    "error_message": "error.message",
    "format": "image.format",
    "width": "image.width",
    "height": "image.height",
    "channels": "image.channels",
    "depth": "image.depth",
    "pixel_width_um": "measures.pixel_size_um.0",
    "pixel_height_um": "measures.pixel_size_um.1",
    "region_x": "region.x",
    "region_y": "region.y",
    "region_width": "region.width",
    "region_height": "region.height",
    "region_method": "region.method",
    "recipe": "recipe.text",
    "mean": "statistics.grey.mean",
    "standard_deviation": "statistics.grey.standard_deviation",
    "minimum": "statistics.grey.minimum",
    "maximum": "statistics.grey.maximum",
    "median": "statistics.grey.median",
    "white": "statistics.grey.white",
    "entropy_bits": "statistics.grey.entropy_bits",
    "clipped_black": "statistics.grey.clipped_share.black",
    "clipped_white": "statistics.grey.clipped_share.white",
    "threshold": "statistics.grey.threshold.value",
    "black_pixels": "statistics.grey.threshold.black_pixels",
    "white_pixels": "statistics.grey.threshold.white_pixels",
    "laplacian_variance": "sharpness.laplacian_variance",
    "gradient_energy": "sharpness.gradient_energy",
    "slope_beta": "measures.slope.beta",
    "slope_error": "measures.slope.error",
    "high_frequency_fraction": "measures.high_frequency_fraction",
    "anisotropy": "measures.orientation.anisotropy",
    "dominant_angle_deg": "measures.orientation.angle",
    **{
        f"peak{place + 1}_{name}": f"measures.peaks.{place}.{key}"
        for place in range(3)
        for name, key in (
            ("period_px", "period"),
            ("angle_deg", "angle"),
            ("prominence_db", "prominence_db"),
            ("period_um", "period_um"),
        )
    },
    "exact": "certificate.exact",
    "max_abs_error": "certificate.max_abs_error",
    "psnr_db": "certificate.psnr_db",
    "parseval_ratio": "certificate.parseval_ratio",
}


def _column(name: str, path: str) -> Column:
    """Make a column, with type, description and unit from the record's model."""
    place: Any = Rejected if path.startswith("error.") else Done
    about, unit, which = "", "", ""
    for key in path.split("."):
        if key.isdigit():
            (place,) = get_args(_without_none(place))
            which = f"{getattr(section_in(place), '__name__', 'Number')} {int(key) + 1}: "
            continue
        inner = section_in(place)
        if inner is None:
            raise LookupError(f"the record has no {path}")
        each = next(each for each in fields(inner) if key_of(each) == key)
        place = each.type
        about, unit = each.metadata["description"], each.metadata["unit"]
    value_type = _without_none(place)
    if not isinstance(value_type, type):
        value_type = str
    return Column(name, path, value_type, which + about, unit)


def _without_none(annotation: Any) -> Any:
    options = [each for each in get_args(annotation) if each is not type(None)]
    return options[0] if type(None) in get_args(annotation) else annotation


COLUMNS: tuple[Column, ...] = tuple(_column(name, path) for name, path in _PATHS.items())

_LARGEST = 1 << 63  # bound of Parquet's integers

# White space and invisible characters: spreadsheets may strip them from the beginning of a cell,
# which exposes the characters that follow.
_UNSEEN = (
    "[\\s\\x00-\\x20\\x7f-\\xa0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f"
    "\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Spreadsheets treat a cell as a formula if it begins with one of these characters or its full-width
# form. A list separator or line break within a name may start another cell.
_FORMULA = re.compile(f"(^|[;\t\r\n])(?={_UNSEEN}*[=+\\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])")
_SURROGATE = re.compile("[\ud800-\udfff]")


def rows(records: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Flatten records to rows: a value or None for each column, in the order of the columns.

    A value that does not match its column's type counts as missing, so that a damaged record
    affects single cells and not the table.
    """
    return [{column.name: _value(record, column) for column in COLUMNS} for record in records]


def to_csv(rows: Iterable[Row]) -> bytes:
    """Write rows as CSV (RFC 4180): UTF-8, a header line, CRLF, None as an empty cell.

    Numbers are written with full precision; booleans as ``true`` and ``false``. File names are
    untrusted, so text that a spreadsheet would evaluate as a formula is prefixed with an
    apostrophe, as OWASP recommends. This applies to ``=``, ``+``, ``-``, ``@``, tab or line break
    at the beginning or after ``;``, tab or line break, even if preceded by white space or invisible
    characters. Parquet holds the names unchanged; ``sha256`` identifies the source in both.
    """
    names = [column.name for column in COLUMNS]
    return csv_file(names, ([row[name] for name in names] for row in rows))


def csv_file(headings: Sequence[str], rows: Iterable[Sequence[Value]]) -> bytes:
    """Write any table as CSV, in the form and with the precautions of :func:`to_csv`."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(headings)
    writer.writerows(map(_cell, row) for row in rows)
    return file.getvalue().encode()


def to_parquet(rows: Iterable[Row]) -> bytes:
    """Write rows as Parquet, with types, column descriptions and the name of the schema.

    Requires pyarrow, which is not installed by default; ``MissingExtra`` says how to install it.
    """
    return parquet_file(COLUMNS, rows, {"record_schema": SCHEMA_NAME})


def to_parquet_in_groups(groups: Iterable[Sequence[Row]]) -> bytes:
    """Write rows as :func:`to_parquet` does, a row group at a time, which bounds the memory."""
    return _parquet(COLUMNS, groups, {"record_schema": SCHEMA_NAME})


def parquet_file(
    columns: Sequence[Column], rows: Iterable[Row], metadata: Mapping[str, str]
) -> bytes:
    """Write any table as Parquet, with types, column descriptions and ``metadata`` of its own."""
    return _parquet(columns, [list(rows)], metadata)


def _parquet(
    columns: Sequence[Column], groups: Iterable[Sequence[Row]], metadata: Mapping[str, str]
) -> bytes:
    try:
        import pyarrow as pa  # noqa: PLC0415  (optional, and takes 100 ms)
        from pyarrow import parquet  # noqa: PLC0415  (as above)
    except ImportError as exc:
        raise MissingExtra(
            "Parquet needs pyarrow: pip install 'fft-pipeline[parquet]', or write CSV"
        ) from exc
    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    described = [
        pa.field(c.name, types[c.type], metadata={"description": c.description, "unit": c.unit})
        for c in columns
    ]
    schema = pa.schema(described, metadata=dict(metadata))
    sink = pa.BufferOutputStream()
    with parquet.ParquetWriter(sink, schema) as writer:
        for group in groups:
            writer.write_table(pa.Table.from_pylist(list(group), schema=schema))
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


def _fitting(value: Any, wanted: type) -> Value:
    """Return the value if it has, or can be converted to, the wanted type; otherwise None."""
    if wanted is str:
        text = "+".join(map(str, value)) if isinstance(value, list) else value
        return _SURROGATE.sub("\ufffd", text) if isinstance(text, str) else None
    if isinstance(value, bool) or wanted is bool:
        return value if isinstance(value, bool) and wanted is bool else None
    if wanted is int:
        return value if isinstance(value, int) and -_LARGEST <= value < _LARGEST else None
    return float(value) if isinstance(value, int | float) and abs(value) < float("inf") else None


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _FORMULA.sub(r"\1'", value)
    return str(value).lower() if isinstance(value, bool) else repr(value)
