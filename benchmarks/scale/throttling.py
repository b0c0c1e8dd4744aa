"""Throttling: dead letters that it makes although nothing is wrong, and storms of retries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scale import retries
from scale.answers import Finding, digits, duration, percent, table
from scale.calibration import AT_ONCE, LARGE, measured
from scale.drawing import Chart, Line, Scale
from scale.events import Simulation
from scale.function import Fate, Function, Load
from scale.knobs import Knobs, defaults
from scale.limits import IN_FLIGHT, MAP_CHILDREN, throttled_attempts
from scale.limits import PUTS as PUT_RATE

MESSAGES = 1000
ACCEPTED = tuple(10 ** (n / 30 - 2.3) for n in range(70))
COMBINATIONS = ((2, 1), (5, 1), (2, 6), (3, 6), (5, 6))  # attempts; visibility in timeouts
OUTAGES = (20, 40, 120, 360)  # minutes without a single invocation
WAITING = ((10, 50), (10, 500), (100, 500), (100, 5000))  # concurrency, messages
CLIENTS = int(MAP_CHILDREN.value) * AT_ONCE
SLICE = 0.25  # seconds, of the chart


def expected_dead(accepted: float, knobs: Knobs) -> float:
    """Share of messages that become dead letters if each invocation is accepted at random."""
    attempts = len(throttled_attempts(knobs.visibility))
    return float((1 - accepted) ** (attempts * knobs.max_receives))


def dead_letters() -> Finding:
    """Messages that become dead letters because the account has no room for invocations."""
    knobs = defaults()
    lines = []
    for receives, visibilities in COMBINATIONS:
        varied = replace(knobs, max_receives=receives, visibilities=visibilities)
        points = [(100 * p, 100 * expected_dead(p, varied)) for p in ACCEPTED]
        name = f"{receives} attempts, {visibilities}× timeout"
        lines.append(Line(name, points))
    chart = Chart(
        "Dead letters although nothing is wrong, by share of accepted calls",
        Scale("invocations that the account has room for, per cent", 0.5, 100, log=True),
        Scale("dead letters, per cent of messages", 0, 100),
        lines,
    )
    rows = [
        [
            f"{minutes} min",
            *(
                f"{outage(60 * minutes, replace(knobs, concurrency=cap), waiting):,}"
                for cap, waiting in WAITING
            ),
        ]
        for minutes in OUTAGES
    ]
    heads = ["outage", *(f"{cap:,} at a time, {waiting:,} waiting" for cap, waiting in WAITING)]
    words = {
        "outage_table": table(heads, rows),
        "throttle_attempts": str(len(throttled_attempts(knobs.visibility))),
        "throttle_short": str(len(throttled_attempts(knobs.timeout))),
        "throttle_stands": duration(knobs.max_receives * knobs.visibility),
        "in_flight_rate": digits(IN_FLIGHT.value / knobs.visibility),
        "throttle_held": f"{knobs.concurrency * knobs.batch_size}",
        "throttle_2": percent(expected_dead(0.02, knobs)),
        "throttle_2_short": percent(
            expected_dead(0.02, replace(knobs, max_receives=2, visibilities=1))
        ),
    }
    return Finding({"scale_dead_letters.svg": chart}, words)


def throttled(accepted: float, knobs: Knobs) -> float:
    """Simulate a small backlog while only a share of the invocations is accepted."""
    load = Load([0.0] * MESSAGES, [0.3] * MESSAGES, [0] * MESSAGES)
    alone = replace(knobs, batch_size=1, concurrency=MESSAGES)
    simulation = Simulation(
        *(Function(load, alone), alone),
        seed=7,
        accepts=lambda _: accepted,
        pollers=MESSAGES,
        steady=True,
    )
    return simulation.run().count(Fate.DEAD) / MESSAGES


def outage(seconds: float, knobs: Knobs, backlog: int) -> int:
    """Simulate an outage of all invocations with a backlog; return the number of dead letters."""
    load = Load([0.0] * backlog, [measured().seconds(LARGE)] * backlog, [0] * backlog)
    simulation = Simulation(
        *(Function(load, knobs), knobs),
        accepts=lambda moment: float(moment >= seconds),
        pollers=knobs.concurrency,
        steady=True,
    )
    return simulation.run().count(Fate.DEAD)


def storms() -> Finding:
    """With which pauses clients get through that S3 refused at once."""
    ways = {
        "a second each time": retries.fixed,
        "doubled, the same for all": retries.doubling,
        "at random up to twice as long (as now)": retries.jittered,
    }
    lines, rows = [], []
    for name, pause in ways.items():
        wide = retries.storm(CLIENTS, PUT_RATE.value, pause, window=1.0)
        narrow = retries.storm(CLIENTS, PUT_RATE.value, pause, window=0.1)
        lines.append(Line(name, _served(narrow)))
        rows.append([name, *_storm_cells(wide), *_storm_cells(narrow)])
    chart = Chart(
        f"{CLIENTS:,} clients begin at once, S3 accepts {PUT_RATE.value:,.0f} per second",
        Scale("seconds", 0, retries.PATIENCE),
        Scale("clients served, thousands", 0, 25),
        lines,
        [("all", CLIENTS / 1000)],
    )
    heads = ["pauses"]
    for window in ("1 s", "0.1 s"):
        heads += [f"window {window}: gave up", "last served", "requests per client"]
    words = {
        "storm_table": table(heads, rows),
        "storm_clients": f"{CLIENTS:,}",
        "storm_least": digits(CLIENTS / PUT_RATE.value),
    }
    return Finding({"scale_retries.svg": chart}, words)


def _served(storm: retries.Storm) -> list[tuple[float, float]]:
    """Thousands of clients that have been served, by time."""
    times = np.arange(0, retries.PATIENCE + SLICE, SLICE)
    done = np.searchsorted(np.sort(storm.served[~np.isnan(storm.served)]), times, side="right")
    return [(float(t), float(n) / 1000) for t, n in zip(times, done, strict=True)]


def _storm_cells(storm: retries.Storm) -> list[str]:
    clients = len(storm.served)
    return [percent(storm.gave_up), duration(storm.finish), digits(storm.requests / clients)]
