"""The manifest: written last, it lists every file of a workflow and compares before with after."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from fft_tool import __version__
from fft_tool.errors import FftToolError, NotFound, Superseded
from fft_tool.results import record as records
from fft_tool.results import record_model
from fft_tool.results.compared import Compared
from fft_tool.results.naming import RECORD
from fft_tool.results.recording import recipe_section
from fft_tool.stores.base import Store
from fft_tool.validate import Json
from fft_tool.workflows import manifest_model as model
from fft_tool.workflows.plan import Plan, folder_of, manifest_name
from fft_tool.workflows.steps import Step

CONTENT_TYPE = "application/json"

_NORMAL = 1.96  # standard errors on either side of a 95 % interval


def manifest_step(
    target: Store, plan: Plan, processed: Step, original: Step, combined: Step
) -> Json:
    """Write the manifest of a finished workflow, and return it.

    Raises :class:`~fft_tool.errors.Superseded` if the steps did not read the same version of the
    source, or if another run of the workflow has replaced what they wrote.
    """
    if original.source_sha256 != processed.source_sha256:
        raise Superseded(f"{plan.place}: overwritten since the work on it began")
    before = _record(target, plan, original, "original")
    after = _record(target, plan, combined, "combined")
    compared = combined.compared or Compared()
    files = [*processed.files, *original.files, *combined.files]
    document = model.Done(
        **_opening(plan, "done", original.source_sha256),
        before=side_of(before),
        after=side_of(after),
        psnr_db=compared.psnr_db,
        psnr_white=compared.white,
        psnr_note=compared.note,
        files=tuple(model.File.of(file.to_json()) for file in files),
    ).to_json()
    return _written(target, plan.name, document)


def reject(target: Store, plan: Plan | str, error: FftToolError) -> Json:
    """Write the manifest of a workflow that is permanently refused, and return it.

    ``plan`` is just the name of the source if no plan could be made.
    """
    if isinstance(plan, str):
        name, opening = plan, _plain_opening("rejected")
    else:
        name, opening = plan.name, _opening(plan, "rejected", None)
    document = model.Rejected(
        **opening,
        error=record_model.Error(code=error.code, message=str(error)),
        files=(),
    ).to_json()
    return _written(target, name, document)


def files_listed(data: bytes, plan: Plan, source_sha256: str) -> dict[str, str]:
    """Files that a manifest lists, with their hashes; none if it is not the one of this plan.

    The plan and the hash of its source have to be those that the manifest states, and so has the
    version of the program.
    """
    try:
        document = json.loads(data)
        opening = model.Opening(**_opening(plan, "done", source_sha256)).to_json()
        if any(document.get(key) != value for key, value in opening.items()):
            return {}
        return {str(file["name"]): str(file["sha256"]) for file in document["files"]}
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return {}


def schema() -> Json:
    """Return the JSON Schema (draft 2020-12) that every manifest satisfies.

    It is generated from :mod:`fft_tool.workflows.manifest_model` by
    ``python docs/record_page.py``.
    """
    document: Json = json.loads(Path(__file__).with_name("manifest.schema.json").read_bytes())
    return document


def _written(target: Store, name: str, document: Json) -> Json:
    data = records.to_bytes(document)
    target.write(manifest_name(name), data, content_type=CONTENT_TYPE)
    return document


def _plain_opening(outcome: str) -> dict[str, Any]:
    return {
        "schema": model.SCHEMA_NAME,
        "outcome": outcome,
        "tool": record_model.Tool(name="fft-tool", version=__version__),
        "source": None,
        "operations": None,
        "recipe": None,
    }


def _opening(plan: Plan, outcome: str, sha256: str | None) -> dict[str, Any]:
    texts = tuple(map(str, plan.operations))
    return {
        **_plain_opening(outcome),
        "source": model.Source(name=plan.name, size=plan.size, sha256=sha256),
        "operations": model.Operations(text=",".join(texts), list=texts),
        "recipe": recipe_section(plan.recipe),
    }


def _record(target: Store, plan: Plan, step: Step, which: str) -> Json:
    """Read the record that a step has written."""
    file = step.file(f"{which}_{RECORD}.json")
    name = f"{folder_of(plan.name)}/{file.name}"
    try:
        stored = target.read(name)
    except NotFound as exc:
        raise Superseded(f"{name}: removed since it was written") from exc
    if hashlib.sha256(stored.data).hexdigest() != file.sha256:
        raise Superseded(f"{name}: replaced by another run of the workflow")
    return records.from_bytes(stored.data, name=name)


def side_of(record: Json) -> model.Side:
    """Numbers of one image, from its record, as the manifest compares them."""
    grey, slope, sharp = (
        record["statistics"]["grey"],
        record["measures"]["slope"],
        record["sharpness"],
    )
    names = ("white", "mean", "standard_deviation", "minimum", "maximum")
    reach = _NORMAL * slope["error"] if slope else 0.0
    return model.Side(
        width=record["region"]["width"],
        height=record["region"]["height"],
        contrast=grey["standard_deviation"] / grey["white"],
        slope=slope
        and model.Slope(beta=slope["beta"], low=slope["beta"] - reach, high=slope["beta"] + reach),
        sharpness=sharp and record_model.Sharpness.of(sharp),
        **{name: grey[name] for name in names},
    )
