"""Objects that could take time from others: a key that is overwritten all the time, and poison."""

from __future__ import annotations

import numpy as np
from prices import PRICES

from handler.patience import LAST
from scale.answers import Finding, digits, dollars, duration, percent, table
from scale.bursts import mixed_work, per_second
from scale.calibration import LARGE, measured
from scale.drawing import Chart, Line, Scale
from scale.events import Simulation, Trace
from scale.function import Fate, Function, Kind, Load, Shorter, StartingOver, Uncontained
from scale.knobs import Knobs, defaults

OTHERS = 1000  # other objects beside the hot key
BUSY = 0.3  # the share of the capacity that they take
OVERWRITES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
SHARES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
SHOWN = (0.001, 0.01, 0.1)
IMAGES = 5_000
MEGAPIXELS = LARGE**2 / 1e6


def hot_load(others: int, rate: float, overwrites: float, work: float, seed: int) -> Load:
    """``others`` objects at random moments, and one that is overwritten at a steady rate."""
    draw = np.random.default_rng(seed)
    plain = np.sort(draw.uniform(0, others / rate, others))
    hot = np.arange(0.5 / overwrites, plain[-1], 1 / overwrites) if overwrites else np.empty(0)
    moments = np.concatenate([plain, hot])
    kinds = np.repeat([Kind.PLAIN, Kind.HOT], [len(plain), len(hot)])
    seconds = np.concatenate([mixed_work(others, work, seed), np.full(len(hot), work)])
    order = np.argsort(moments, kind="stable")
    return Load(moments[order].tolist(), seconds[order].tolist(), kinds[order].tolist(), MEGAPIXELS)


def hot_key() -> Finding:
    """How long other objects wait beside a key that is overwritten all the time."""
    knobs, work = defaults(), measured().seconds(LARGE)
    rate = BUSY * per_second(knobs, work)
    rows = []
    waits: dict[type[Function], list[tuple[float, float]]] = {StartingOver: [], Function: []}
    for overwrites in OVERWRITES:
        load = hot_load(OTHERS, rate, overwrites, work, seed=3)
        cells = [digits(overwrites)]
        for kind, points in waits.items():
            if kind is StartingOver and overwrites > 30:
                continue
            trace = Simulation(kind(load, knobs), knobs, seed=4).run()
            wait = float(np.quantile(trace.waits[np.equal(load.kinds, Kind.PLAIN)], 0.95))
            points.append((overwrites, wait))
            cells.append(duration(wait))
        written, versions = trace.count(Fate.DONE, Kind.HOT), load.kinds.count(Kind.HOT)
        row = cells if len(cells) > 2 else [cells[0], "–", cells[1]]
        rows.append([*row, f"{written:,} of {versions:,}"])
    chart = Chart(
        "Other objects beside a key that is overwritten, 10 at a time",
        Scale("overwrites of the key per second", 0.1, 1000, log=True),
        Scale("waiting, seconds (95th percentile)", 0.3, 1000, log=True),
        [
            Line("starting over until it is the latest", waits[StartingOver]),
            Line("later versions seen, as now", waits[Function]),
        ],
    )
    heads = [
        *("overwrites per s", "starting over: others wait", "as now: others wait"),
        "as now: versions written",
    ]
    return Finding({"scale_hot_key.svg": chart}, {"hot_table": table(heads, rows)})


def poisoned(share: float, bad: Kind, work: float, seed: int = 5) -> Load:
    """A backlog in which a share of the images, at random places, is bad."""
    kinds = np.full(IMAGES, Kind.PLAIN)
    count = max(1, round(share * IMAGES))
    kinds[np.random.default_rng(seed).choice(IMAGES, count, replace=False)] = bad
    return Load([0.0] * IMAGES, mixed_work(IMAGES, work, seed), kinds.tolist(), MEGAPIXELS)


def poison() -> Finding:
    """What images that crash or never end do to the others, contained and not."""
    knobs, work = defaults(), measured().seconds(LARGE)
    ways = {
        "never end, not contained": (Uncontained, Kind.ENDLESS),
        "crash, not contained": (Uncontained, Kind.CRASHES),
        "never end, second try 3×": (Shorter, Kind.ENDLESS),
        "never end, as now (10×)": (Function, Kind.ENDLESS),
        "crash, as now": (Function, Kind.CRASHES),
    }
    clean = _speed(Simulation(Function(poisoned(0.0001, Kind.PLAIN, work), knobs), knobs).run())
    lines, rows = [], []
    for name, (function, bad) in ways.items():
        points = []
        for share in SHARES:
            load = poisoned(share, bad, work)
            trace = Simulation(function(load, knobs), knobs, seed=6).run()
            points.append((100 * share, _speed(trace) / clean))
            if share in SHOWN:
                rows.append(_poison_row(name, share, trace, clean, knobs))
        lines.append(Line(name, points))
    chart = Chart(
        "Good images analysed per paid second, relative to none bad",
        Scale("share of bad images, per cent", 0.1, 30, log=True),
        Scale("relative throughput", 0.002, 1, log=True),
        lines,
    )
    heads = [
        *("bad images", "share", "throughput", "good images dead"),
        *("compute, dollars a million good", "attempts per bad image"),
    ]
    usual = Function(poisoned(0.1, Kind.ENDLESS, work), knobs).usual
    words = {
        "poison_table": table(heads, rows),
        "poison_usual": digits(usual),
        "poison_last": digits(LAST * usual),
        "poison_image": digits(work),
    }
    return Finding({"scale_poison.svg": chart}, words)


def _speed(trace: Trace) -> float:
    """Good images per second of pollers with a batch."""
    return trace.count(Fate.DONE) / trace.handled


def _poison_row(name: str, share: float, trace: Trace, clean: float, knobs: Knobs) -> list[str]:
    bad = [n for n, kind in zip(trace.receives, trace.load.kinds, strict=True) if kind]
    good = len(trace.load) - len(bad)
    gigabytes = knobs.memory_mb / 1024
    compute = PRICES["x86-64"].of(trace.billed * gigabytes) / max(1, trace.count(Fate.DONE)) * 1e6
    return [
        name,
        percent(share),
        percent(_speed(trace) / clean),
        percent(trace.count(Fate.DEAD, Kind.PLAIN) / good),
        dollars(compute),
        digits(sum(bad) / len(bad)),
    ]
