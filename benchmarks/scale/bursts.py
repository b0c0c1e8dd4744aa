"""Bursts: how long they take, whether they fit into the queue, and what the batch size changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from prices import PRICES

from scale import flow
from scale.answers import Finding, digits, dollars, duration, percent, table
from scale.calibration import LARGE, RESULT_BYTES_PER_PIXEL, SMALL, measured
from scale.drawing import Chart, Line, Scale, thinned
from scale.events import Simulation, Trace
from scale.function import Function, Kind, Load
from scale.knobs import DAY, Knobs, defaults, terraform_default
from scale.limits import HANDOVER

CAPS = (10, 100, 300, 1000)
BURST = 1_000_000
BILLION = 1_000_000_000
DAYS, HOURS = 30, 2.0  # a billion in daily bursts
DAILY_CAPS = (80, 110, 300)
BATCHES = (1, 5, 10)
SMALL_BURST = 100_000
WORST_IMAGE = 10.3  # seconds, docs/cost.md: the most expensive image that is accepted


def per_second(knobs: Knobs, work: float) -> float:
    """Messages per second when all pollers are busy with full batches."""
    size = knobs.batch_size
    return knobs.concurrency * size / (HANDOVER + size * work)


def drain() -> Finding:
    """How long a burst takes by concurrency, and how many objects fit into the retention."""
    work, knobs = measured().seconds(LARGE), defaults()
    rows, lines = [], []
    for cap in CAPS:
        capped = replace(knobs, concurrency=cap)
        rate = per_second(capped, work)
        finish = {}
        for size in (10_000, 100_000, BURST, 10_000_000):
            step = max(1.0, size / rate / 5000)
            found = flow.simulate(_at_once(size), 0.0, capped, work, step=step)
            finish[size] = found.finish
            if size == BURST:
                points = list(zip(found.times, found.backlog, strict=True))
                lines.append(
                    Line(
                        f"{cap:,} at a time",
                        [(t / 3600, n / 1e6) for t, n in thinned(points, log=True)],
                    )
                )
        written = rate * LARGE**2 * RESULT_BYTES_PER_PIXEL
        rows.append(
            [
                f"{cap:,}",
                digits(rate),
                *(duration(each) for each in finish.values()),
                digits(rate * knobs.retention / 1e6) + " million",
                digits(3600 * written / 1e9),
            ]
        )
    heads = [
        *("`maximum_concurrency`", "images per s", "10,000", "100,000", "1 million", "10 million"),
        *(f"at most in {knobs.retention / DAY:g} days", "GB written per h"),
    ]
    chart = Chart(
        "A million images of 2048² at once, by maximum_concurrency",
        Scale("hours since the burst", 0.01, 10, log=True),
        Scale("images not analysed yet, in millions", 0, 1),
        lines,
    )
    rate = per_second(knobs, work)
    gigabytes = 3600 * rate * LARGE**2 * RESULT_BYTES_PER_PIXEL / 1e9
    words = {
        "drain_table": table(heads, rows),
        "default_rate": digits(rate),
        "default_capacity": digits(rate * knobs.retention / 1e6),
        "default_million": duration(BURST / rate),
        "default_gigabytes": digits(gigabytes),
        "alarm_rate": digits(terraform_default("written_gb_per_hour") / gigabytes * rate),
        "billion_default": duration(BILLION / rate),
    }
    return Finding({"scale_drain.svg": chart}, words)


def _at_once(size: float) -> flow.Rate:
    return lambda moment: size if moment > 0 else 0.0


def daily() -> Finding:
    """Which concurrency keeps up with a billion objects in bursts of two hours on thirty days."""
    work, knobs = measured().seconds(LARGE), defaults()
    each = BILLION / DAYS
    rows, lines = [], []

    def arrived(moment: float) -> float:
        whole, rest = divmod(moment, DAY)
        if whole >= DAYS:
            return float(BILLION)
        return each * (whole + min(1.0, rest / (HOURS * 3600)))

    for cap in DAILY_CAPS:
        capped = replace(knobs, concurrency=cap)
        found = flow.simulate(arrived, DAYS * DAY, capped, work, step=120.0, until=60 * DAY)
        points = list(zip(found.times, found.oldest, strict=True))
        lines.append(
            Line(f"{cap} at a time", [(t / DAY, a / 3600) for t, a in thinned(points, 600)])
        )
        rows.append(
            [
                f"{cap}",
                percent(each / DAY / per_second(capped, work)),
                duration(max(found.oldest)),
                digits(max(found.backlog) / 1e6) + " million",
                duration(found.finish) if found.finish < 60 * DAY else "not in 60 days",
                digits(found.expired / 1e6) + " million" if found.expired else "0",
            ]
        )
    heads = [
        *("`maximum_concurrency`", "utilisation", "oldest message", "longest backlog"),
        *("all done after", "lost"),
    ]
    chart = Chart(
        "33 million images of 2048² within two hours, every day for 30 days",
        Scale("days", 0, 40),
        Scale("age of the oldest message, hours", 0, 120),
        lines,
        [(f"the queue forgets after {knobs.retention / DAY:g} days", knobs.retention / 3600)],
    )
    needed = each / DAY / (per_second(knobs, work) / knobs.concurrency)
    words = {"daily_table": table(heads, rows), "daily_needed": digits(needed, 3)}
    return Finding({"scale_daily.svg": chart}, words)


def batches() -> Finding:
    """The age of the oldest message after a burst of small images, and what else depends on it."""
    small, knobs = measured().seconds(SMALL), defaults()
    rows, lines = [], []

    def arrived(moment: float) -> float:
        return SMALL_BURST * min(1.0, moment / 60)

    for size in BATCHES:
        sized = replace(knobs, batch_size=size)
        found = flow.simulate(arrived, 60.0, sized, small, step=2.0)
        points = list(zip(found.times, found.oldest, strict=True))
        lines.append(Line(f"batches of {size}", [(t / 60, a / 60) for t, a in thinned(points)]))
        worst = _worst(sized)
        returned = sum(n > 1 for n in worst.receives) / len(worst.receives)
        requests = PRICES["invocations"].of(1e6 / size) + PRICES["SQS"].of(1e6 * (1 + 2 / size))
        rows.append(
            [
                f"{size}",
                digits(per_second(sized, small)),
                duration(max(found.oldest)),
                dollars(requests),
                percent(returned),
            ]
        )
    heads = [
        *("`batch_size`", "512², images per s", "oldest message", "requests, dollars a million"),
        "worst images returned",
    ]
    chart = Chart(
        "100,000 images of 512² within a minute, 10 at a time",
        Scale("minutes since the burst began", 0, 20),
        Scale("age of the oldest message, minutes", 0, 18),
        lines,
    )
    words = {
        "batch_table": table(heads, rows),
        "batch_small": f"{1000 * small:.0f}",
        "batch_slowest": digits((knobs.timeout - knobs.reserve) / knobs.batch_size),
    }
    return Finding({"scale_batch_size.svg": chart}, words)


def _worst(knobs: Knobs) -> Trace:
    """Simulate a backlog of the most expensive images that are accepted."""
    images = 2000
    load = Load([0.0] * images, [WORST_IMAGE] * images, [Kind.PLAIN] * images, megapixels=100)
    return Simulation(Function(load, knobs), knobs).run()


def mixed_work(count: int, mean: float, seed: int) -> list[float]:
    """Seconds of work of images of different sizes: log-normal, half of the mean as deviation."""
    spread = np.sqrt(np.log(1 + 0.5**2))
    draw = np.random.default_rng(seed)
    found: list[float] = draw.lognormal(np.log(mean) - spread**2 / 2, spread, count).tolist()
    return found
