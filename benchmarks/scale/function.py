"""What the function does with one batch, as in ``handler/function.py`` and ``handler/work.py``.

Three ways of dealing with trouble are compared. The present one contains it: images are analysed in
a child process with limits of its own, and versions that have been overwritten are passed over. The
others are what it replaced.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from handler.jobs import RESTLESS_SECONDS, SUSPECT_ATTEMPT
from handler.patience import LAST, MOST, SECONDS, SECONDS_PER_MEGAPIXEL
from scale.calibration import NEW_CHILD, measured
from scale.knobs import Knobs
from scale.limits import REQUEST


class Kind(IntEnum):
    """What is special about an object."""

    PLAIN = 0
    CRASHES = 1  # ends the process that decodes it
    ENDLESS = 2  # is never finished
    HOT = 3  # one version of the key that is overwritten all the time


class Fate(IntEnum):
    """How a message ended."""

    WAITING = 0
    DONE = 1
    REJECTED = 2
    SUPERSEDED = 3
    DEAD = 4
    EXPIRED = 5


@dataclass(frozen=True, slots=True)
class Load:
    """Messages in the order of their arrival: seconds, kinds, and seconds of work."""

    arrivals: Sequence[float]
    work: Sequence[float]
    kinds: Sequence[int]
    megapixels: float = 4.0

    def __len__(self) -> int:
        return len(self.arrivals)


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that are delivered together at the moment ``start``, to the environment ``slot``.

    ``receives`` counts the deliveries of every message.
    """

    messages: Sequence[int]
    receives: Sequence[int]
    start: float
    slot: int


@dataclass(slots=True)
class Answer:
    """What came of one invocation: its duration, ended messages with their moment, and others."""

    seconds: float = 0.0
    ended: list[tuple[int, float, Fate]] = field(default_factory=list)
    returned: list[int] = field(default_factory=list)


class Function:
    """The function as it is: trouble is contained."""

    last_factor = LAST  # how much longer than usual the second try of an image may take

    def __init__(self, load: Load, knobs: Knobs) -> None:
        self.load, self.knobs = load, knobs
        self.versions = [a for a, k in zip(load.arrivals, load.kinds, strict=True) if k == Kind.HOT]
        self.usual = SECONDS + SECONDS_PER_MEGAPIXEL * load.megapixels
        self.analysed = 0  # versions of the hot key, with results that were written or not
        self._restless: dict[int, float] = {}

    def run(self, batch: Batch) -> Answer:
        """Process a batch."""
        answer, again, start = Answer(), [], batch.start
        hot = [m for m in batch.messages if self.load.kinds[m] == Kind.HOT]
        plain = [m for m in batch.messages if self.load.kinds[m] != Kind.HOT]
        for message in sorted(plain, key=lambda m: batch.receives[m] >= SUSPECT_ATTEMPT):
            if not self._has_time(answer):
                answer.returned.append(message)
            elif self.load.kinds[message] == Kind.PLAIN:
                self._plain(message, answer, batch.start)
            else:
                had = self._try(message, answer, 1)
                again.append((message, had))
        if hot:
            self._hot(hot, answer, start, batch.slot)
        for message, had in again:
            enough = self._try(message, answer, self.last_factor) or had
            if enough:
                answer.ended.append((message, start + answer.seconds, Fate.REJECTED))
            else:
                answer.returned.append(message)
        return answer

    def _has_time(self, answer: Answer) -> bool:
        return answer.seconds < self.knobs.timeout - self.knobs.reserve

    def _left(self, answer: Answer) -> float:
        return max(0.0, self.knobs.timeout - self.knobs.reserve / 2 - answer.seconds)

    def _plain(self, message: int, answer: Answer, start: float) -> None:
        needed, left = self.load.work[message], self._left(answer)
        answer.seconds += min(needed, left)
        if needed <= left:
            answer.ended.append((message, start + answer.seconds, Fate.DONE))
        else:
            answer.returned.append(message)

    def _try(self, message: int, answer: Answer, factor: int) -> bool:
        """Try an image that fails; return whether it was given enough time to be blamed."""
        if self.load.kinds[message] == Kind.CRASHES:
            answer.seconds += min(self.load.work[message] + NEW_CHILD, self._left(answer))
            return True
        left = self._left(answer)
        answer.seconds += min(left, factor * self.usual)
        return left >= min(self.usual, MOST * (self.knobs.timeout - self.knobs.reserve / 2))

    def _hot(self, messages: Sequence[int], answer: Answer, start: float, slot: int) -> None:
        """All versions in a batch are one job, done last, and passed over if a later one exists."""
        now = start + answer.seconds
        version = max(self.load.arrivals[message] for message in messages)
        known = self._restless.get(slot, -1.0) > now
        if known and self._latest(now + REQUEST) > version:
            answer.seconds += REQUEST
            fate = Fate.SUPERSEDED
        else:
            self.analysed += 1
            read, answer.seconds = now + REQUEST, answer.seconds + self.load.work[messages[-1]]
            overwritten = self._latest(start + answer.seconds) > self._latest(read)
            fate = Fate.SUPERSEDED if overwritten else Fate.DONE
        if fate == Fate.SUPERSEDED:
            self._restless[slot] = start + answer.seconds + RESTLESS_SECONDS
        answer.ended += [(message, start + answer.seconds, fate) for message in messages]

    def _latest(self, moment: float) -> float:
        """Moment of the latest version of the hot key."""
        return self.versions[bisect_right(self.versions, moment) - 1]


class Shorter(Function):
    """Contained, with less time for the second try."""

    last_factor = 3


class Uncontained(Function):
    """Images decoded in the process that answers: one that fails takes its batch with it.

    The next invocation has to start a new process.
    """

    def run(self, batch: Batch) -> Answer:
        """Process a batch until something ends the process."""
        answer = Answer()
        for message in batch.messages:
            kind = self.load.kinds[message]
            if kind == Kind.CRASHES:
                answer.seconds += self.load.work[message]
            elif kind == Kind.ENDLESS:
                answer.seconds = self.knobs.timeout
            else:
                self._plain(message, answer, batch.start)
                continue
            return Answer(answer.seconds + measured().start, [], list(batch.messages))
        return answer


class StartingOver(Function):
    """Every version of a hot key is analysed, again and again until it is the latest."""

    def run(self, batch: Batch) -> Answer:
        """Process a batch in its order."""
        answer = Answer()
        for message in batch.messages:
            if not self._has_time(answer):
                answer.returned.append(message)
            elif self.load.kinds[message] == Kind.HOT:
                self._until_latest(message, answer, batch.start)
            else:
                self._plain(message, answer, batch.start)
        return answer

    def _until_latest(self, message: int, answer: Answer, start: float) -> None:
        while self._has_time(answer):
            read = self._latest(start + answer.seconds + REQUEST)
            answer.seconds += self.load.work[message]
            if self._latest(start + answer.seconds) == read:
                answer.ended.append((message, start + answer.seconds, Fate.DONE))
                return
        answer.returned.append(message)
