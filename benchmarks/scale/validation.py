"""Whether the simulations can be trusted: compared with each other, with theory, and with tests."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from scale import flow
from scale.answers import Finding, digits, percent, table
from scale.calibration import LARGE, measured
from scale.events import Simulation, Trace
from scale.function import Answer, Batch, Fate, Function, Kind, Load
from scale.knobs import Knobs, defaults
from scale.throttling import expected_dead, throttled

BURST, BURST_SECONDS = 20_000, 60.0
FAILING = 0.2
SERVERS, LOAD, QUEUED = 10, 0.8, 60_000  # a queue with Poisson arrivals
ACCEPTED = 0.02


@dataclass(frozen=True, slots=True)
class Comparison:
    """A quantity, as two ways give it, and by how much they may differ relative to the second."""

    what: str
    found: float
    reference: float
    tolerance: float

    @property
    def difference(self) -> float:
        """Relative difference."""
        return abs(self.found / self.reference - 1)

    @property
    def agrees(self) -> bool:
        """Whether the difference is within the tolerance."""
        return self.difference <= self.tolerance


class Flaky(Function):
    """Returns a share of the messages to the queue, at random."""

    def __init__(self, load: Load, knobs: Knobs, share: float) -> None:
        super().__init__(load, knobs)
        self.share, self.random = share, np.random.default_rng(11)

    def run(self, batch: Batch) -> Answer:
        """Process a batch; failures take as long as successes."""
        answer = super().run(batch)
        failed = {m for m, _, _ in answer.ended if self.random.random() < self.share}
        answer.returned += failed
        answer.ended = [ended for ended in answer.ended if ended[0] not in failed]
        return answer


@cache
def comparisons() -> tuple[Comparison, ...]:
    """Everything that is compared."""
    return (*_burst(0.0), *_burst(FAILING), *_steady(), _refused())


def _burst(failing: float) -> list[Comparison]:
    """Flow against events: a burst within a minute, with and without failing attempts."""
    knobs = replace(defaults(), concurrency=50, max_receives=3)
    work = measured().seconds(LARGE)
    arrivals = ((np.arange(BURST) + 0.5) / BURST * BURST_SECONDS).tolist()
    load = Load(arrivals, [work] * BURST, [Kind.PLAIN] * BURST)
    exact = Simulation(Flaky(load, knobs, failing), knobs).run()

    def arrived(moment: float) -> float:
        return BURST * min(1.0, moment / BURST_SECONDS)

    flowing = flow.simulate(arrived, BURST_SECONDS, knobs, work, fails=lambda _: failing)
    name = f"burst of {BURST:,}" + (f", {percent(failing)} of attempts fail" if failing else "")
    found = [
        Comparison(f"{name}: seconds until done", flowing.finish, exact.finish, 0.03),
        Comparison(f"{name}: busy seconds of pollers", flowing.busy, exact.handled, 0.02),
    ]
    if failing:
        dead = exact.count(Fate.DEAD)
        found.append(Comparison(f"{name}: dead letters", flowing.dead, dead, 0.15))
    else:
        age = max(exact.oldest)
        found.append(Comparison(f"{name}: oldest message, s", max(flowing.oldest), age, 0.03))
    return found


def poisson() -> tuple[Trace, float, float]:
    """Poisson arrivals at servers that take one message each; arrivals per s, and mean work."""
    work = measured().seconds(LARGE)
    rate = LOAD * SERVERS / work
    draw = np.random.default_rng(12)
    arrivals = np.cumsum(draw.exponential(1 / rate, QUEUED)).tolist()
    seconds = draw.exponential(work, QUEUED).tolist()
    knobs = replace(defaults(), concurrency=SERVERS, batch_size=1)
    function = Function(Load(arrivals, seconds, [Kind.PLAIN] * QUEUED), knobs)
    simulation = Simulation(
        function, knobs, pollers=SERVERS, steady=True, handover=0.0, shuffle=0.0
    )
    return simulation.run(), rate, work


def erlang_wait(servers: int, rate: float, work: float) -> float:
    """Mean wait before service in the queue M/M/c, by Erlang's formula."""
    offered = rate * work
    below = sum(offered**n / math.factorial(n) for n in range(servers))
    top = offered**servers / math.factorial(servers) / (1 - offered / servers)
    return top / (below + top) * work / (servers - offered)


def _steady() -> list[Comparison]:
    trace, rate, work = poisson()
    wait = float(trace.waits.mean() - np.mean(trace.load.work))
    length = float(np.mean(trace.visible))
    used = trace.handled / SERVERS / trace.finish
    name = f"{SERVERS} pollers, utilisation {percent(LOAD)}"
    return [
        Comparison(f"{name}: mean wait, s (Erlang)", wait, erlang_wait(SERVERS, rate, work), 0.08),
        Comparison(f"{name}: messages waiting (Little)", length, rate * wait, 0.05),
        Comparison(f"{name}: share of time busy", used, rate * work / SERVERS, 0.02),
    ]


def _refused() -> Comparison:
    knobs = replace(defaults(), max_receives=3)
    name = f"{percent(ACCEPTED)} of invocations accepted: share dead"
    return Comparison(name, throttled(ACCEPTED, knobs), expected_dead(ACCEPTED, knobs), 0.1)


# The test in tests/system/test_hot_key.py, with what docs/decisions/2026-11-27-hot-keys.md reports.
TEST_OTHERS, TEST_PROCESSES, TEST_OVERWRITES, TEST_BEFORE = 20, 2, 15.0, 1.0
TEST_ALONE = (1.7, 6.8)  # seconds for the others without overwrites
TEST_RATIOS, TEST_ANALYSED = (1.1, 1.6), (5, 13)


def hot_test(alone: float) -> tuple[float, int]:
    """Simulate that test: how much longer the others took, and how many versions were analysed.

    One key is overwritten until the others are done, which take ``alone`` seconds otherwise.
    """
    work, until = alone * TEST_PROCESSES / TEST_OTHERS, 0.0
    undisturbed, _ = _hot_run(work, 0.0)
    for _ in range(3):
        beside, analysed = _hot_run(work, until)
        until = TEST_BEFORE + beside
    return beside / undisturbed, analysed


def _hot_run(work: float, until: float) -> tuple[float, int]:
    knobs = replace(defaults(), concurrency=TEST_PROCESSES)
    versions = [(float(moment), Kind.HOT) for moment in np.arange(0, until, 1 / TEST_OVERWRITES)]
    others = [(TEST_BEFORE + 0.01 * n, Kind.PLAIN) for n in range(TEST_OTHERS)]
    moments, kinds = zip(*sorted(versions + others), strict=True)
    load = Load(moments, [work] * len(moments), kinds, 1.0)
    function = Function(load, knobs)
    trace = Simulation(function, knobs, pollers=TEST_PROCESSES, steady=True).run()
    ends = [e for e, kind in zip(trace.ended, kinds, strict=True) if kind == Kind.PLAIN]
    return max(ends) - TEST_BEFORE, function.analysed


def agreement() -> Finding:
    """The comparisons, as a table."""
    rows = [
        [each.what, digits(each.found, 3), digits(each.reference, 3), percent(each.difference)]
        for each in comparisons()
    ]
    ratios, analysed = zip(*map(hot_test, TEST_ALONE), strict=True)
    words = {
        "agreement_table": table(["", "simulated", "reference", "difference"], rows),
        "hot_ratios": f"{digits(min(ratios))} to {digits(max(ratios))}",
        "hot_analysed": f"{min(analysed)} to {max(analysed)}",
    }
    return Finding({}, words)
