"""Backfills on the local AWS: the scan function, and the state machine of the engine ``map``.

The definition is the one that Terraform uses. The emulator has no ``ItemBatcher`` and no
``MaxConcurrencyPath``, and would ignore them: here every batch has one item, in the form that AWS
gives it, and the number of children at a time is fixed. It has no ``ResultWriter`` either, whose
files nobody reads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from handler.settings import Settings
from tools.local_aws.clients import arn
from tools.local_aws.resource import NAME, Cloud, Resource, make_function
from tools.local_aws.state_machines import FOLDER, make_state_machine, render

SCAN = f"{NAME}-scan"
STATE_MACHINE = f"{NAME}-backfill"
CONCURRENCY = 2

DEFINITION = FOLDER / "backfill.asl.json"


def definition() -> str:
    """Definition of the state machine, as the emulator understands it."""
    given = {name: text for name, text in os.environ.items() if name.startswith("FFT_")}
    own = Settings.from_environ(given)
    found: dict[str, Any] = json.loads(
        render(
            DEFINITION,
            partition="aws",
            analyse=arn("lambda", f"function:{NAME}"),
            scan=arn("lambda", f"function:{SCAN}"),
            output_prefix=own.output_prefix,
        )
    )
    for state in found["States"].values():
        if state["Type"] == "Map":
            _adapt(state)
    return json.dumps(found)


def _adapt(state: dict[str, Any]) -> None:
    """Turn batches into batches of one, and fix the number of children at a time."""
    batcher, item = state.pop("ItemBatcher"), state.pop("ItemSelector")
    state["ItemSelector"] = {"BatchInput": batcher["BatchInput"], "Items": [item]}
    del state["MaxConcurrencyPath"], state["ResultWriter"]
    state["MaxConcurrency"] = CONCURRENCY


def _scan_function(cloud: Cloud) -> None:
    make_function(cloud, SCAN, FUNCTIONS[SCAN])


def _state_machine(cloud: Cloud) -> None:
    make_state_machine(cloud, STATE_MACHINE, definition())


FUNCTIONS: Mapping[str, str] = {SCAN: "handler.scan_entry.scan"}

STATE_MACHINES: Mapping[str, Callable[[], str]] = {STATE_MACHINE: definition}

RESOURCES: tuple[Resource, ...] = (
    Resource("function for scans", _scan_function),
    Resource("state machine for backfills", _state_machine),
)
