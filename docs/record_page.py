"""Generate the record's JSON Schema and docs/record.md: ``python docs/record_page.py``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, get_args

from fft_tool.results import record
from fft_tool.results.formats import FORMATS
from fft_tool.results.record_model import Artifact, Done, Opening, Rejected, Ways
from fft_tool.results.registry import ARTIFACT_KINDS, RECORD
from fft_tool.results.sections import SCHEMA_NAME, Section, key_of, section_in
from fft_tool.validate import Json

PAGE = Path(__file__).with_name("record.md")
SCHEMA = Path(record.__file__).with_name("record.schema.json")

HEAD = f"""# The record, field by field

`fft-tool analyze --metadata` writes one `NAME_metadata.json` along with the pictures of each image:
everything needed to reproduce, trust and invert them. Records satisfy the JSON Schema
[`{SCHEMA_NAME}`](../fft_tool/results/record.schema.json). The schema and this page are generated
from the model in [`record_model.py`](../fft_tool/results/record_model.py) by
`python docs/record_page.py`. The version in the schema's name changes when a field is removed or
its meaning changes. Records hold neither times nor host names: the same image and recipe give the
[same bytes](decisions/2026-11-20-same-bytes.md).

Names of nested fields are joined by dots; `[]` stands for each entry of a list.

| field | type | unit | meaning |
| --- | --- | --- | --- |
"""
ABOUT = (
    "Everything needed to reproduce, trust and invert the artifacts of one source. Frequencies are "
    "in cycles per pixel, periods in pixels, angles in degrees counter-clockwise from the x axis "
    "with y up; other units are part of the names (_um: micrometres, _db: decibels). There are no "
    "NaN or infinite values: missing values are null."
)
TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
WORDS = {"string": "text", "integer": "whole number", "array": "list"}
Field = dataclasses.Field[Any]


def schema() -> Json:
    """Generate the JSON Schema (draft 2020-12) of the model."""
    shared, done, rejected = (_properties(each) for each in (Opening, Done, Rejected))
    properties = rejected | done | shared
    files = properties.pop("artifacts")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_NAME,
        "title": "Record of an analysis by fft-tool",
        "description": ABOUT,
        "type": "object",
        "properties": properties | {"artifacts": _without(files, "minItems")},
        "required": [*shared, "artifacts"],
        "additionalProperties": False,
        "if": {"properties": {"outcome": {"const": "rejected"}}, "required": ["outcome"]},
        "then": {
            "required": [name for name in rejected if name not in {*shared, "artifacts"}],
            "propertyNames": {"enum": list(rejected)},
            "properties": {"artifacts": _without(rejected["artifacts"], "type", "items")},
        },
        "else": {
            "required": [name for name in done if name not in {*shared, "artifacts"}],
            "propertyNames": {"enum": list(done)},
            "properties": {
                "recipe": {**_without(done["recipe"], "$ref"), "type": "object"},
                "artifacts": _without(done["artifacts"], "type", "items"),
            },
        },
        "$defs": {_name(each): _definition(each) for each in _sections(Rejected, Done)},
    }


def schema_text() -> str:
    """Return the content of the schema's file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _without(form: Json, *keywords: str) -> Json:
    """Drop keywords: constraints on all records are not repeated for single outcomes."""
    return {key: value for key, value in form.items() if key not in keywords}


def _sections(*outermost: type[Section]) -> list[type[Section]]:
    """Nested sections, each once, in the order of the fields."""
    found: dict[type[Section], None] = {}
    for outer in outermost:
        for each in dataclasses.fields(outer):
            inner = section_in(each.type)
            if inner is not None:
                found |= dict.fromkeys([inner, *_sections(inner)])
    return list(found)


def _name(section: type[Section]) -> str:
    """Name of a section's definition: RecipeValues is recipe_values."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in section.__name__).lstrip("_")


def _definition(section: type[Section]) -> Json:
    fields = dataclasses.fields(section)
    groups: dict[str, list[str]] = {}
    for each in fields:
        groups.setdefault(each.metadata["together"], []).append(key_of(each))
    groups.pop("", None)
    dependent = {
        key: others
        for keys in groups.values()
        for key in keys
        if (others := [other for other in keys if other != key])
    }
    return {
        "type": "object",
        "properties": _properties(section),
        "required": [key_of(each) for each in fields if not each.metadata["optional"]],
        "additionalProperties": False,
        **({"dependentRequired": dependent} if dependent else {}),
        **({"minProperties": 1} if section is Ways else {}),
    }


def _properties(section: type[Section]) -> Json:
    return {key_of(each): _property(section, each) for each in dataclasses.fields(section)}


def _property(section: type[Section], each: Field) -> Json:
    constraints = dict(each.metadata["constraints"])
    if section is Artifact and each.name in ("artifact", "content_type"):
        constraints["enum"] = _of_artifacts(each.name)
    form = {} if constraints.keys() & {"enum", "const"} else _form(each)
    if "items" in constraints:
        form["items"] = form["items"] | constraints.pop("items")
    return {"description": each.metadata["description"], **form, **constraints}


def _of_artifacts(field: str) -> list[str]:
    """Kinds of artifacts that a record can list, or their media types, from the registry."""
    kinds = [kind for kind in ARTIFACT_KINDS.values() if kind.name != RECORD]
    if field == "artifact":
        return [kind.name for kind in kinds]
    return list(dict.fromkeys(FORMATS[kind.extension].content_type for kind in kinds))


def _form(each: Field) -> Json:
    """Translate a field's annotation to JSON Schema."""
    options = get_args(each.type) if type(None) in get_args(each.type) else (each.type,)
    nullable = len(options) > 1 and not each.metadata["optional"]
    form = _plain_form(options[0])
    if not nullable:
        return form
    if "$ref" in form:
        return {"oneOf": [{"type": "null"}, form]}
    return {**form, "type": [form["type"], "null"]}


def _plain_form(annotation: Any) -> Json:
    if annotation in TYPES:
        return {"type": TYPES[annotation]}
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return {"$ref": f"#/$defs/{_name(annotation)}"}
    return {"type": "array", "items": _plain_form(get_args(annotation)[0])}


def page() -> str:
    """Generate the text of the page."""
    known = {each.name for each in dataclasses.fields(Opening)}
    rows = [*_rows(Opening), *_rows(Rejected, known | {"artifacts"}), *_rows(Done, known)]
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _rows(
    section: type[Section], known: Collection[str] = (), path: str = ""
) -> Iterator[tuple[str, str, str, str]]:
    """Path, type, unit and description of every field of a section and of nested sections."""
    for each in dataclasses.fields(section):
        if each.name in known:
            continue
        form = _property(section, each)
        place = f"{path}{key_of(each)}"
        text = form["description"].replace("|", "\\|")
        yield f"`{place}`", _words(form), each.metadata["unit"], text
        inner = section_in(each.type)
        if inner is not None:
            inside = f"{place}[]." if form.get("type") == "array" else f"{place}."
            yield from _rows(inner, path=inside)


def _words(form: Json) -> str:
    """Describe the type of a field in words."""
    if "oneOf" in form:
        return "object or null"
    if "$ref" in form:
        return "object"
    if "enum" in form or "const" in form:
        value = form["const"] if "const" in form else form["enum"][0]
        json_type = TYPES.get(type(value), "array")
        return WORDS.get(json_type, json_type)
    json_types = form["type"] if isinstance(form["type"], list) else [form["type"]]
    return " or ".join(WORDS.get(each, str(each)) for each in json_types)


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
