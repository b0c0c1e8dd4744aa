"""Generate schemas and pages of the record and the manifest: ``python docs/record_page.py``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

from fft_tool.operations.naming import COMBINED, INDEPENDENT
from fft_tool.results import record
from fft_tool.results.formats import FORMATS
from fft_tool.results.record_model import Artifact, Done, Opening, Rejected, Ways
from fft_tool.results.registry import ARTIFACT_KINDS, RECORD
from fft_tool.results.sections import SCHEMA_NAME, Section, key_of, section_in
from fft_tool.validate import Json
from fft_tool.workflows import manifest_model

Field = dataclasses.Field[Any]


class Document(NamedTuple):
    """A kind of JSON file: its model, and where its schema and its page are."""

    name: str
    title: str
    about: str
    head: str
    opening: type[Section]
    done: type[Section]
    rejected: type[Section]
    files: str  # the field that lists files
    schema: Path
    page: Path


RECORD_FILE = Document(
    SCHEMA_NAME,
    "Record of an analysis by fft-tool",
    "Everything needed to reproduce, trust and invert the artifacts of one source. Frequencies are "
    "in cycles per pixel, periods in pixels, angles in degrees counter-clockwise from the x axis "
    "with y up; other units are part of the names (_um: micrometres, _db: decibels). There are no "
    "NaN or infinite values: missing values are null.",
    f"""# The record, field by field

`fft-tool analyze --metadata` writes one `NAME_metadata.json` along with the pictures of each image:
everything needed to reproduce, trust and invert them. Records satisfy the JSON Schema
[`{SCHEMA_NAME}`](../fft_tool/results/record.schema.json). The schema and this page are generated
from the model in [`record_model.py`](../fft_tool/results/record_model.py) by
`python docs/record_page.py`. The version in the schema's name changes when a field is removed or
its meaning changes. Records hold neither times nor host names: the same image and recipe give the
[same bytes](decisions/2026-11-20-same-bytes.md).
""",
    Opening,
    Done,
    Rejected,
    "artifacts",
    Path(record.__file__).with_name("record.schema.json"),
    Path(__file__).with_name("record.md"),
)
MANIFEST_FILE = Document(
    manifest_model.SCHEMA_NAME,
    "Manifest of a workflow by fft-tool",
    "Every file that a workflow has made of one source, and the numbers of the image before and "
    "after. There are no NaN or infinite values: missing values are null.",
    f"""# The manifest, field by field

A [workflow](workflow.md) writes one `manifest.json` into the folder of each image, after all other
files. Manifests satisfy the JSON Schema
[`{manifest_model.SCHEMA_NAME}`](../fft_tool/workflows/manifest.schema.json). The schema and this
page are generated from the model in
[`manifest_model.py`](../fft_tool/workflows/manifest_model.py) by `python docs/record_page.py`. The
version in the schema's name changes when a field is removed or its meaning changes.
""",
    manifest_model.Opening,
    manifest_model.Done,
    manifest_model.Rejected,
    "files",
    Path(manifest_model.__file__).with_name("manifest.schema.json"),
    Path(__file__).with_name("manifest.md"),
)
DOCUMENTS = {"record": RECORD_FILE, "manifest": MANIFEST_FILE}

TABLE = """
Names of nested fields are joined by dots; `[]` stands for each entry of a list.

| field | type | unit | meaning |
| --- | --- | --- | --- |
"""
TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
WORDS = {"string": "text", "integer": "whole number", "array": "list"}


def schema(document: Document = RECORD_FILE) -> Json:
    """Generate the JSON Schema (draft 2020-12) of a model."""
    models = (document.opening, document.done, document.rejected)
    shared, done, rejected = (_properties(each) for each in models)
    properties = rejected | done | shared
    listing = document.files
    files = properties.pop(listing)
    # What may be null in general, but not in the end.
    narrower = {
        name: {**_without(form, "$ref"), "type": "object"}
        for name, form in done.items()
        if name in shared and form != shared[name]
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": document.name,
        "title": document.title,
        "description": document.about,
        "type": "object",
        "properties": properties | {listing: _without(files, "minItems")},
        "required": [*shared, listing],
        "additionalProperties": False,
        "if": {"properties": {"outcome": {"const": "rejected"}}, "required": ["outcome"]},
        "then": {
            "required": [name for name in rejected if name not in {*shared, listing}],
            "propertyNames": {"enum": list(rejected)},
            "properties": {listing: _without(rejected[listing], "type", "items")},
        },
        "else": {
            "required": [name for name in done if name not in {*shared, listing}],
            "propertyNames": {"enum": list(done)},
            "properties": {**narrower, listing: _without(done[listing], "type", "items")},
        },
        "$defs": {
            _name(each): _definition(each) for each in _sections(document.rejected, document.done)
        },
    }


def schema_text(document: Document = RECORD_FILE) -> str:
    """Return the content of the schema's file."""
    return json.dumps(schema(document), indent=2, ensure_ascii=False) + "\n"


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
    if section is manifest_model.File and each.name == "role":
        constraints["enum"] = _roles()
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


def _roles() -> list[str]:
    """What the files of a workflow may be, from the registry of artifacts."""
    analyses = [f"{image}_{kind}" for image in ("original", COMBINED) for kind in ARTIFACT_KINDS]
    return [INDEPENDENT, COMBINED, *analyses]


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


def page(document: Document = RECORD_FILE) -> str:
    """Generate the text of a page."""
    known = {each.name for each in dataclasses.fields(document.opening)}
    rows = [
        *_rows(document.opening),
        *_rows(document.rejected, known | {document.files}),
        *_rows(document.done, known),
    ]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return document.head + TABLE + table


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
    for document in DOCUMENTS.values():
        document.schema.write_text(schema_text(document), encoding="utf-8")
        document.page.write_text(page(document), encoding="utf-8")
