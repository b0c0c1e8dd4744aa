"""Exact simulation: every message, batch, invocation and return, one event after the other."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scale.function import Answer, Batch, Fate, Function, Load
from scale.knobs import Knobs
from scale.limits import (
    FIRST_POLLERS,
    HANDOVER,
    IN_FLIGHT,
    POLLERS_PER_MINUTE,
    SHUFFLE,
    throttled_attempts,
)

TICK = 1.0  # seconds between two adjustments of the number of pollers
PER_TICK = POLLERS_PER_MINUTE.value / 60 * TICK


def always(_: float) -> float:
    """Accept every invocation."""
    return 1.0


@dataclass(slots=True)
class Trace:
    """What happened: for each message, and every second."""

    load: Load
    ended: list[float]
    fates: list[Fate]
    receives: list[int]
    invocations: int = 0
    billed: float = 0.0  # seconds
    handled: float = 0.0  # seconds in which pollers had a batch
    times: list[float] = field(default_factory=list)
    visible: list[int] = field(default_factory=list)
    oldest: list[float] = field(default_factory=list)
    pollers: list[float] = field(default_factory=list)

    @property
    def waits(self) -> NDArray[np.float64]:
        """Seconds from arrival to the end, for each message."""
        return np.subtract(self.ended, self.load.arrivals, dtype=np.float64)

    @property
    def finish(self) -> float:
        """Moment at which the last message ended."""
        return max(self.ended)

    def count(self, fate: Fate, kind: int | None = None) -> int:
        """Return the number of messages, of one kind or of all, that ended in this way."""
        kinds = self.load.kinds
        return sum(
            f == fate and (kind is None or k == kind)
            for f, k in zip(self.fates, kinds, strict=True)
        )


class Simulation:
    """A queue, Lambda's pollers, and a function.

    ``accepts`` gives the probability that the account has room for an invocation at a moment.
    ``pollers`` are those at the start; they do not change if ``steady``.
    """

    def __init__(
        self,
        function: Function,
        knobs: Knobs,
        *,
        seed: int = 0,
        accepts: Callable[[float], float] = always,
        pollers: float = FIRST_POLLERS.value,
        steady: bool = False,
        handover: float = HANDOVER,
        shuffle: float = SHUFFLE,
    ) -> None:
        self.function, self.knobs, self.load = function, knobs, function.load
        self.accepts, self.steady, self.handover = accepts, steady, handover
        self.random = np.random.default_rng(seed)
        self.shuffle = (shuffle * self.random.random(1 << 14)).tolist()
        self.attempts = throttled_attempts(knobs.visibility)
        self.pollers = min(pollers, knobs.concurrency)
        self.events: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self.ready: list[tuple[float, int]] = []
        self.slots = list(range(knobs.concurrency))
        self.order = self.next = self.first = self.hidden = self.open = 0
        self.throttled = False
        size = len(self.load)
        self.trace = Trace(self.load, [0.0] * size, [Fate.WAITING] * size, [0] * size)

    def run(self, until: float = float("inf")) -> Trace:
        """Simulate until every message has ended, or until a moment."""
        self.open = len(self.load)
        if not self.open:
            return self.trace
        self._at(self.load.arrivals[0], self._arrive)
        self._at(0.0, self._tick)
        while self.open and self.events and self.events[0][0] <= until:
            moment, _, action, arguments = heapq.heappop(self.events)
            action(moment, *arguments)
        return self.trace

    def _at(self, moment: float, action: Callable[..., None], *arguments: object) -> None:
        self.order += 1
        heapq.heappush(self.events, (moment, self.order, action, arguments))

    def _arrive(self, now: float) -> None:
        self._show(now, self.next)
        self.next += 1
        if self.next < len(self.load):
            self._at(self.load.arrivals[self.next], self._arrive)
        self._poll(now)

    def _show(self, now: float, message: int) -> None:
        """Make a message visible; a standard queue does not keep the order exactly."""
        self.order += 1
        heapq.heappush(self.ready, (now + self.shuffle[self.order % len(self.shuffle)], message))

    def _tick(self, now: float) -> None:
        """Adjust the number of pollers, and take a sample."""
        if not self.steady:
            more = bool(self.ready) and not self.throttled
            change = PER_TICK if more else -PER_TICK
            low = min(FIRST_POLLERS.value, self.knobs.concurrency)
            self.pollers = min(max(self.pollers + change, low), self.knobs.concurrency)
            self.throttled = False
        trace = self.trace
        while self.first < self.next and trace.fates[self.first]:
            self.first += 1
        trace.times.append(now)
        trace.visible.append(len(self.ready))
        waiting = self.first < self.next
        trace.oldest.append(now - self.load.arrivals[self.first] if waiting else 0.0)
        trace.pollers.append(self.pollers)
        self._at(now + TICK, self._tick)
        self._poll(now)

    def _poll(self, now: float) -> None:
        busy = self.knobs.concurrency - len(self.slots)
        while self.ready and busy < int(self.pollers) and self.hidden < IN_FLIGHT.value:
            size = min(self.knobs.batch_size, len(self.ready))
            batch = [heapq.heappop(self.ready)[1] for _ in range(size)]
            for message in batch:
                self.trace.receives[message] += 1
            self.hidden += size
            self._invoke(now, batch, now, self.slots.pop(), 0)
            busy = self.knobs.concurrency - len(self.slots)

    def _invoke(
        self, now: float, batch: list[int], received: float, slot: int, attempt: int
    ) -> None:
        """Invoke the function, or try again later if the account has no room."""
        chance = self.accepts(now)
        if chance >= 1 or self.random.random() < chance:
            begin = now + self.handover
            answer = self.function.run(Batch(batch, self.trace.receives, begin, slot))
            self.trace.invocations += 1
            self.trace.billed += answer.seconds
            self.trace.handled += answer.seconds + self.handover
            self._at(begin + answer.seconds, self._answered, answer, received, slot)
            return
        self.throttled = True
        if attempt + 1 < len(self.attempts):
            later = received + self.attempts[attempt + 1]
            self._at(later, self._invoke, batch, received, slot, attempt + 1)
        else:
            given_up = Answer(returned=batch)
            self._at(received + self.knobs.visibility, self._answered, given_up, received, slot)

    def _answered(self, now: float, answer: Answer, received: float, slot: int) -> None:
        for message, moment, fate in answer.ended:
            self._end(message, moment, fate)
        self.hidden -= len(answer.ended)
        visible = max(now, received + self.knobs.visibility)
        if answer.returned:
            self._at(visible, self._return, answer.returned)
        self.slots.append(slot)
        self._poll(now)

    def _return(self, now: float, messages: list[int]) -> None:
        """Messages become visible again, or dead letters after their last attempt."""
        self.hidden -= len(messages)
        for message in messages:
            if self.trace.receives[message] >= self.knobs.max_receives:
                self._end(message, now, Fate.DEAD)
            elif now - self.load.arrivals[message] > self.knobs.retention:
                self._end(message, now, Fate.EXPIRED)
            else:
                self._show(now, message)
        self._poll(now)

    def _end(self, message: int, now: float, fate: Fate) -> None:
        self.trace.ended[message], self.trace.fates[message] = now, fate
        self.open -= 1
