"""The final check: compares the contents of the bucket with the expected ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import fft_tool
from fft_tool.errors import FftToolError
from fft_tool.results.formats import FORMATS
from fft_tool.results.naming import EXTENSIONS, RECORD, output_name
from tests.support.cloud import Bucket
from tests.system.chaos.load import INPUT, OUTPUT, Plan, Version

READERS = 4


@dataclass(frozen=True)
class Found:
    """An object as it is in the bucket."""

    data: bytes
    content_type: str


@dataclass(frozen=True)
class Made:
    """The expected result of a version: outputs by kind, or the code of its rejection."""

    outputs: Mapping[str, bytes]
    code: str = ""


@dataclass(frozen=True)
class Wrong:
    """A deviation from the expected result: key and description."""

    key: str
    text: str


def read_all(bucket: Bucket) -> dict[str, Found]:
    """Read all objects but the sources."""

    def read(key: str) -> Found:
        answer: dict[str, Any] = bucket.client.get_object(Bucket=bucket.name, Key=key)
        return Found(answer["Body"].read(), answer["ContentType"])

    pages = bucket.client.get_paginator("list_objects_v2").paginate(Bucket=bucket.name)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    keys = [key for key in keys if not key.startswith(INPUT)]
    with ThreadPoolExecutor(READERS) as readers:
        return dict(zip(keys, readers.map(read, keys), strict=True))


def judge(plans: Mapping[str, Plan], found: Mapping[str, Found]) -> Iterator[Wrong]:
    """Find all wrong outputs, given that every object has its last version."""
    names = {key: _output_keys(key) for key in plans}
    known = {name for kinds in names.values() for name in kinds.values()}
    for key in sorted(found.keys() - known):
        yield Wrong(key, "should not exist: it is not an output of any upload")
    for key, plan in plans.items():
        there = {kind: found[name] for kind, name in names[key].items() if name in found}
        yield from (Wrong(key, text) for text in _judge_object(plan, there))


def make(key: str, version: Version) -> Made:
    """The expected result of the function, computed in this process."""
    source = fft_tool.Source(key.removeprefix(INPUT), version.data)
    try:
        recipe = fft_tool.Recipe.parse(version.recipe, base=fft_tool.Recipe(metadata=True))
        outputs = fft_tool.run(source, recipe)
    except FftToolError as exc:
        return Made({}, exc.code)
    return Made({artifact.kind: artifact.data for artifact in outputs})


def _output_keys(key: str) -> dict[str, str]:
    name = key.removeprefix(INPUT)
    return {kind: OUTPUT + output_name(name, kind) for kind in EXTENSIONS}


def _judge_object(plan: Plan, there: Mapping[str, Found]) -> Iterator[str]:
    latest = plan.versions[-1]
    made = make(plan.key, latest)
    if made.code:
        yield from _judge_rejection(latest, made.code, there.get(RECORD))
    for kind, data in made.outputs.items():
        if kind not in there:
            yield f"its {kind} is missing; expected that of {latest}"
        elif there[kind].data != data:
            yield f"its {kind} is {_owner(plan, kind, there[kind].data)}; expected that of {latest}"
        elif there[kind].content_type != FORMATS[EXTENSIONS[kind]].content_type:
            yield f"its {kind} has content type {there[kind].content_type}"
    for kind in there.keys() - made.outputs.keys() - ({RECORD} if made.code else set()):
        owner = _owner(plan, kind, there[kind].data)
        if owner == NOBODY:  # outputs of earlier versions may remain, since nothing is deleted
            yield f"its {kind} is {owner}; {latest} has none"


def _judge_rejection(latest: Version, code: str, record: Found | None) -> Iterator[str]:
    expected = {
        "outcome": "rejected",
        "code": code,
        "sha256": sha256(latest.data).hexdigest(),
        "artifacts": [],
    }
    if record is None:
        yield f"its record is missing; expected a rejection ({code}) of {latest}"
        return
    document = json.loads(record.data)
    actual = {
        "outcome": document["outcome"],
        "code": document.get("error", {}).get("code"),
        "sha256": document["source"]["sha256"],
        "artifacts": document["artifacts"],
    }
    if actual != expected:
        yield f"its record says {actual}; expected {expected} for {latest}"


NOBODY = "that of no version"


def _owner(plan: Plan, kind: str, data: bytes) -> str:
    """The version that an output belongs to, as text."""
    owners = [v for v in plan.versions if make(plan.key, v).outputs.get(kind) == data]
    return f"that of {owners[-1]}" if owners else NOBODY
