"""Write docs/record.md from the record's JSON Schema: ``python docs/record_page.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fft_tool.results.record import SCHEMA_NAME, schema

Json = dict[str, Any]

PAGE = Path(__file__).with_name("record.md")
HEAD = f"""# The record, field by field

`fft-tool analyze --metadata` writes one `NAME_metadata.json` beside the pictures of each image:
everything needed to reproduce, trust and invert them. Records satisfy the JSON Schema
[`{SCHEMA_NAME}`](../fft_tool/results/record.schema.json), of which this page is made
(`python docs/record_page.py`). The version in its name changes when a field changes its meaning
or vanishes. No record holds a time or a host: the same image and recipe give the
[same bytes](decisions/2026-11-20-same-bytes.md).

A dot parts a field from what it is part of; `[]` stands for each entry of a list, `*` for any name.

| field | type | meaning |
| --- | --- | --- |
"""


def page() -> str:
    """Give the page's text."""
    document = schema()
    rows = [f"| `{path}` | {kind} | {text} |" for path, kind, text in _fields(document, document)]
    return HEAD + "\n".join(rows) + "\n"


def _fields(node: Json, document: Json, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Every field below a node: its path, its type and its description."""
    node = _resolved(node, document)
    children = {f".{name}": child for name, child in node.get("properties", {}).items()}
    if isinstance(node.get("additionalProperties"), dict):
        children[".*"] = node["additionalProperties"]
    if isinstance(node.get("items"), dict):
        children["[]"] = node["items"]
    for name, child in children.items():
        place = (path + name).lstrip(".")
        text = child.get("description") or _resolved(child, document).get("description", "")
        if text:  # plain entries of a list have none: the list has said it
            yield place, _type(child, document), text.replace("|", "\\|")
        yield from _fields(child, document, place)


def _resolved(node: Json, document: Json) -> Json:
    """Follow references, and of alternatives the one that is not null."""
    while True:
        if "$ref" in node:
            node = document["$defs"][node["$ref"].rpartition("/")[2]]
        elif "oneOf" in node:
            node = next(option for option in node["oneOf"] if option.get("type") != "null")
        else:
            return node


def _type(node: Json, document: Json) -> str:
    nullable = any(option.get("type") == "null" for option in node.get("oneOf", []))
    found = _resolved(node, document)
    kind = found.get("type", "text" if "enum" in found or "const" in found else "any")
    names = {"string": "text", "array": "list", "integer": "whole number"}
    kinds = [kind] if isinstance(kind, str) else kind
    words = [names.get(name, name) for name in kinds]
    return " or ".join([*words, "null"] if nullable and "null" not in words else words)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
