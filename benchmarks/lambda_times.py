"""Measurements of the Lambda's time: its start, and its answers once it is warm."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from contenders import OURS
from images import pink_file
from lambda_plan import ONE_CPU, TWO_CPUS, Plan, Share
from lambda_stage import CONTENDERS, PLAIN, YARDSTICK, Contender, Stage
from measure import Times, side_by_side
from rows import cost_row, seconds_text, shape_text, speed_row, times_text
from table import Goal, Row, Section
from whole_process import work_folder

from tests.support.runtime import Function

COLD_GOAL = Goal("≤", 0.35)
BEYOND_GOAL = Goal("≤", 15, "ms")
SPEED_GOAL = Goal("≥", 6)

CORE = "the core alone"
UNRECORDED = "the core alone, without a record"
S3_STEPS = ("read", "look", "write", "check")  # steps in the handler's log line that wait for S3
WARM_UPS = 3

SHARES = (ONE_CPU, TWO_CPUS)
CORES_TEXT = (
    f"With {ONE_CPU} a function has one virtual processor, and here one core; with {TWO_CPUS}, two."
)


@dataclass(frozen=True, slots=True)
class Usage:
    """Billed usage of an image besides compute: S3 requests by method, bytes of log, and metrics.

    Metrics are billed per month, not per image.
    """

    requests: Mapping[str, int]
    log_bytes: int
    metrics: int


@dataclass(frozen=True, slots=True)
class Warm:
    """Times of warm functions: whole invocations, the core alone, and waiting for S3."""

    share: Share
    side: int
    times: Mapping[str, Times]
    waits: Mapping[str, Times]
    usage: Mapping[str, Usage]

    @property
    def what(self) -> str:
        """First column of the table."""
        return f"{shape_text(self.side, self.side)}, {self.share}"


def check_all(plan: Plan, stage: Stage) -> None:
    """Compare every contender's pictures with numpy's: only right results are timed."""
    for contender in CONTENDERS:
        with stage.running(contender.handler, ONE_CPU) as function:
            for side in {plan.cold_side, *plan.sides}:
                stage.check(contender, function, side)


def cold(plan: Plan, stage: Stage) -> Section:
    """From the start of a process to its first answer."""
    rows = [row for share in SHARES for row in _cold_rows(plan, stage, share)]
    return Section(
        "From the start of the process to the first answer",
        "Wall time from starting `python -m awslambdaric` to the answer to the first event, which "
        "is already waiting; files are in the page cache and compiled. The first event is timed by "
        f"the Runtime API; the time before is Lambda's init phase. {CORES_TEXT}",
        tuple(rows),
    )


def _cold_rows(plan: Plan, stage: Stage, share: Share) -> list[Row]:
    starts = {
        contender.name: partial(_first_answer, contender, plan.cold_side, stage, share)
        for contender in CONTENDERS
    }
    found = side_by_side(starts, plan.effort)
    columns = {
        name: [Times(part) for part in zip(*runs, strict=True)] for name, runs in found.items()
    }
    whats = ("", ", init", ", first event")
    what = f"{shape_text(plan.cold_side, plan.cold_side)}, {share}"
    return [
        cost_row(what + part, ours, PLAIN, its, None if part else COLD_GOAL)
        for part, ours, its in zip(whats, columns[OURS], columns[PLAIN], strict=True)
    ]


def _first_answer(
    contender: Contender, side: int, stage: Stage, share: Share
) -> tuple[float, float, float]:
    """Seconds in total, before the first event is requested, and after."""
    start = time.perf_counter()
    with stage.running(contender.handler, share) as function:
        answer = contender.call(function, contender.stem(side))
        whole = time.perf_counter() - start
    return whole, whole - answer.seconds, answer.seconds


def measure_warm(plan: Plan, stage: Stage) -> list[Warm]:
    """Time warm functions, in turn."""
    return [_race(plan, stage, share, side) for share in SHARES for side in plan.sides]


def _race(plan: Plan, stage: Stage, share: Share, side: int) -> Warm:
    with ExitStack() as stack:
        functions = {
            contender.name: stack.enter_context(stage.running(contender.handler, share))
            for contender in CONTENDERS
        }
        yardstick = stack.enter_context(stage.running(YARDSTICK, share))
        folder = stack.enter_context(work_folder())
        image = folder / "image.png"
        image.write_bytes(pink_file(side))
        calls: dict[str, Callable[[], tuple[str, float]]] = {
            **{c.name: partial(_timed, c, functions[c.name], side) for c in CONTENDERS},
            CORE: partial(_core, yardstick, image, share.cores, record=True),
            UNRECORDED: partial(_core, yardstick, image, share.cores, record=False),
        }
        for call in calls.values():
            for _ in range(WARM_UPS):
                call()
        found = side_by_side(calls, plan.effort)
        usage = {c.name: _usage(c, functions[c.name], side, stage) for c in CONTENDERS}
        waits = _waits(functions[OURS], [request for request, _ in found[OURS]])
    times = {name: Times(tuple(seconds for _, seconds in runs)) for name, runs in found.items()}
    return Warm(share, side, times, waits, usage)


def _timed(contender: Contender, function: Function, side: int) -> tuple[str, float]:
    """The request's id, and seconds as the Runtime API sees them."""
    answer = contender.call(function, contender.stem(side))
    return answer.request_id, answer.seconds


def _core(function: Function, image: Path, threads: int, *, record: bool) -> tuple[str, float]:
    """Run the core on the same image in a process of the same kind, timed there."""
    event = {"do": "core", "path": str(image), "threads": threads, "record": record}
    answer = function.invoke(event)
    return answer.request_id, answer.returned[0]


def _usage(contender: Contender, function: Function, side: int, stage: Stage) -> Usage:
    """Process one more image, and count what it uses."""
    stage.s3.requests()
    written, lines = _log_bytes(function), len(function.log)
    contender.call(function, contender.stem(side))
    metrics = (
        len(directive["Metrics"])
        for line in function.log[lines:]
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ())
    )
    return Usage(stage.s3.requests(), _log_bytes(function) - written, sum(metrics))


def _log_bytes(function: Function) -> int:
    lines = [
        json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in function.log
    ] + function.text.splitlines()
    return sum(len(line.encode()) + 1 for line in lines)


def _waits(function: Function, requests: Sequence[str]) -> dict[str, Times]:
    """Seconds of each request's steps that wait for S3, from the handler's log."""
    steps = {line["requestId"]: line["milliseconds"] for line in function.log if "bucket" in line}
    return {
        step: Times(tuple(steps[request][step] / 1000 for request in requests)) for step in S3_STEPS
    }


def beyond(_: Plan, warm: Sequence[Warm]) -> Section:
    """The time of an invocation beyond the core's own work."""
    return Section(
        "Warm: what the handler adds to the core",
        "An invocation as the Runtime API sees it, from handing out the event (S3's notification "
        "in a message of a queue) to receiving the answer, compared with `fft_tool.run` of the "
        "same source and recipe in a process of the same kind, with as many threads. The "
        "difference of the best rounds is what the handler adds. The row below it is the time "
        "spent waiting for S3 in the median round, by the handler's log: reading, writing, and "
        "checking the source again. "
        f"{CORES_TEXT}",
        tuple(row for found in warm for row in _beyond_rows(found)),
    )


def _beyond_rows(warm: Warm) -> list[Row]:
    ours, core = warm.times[OURS], warm.times[CORE]
    waits = {step: times.median for step, times in warm.waits.items()}
    listed = ", ".join(f"{step} {seconds_text(seconds)}" for step, seconds in waits.items())
    added = 1000 * (ours.best - core.best)
    return [
        Row(warm.what, times_text(ours), CORE, times_text(core), added, "ms", BEYOND_GOAL),
        Row(f"{warm.what}, of it S3", listed, value=1000 * sum(waits.values()), unit="ms"),
    ]


def whole(plan: Plan, warm: Sequence[Warm]) -> Section:
    """Whole invocations compared with the plain handler's."""
    return Section(
        "Warm: the whole invocation",
        "As above, compared with that of `benchmarks/scripts/plain_handler.py`. Both read the "
        "image from S3 and write two pictures and a JSON file. The plain handler's holds the "
        "image's shape and range; ours is the whole record, with statistics, measures, and a "
        "certificate, for which the pictures are decoded and inverted. The time that the core "
        "takes for the record is below each row.",
        tuple(row for found in warm for row in _whole_rows(found, plan.large)),
    )


def _whole_rows(warm: Warm, large: int) -> list[Row]:
    ours, its = warm.times[OURS], warm.times[PLAIN]
    recording = warm.times[CORE].best - warm.times[UNRECORDED].best
    goal = SPEED_GOAL if warm.side == large else None
    return [
        speed_row(warm.what, ours, PLAIN, its, goal),
        Row(f"{warm.what}, of it the record", seconds_text(recording)),
    ]
