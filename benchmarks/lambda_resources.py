"""Measurements of the Lambda's memory, and of the loopback S3 that it is measured with."""

from __future__ import annotations

import re
from itertools import chain, product
from pathlib import Path

from contenders import OURS
from lambda_plan import ONE_CPU, SMALL, Plan
from lambda_stage import CONTENDERS, PLAIN, YARDSTICK, Contender, Stage
from measure import Times, side_by_side
from rows import bytes_text, shape_text, speed_row
from table import Goal, Row, Section

from tests.support.runtime import Function

MEMORY_GOAL = Goal("≤", SMALL.memory, "MiB")
MIB = 1 << 20
CALLS = 20  # of S3 in one round
RECIPES: tuple[dict[str, str], ...] = ({}, {"bits": "16"})


def memory(plan: Plan, stage: Stage) -> Section:
    """Peak memory of functions with the smallest memory setting that should be enough."""
    ours, plain = CONTENDERS
    side = plan.memory_side
    its = _peak(plain, stage, plan)
    rows = []
    for recipe in RECIPES:
        peak = _peak(ours, stage, plan, **recipe)
        what = ", ".join([shape_text(side, side), *(f"{k}={v}" for k, v in recipe.items())])
        rows.append(
            Row(what, bytes_text(peak), PLAIN, bytes_text(its), peak / MIB, "MiB", MEMORY_GOAL)
        )
    return Section(
        "Memory",
        "Peak resident memory (`VmHWM`) of the function's process and of its child, added although "
        "they do not peak at the same time, including all loaded libraries, after "
        f"{plan.memory_runs} consecutive events, 8-bit grey. Ours is configured with "
        f"{SMALL.memory} MB, most of which is available to it on AWS; the plain handler has no "
        "such limit, and its figure is what it would need.",
        tuple(rows),
    )


def _peak(contender: Contender, stage: Stage, plan: Plan, **metadata: str) -> int:
    """Peak in bytes; the picture must exist, since a rejection would take little memory."""
    stem = stage.place(contender, plan.memory_side, **metadata)
    with stage.running(contender.handler, SMALL) as function:
        for _ in range(plan.memory_runs):
            contender.call(function, stem)
        stage.s3.get(f"output/{stem}_magnitude.png")
        return sum(high_water(status) for status in _statuses(function.process.pid))


def _statuses(pid: int) -> list[str]:
    """Contents of ``/proc/PID/status`` of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [Path(f"/proc/{one}/status").read_text("ascii") for one in (pid, *children)]


def high_water(status: str) -> int:
    """Peak resident memory in bytes, from the text of ``/proc/PID/status``."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    if not found:
        raise ValueError("no VmHWM: this needs Linux")
    return int(found[1]) * 1024


def loopback(plan: Plan, stage: Stage) -> Section:
    """Duration of a request to the loopback S3 of the other measurements."""
    with stage.running(YARDSTICK, ONE_CPU) as function:
        rows = [
            _request_row(function, plan, method, size)
            for method, size in product(("get", "put"), plan.object_sizes)
        ]
    return Section(
        "S3 on loopback",
        "One request to the server that replaces S3 here (`benchmarks/scripts/loopback_s3.py`), "
        "from a process of the same kind, with the core's store and with boto3. Within an AWS "
        "region a request takes about ten milliseconds, which both handlers incur in addition.",
        tuple(rows),
    )


def _request_row(function: Function, plan: Plan, method: str, size: int) -> Row:
    def times(client: str) -> list[float]:
        event = {"do": "s3", "client": client, "method": method, "size": size, "repeats": CALLS}
        seconds: list[float] = function.invoke(event).returned
        return seconds

    found = side_by_side(
        {client: lambda client=client: times(client) for client in (OURS, "boto3")},  # type: ignore[misc]
        plan.effort.at_most(3),
    )
    ours, boto3 = (Times(tuple(chain(*found[client]))) for client in (OURS, "boto3"))
    return speed_row(f"{method.upper()}, {size_text(size)}", ours, "boto3", boto3)


def size_text(count: int) -> str:
    """Size of an object."""
    return "1 byte" if count == 1 else f"{count} bytes" if count < 1024 else bytes_text(count)
