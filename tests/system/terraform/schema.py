"""Validation of blocks against the provider's schema: known and required arguments.

``schema.json`` is an extract of the schema of hashicorp/aws for the types in use: by kind and type,
each argument with ``required`` if it is required, and ``block`` if it is a nested block.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.system.terraform.files import Block

SCHEMA = json.loads((Path(__file__).parent / "schema.json").read_text("utf-8"))
TERRAFORMS_OWN = {"count", "for_each", "depends_on", "lifecycle", "provider", "provisioner"}

Json = Mapping[str, Any]


def faults(block: Block) -> Iterator[str]:
    """Faults of a block of the provider."""
    known = SCHEMA[block.kind].get(block.labels[0])
    if known is None:
        yield f"{block.address}: {block.labels[0]} is not in schema.json"
        return
    body = {name: value for name, value in block.body.items() if name not in TERRAFORMS_OWN}
    yield from _faults(block.address, body, known)


def _faults(place: str, body: Json, known: Json) -> Iterator[str]:
    arguments = dict(_arguments(body))
    for name, values in arguments.items():
        if name not in known:
            yield f"{place}: there is no {name}"
        elif "block" in known[name]:
            for value in values:
                if isinstance(value, dict):
                    yield from _faults(f"{place}.{name}", value, known[name]["block"])
    for name, argument in known.items():
        if argument.get("required") and name not in arguments:
            yield f"{place}: {name} is missing"


def _arguments(body: Json) -> Iterator[tuple[str, Sequence[Any]]]:
    """Arguments and blocks by name; a dynamic block counts as the block that it generates."""
    for name, value in body.items():
        if name != "dynamic":
            yield name, value if isinstance(value, list) else [value]
            continue
        for dynamic in value:
            ((made, how),) = dynamic.items()
            yield made, [*how["content"], *body.get(made, ())]
