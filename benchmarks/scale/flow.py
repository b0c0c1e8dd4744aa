"""Simulation of flows: messages are a quantity, and time advances in steps.

It is exact in the limit of many messages, and takes as long for a billion as for a thousand. The
tests compare it with the exact simulation of ``events.py``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from scale.knobs import Knobs
from scale.limits import FIRST_POLLERS, HANDOVER, POLLERS_PER_MINUTE

Rate = Callable[[float], float]


def never(_: float) -> float:
    """No failures."""
    return 0.0


@dataclass(slots=True)
class Flow:
    """What happened, by time step; counts are of messages, times and ages in seconds."""

    times: list[float] = field(default_factory=list)
    backlog: list[float] = field(default_factory=list)  # visible, or waiting to be so again
    oldest: list[float] = field(default_factory=list)
    pollers: list[float] = field(default_factory=list)
    done: float = 0.0
    dead: float = 0.0
    expired: float = 0.0
    busy: float = 0.0  # seconds of pollers that had a batch

    @property
    def finish(self) -> float:
        """Moment at which nothing was left."""
        return self.times[-1]


def simulate(
    arrivals: Rate,
    last_arrival: float,
    knobs: Knobs,
    work: float,
    *,
    step: float = 1.0,
    fails: Rate = never,
    until: float = float("inf"),
) -> Flow:
    """Simulate until the queue is empty after the last arrival.

    ``arrivals(t)`` is the number of messages that have arrived until ``t``, ``work`` the seconds of
    one message, ``fails(t)`` the share of attempts that return their message to the queue.
    """
    tank = _Tank(knobs, work, step, fails)
    now = 0.0
    while now < until:
        now += step
        tank.advance(now, arrivals(now))
        if now >= last_arrival and tank.empty:
            break
    return tank.flow


class _Tank:
    """The queue, in order of arrival; messages that return wait in line with the others."""

    def __init__(self, knobs: Knobs, work: float, step: float, fails: Rate) -> None:
        self.knobs, self.step, self.fails, self.flow = knobs, step, fails, Flow()
        size = knobs.batch_size
        self.per_poller = size / (HANDOVER + size * work)  # messages per second
        self.pollers = min(FIRST_POLLERS.value, knobs.concurrency)
        # Visible messages by arrival: moment, attempts so far, quantity.
        self.line: deque[list[float]] = deque()
        self.returning: deque[tuple[float, float, float, float]] = deque()
        self.arrived = 0.0

    @property
    def empty(self) -> bool:
        return not self.line and not self.returning

    def advance(self, now: float, arrived: float) -> None:
        """Advance by one step."""
        while self.returning and self.returning[0][0] <= now:
            _, arrival, attempts, amount = self.returning.popleft()
            if attempts >= self.knobs.max_receives:
                self.flow.dead += amount
            else:
                self.line.append([arrival, attempts, amount])
        if arrived > self.arrived:
            self.line.append([now - self.step / 2, 0, arrived - self.arrived])
            self.arrived = arrived
        self._expire(now)
        self._take(now)
        more = bool(self.line)
        change = POLLERS_PER_MINUTE.value / 60 * self.step * (1 if more else -1)
        low = min(FIRST_POLLERS.value, self.knobs.concurrency)
        self.pollers = min(max(self.pollers + change, low), self.knobs.concurrency)
        self._sample(now)

    def _expire(self, now: float) -> None:
        while self.line and now - self.line[0][0] > self.knobs.retention:
            self.flow.expired += self.line.popleft()[2]

    def _take(self, now: float) -> None:
        room = self.pollers * self.per_poller * self.step
        share = self.fails(now)
        while self.line and room > 1e-9:
            arrival, attempts, waiting = self.line[0]
            amount = min(waiting, room)
            room -= amount
            if amount == waiting:
                self.line.popleft()
            else:
                self.line[0][2] -= amount
            self.flow.busy += amount / self.per_poller
            failed = share * amount
            self.flow.done += amount - failed
            if failed:
                visible = now + self.knobs.visibility
                self.returning.append((visible, arrival, attempts + 1, failed))

    def _sample(self, now: float) -> None:
        flow = self.flow
        waiting = sum(entry[2] for entry in self.line)
        flow.times.append(now)
        flow.backlog.append(waiting + sum(entry[3] for entry in self.returning))
        heads = [self.line[0][0]] if self.line else []
        heads += [self.returning[0][1]] if self.returning else []
        flow.oldest.append(now - min(heads) if heads else 0.0)
        flow.pollers.append(self.pollers)
