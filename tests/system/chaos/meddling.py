"""Fault injection between the function and S3, determined by the seed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from hashlib import sha256

from fft_tool.results.naming import EXTENSIONS, output_name
from tests.system.chaos.dice import Dice
from tests.system.chaos.history import History
from tests.system.chaos.ledger import Ledger
from tests.system.chaos.load import INPUT, OUTPUT, Load, Moment
from tests.system.chaos.proxy import Answer, PassOn, Request, refusal
from tests.system.chaos.uploads import Uploads
from tests.system.chaos.verdict import Wrong
from tests.system.chaos.workers import Worker

PATIENCE = 20  # seconds for which a worker waits for another one
ATTEMPTS = 4  # consecutive attempts that fail while S3 is down
SOON = 0.008  # seconds, about the time to analyse a small image

KINDS = {"GET": "read", "HEAD": "look", "PUT": "write"}


@dataclass(frozen=True)
class Odds:
    """Probabilities of faults, per request unless noted otherwise."""

    refused: float = 0.012  # 400, 403 and 409, which clients do not retry
    unavailable: float = 0.03  # 500 and 503, which clients retry
    down: float = 0.004  # 503 several times in a row
    cut: float = 0.03  # the connection is closed
    slow: float = 0.03
    killed: float = 0.007


@dataclass(frozen=True)
class Step:
    """A request for an object: the ``count``-th of its kind for its key."""

    worker: Worker
    key: str
    kind: str
    count: int

    @property
    def writes(self) -> bool:
        """Whether the request is a write."""
        return self.kind.startswith("write")

    def __str__(self) -> str:
        return f"{self.worker.name}: {self.kind} ({self.count})"


class Chaos:
    """Intercepts every request of the workers."""

    def __init__(
        self, dice: Dice, load: Load, uploads: Uploads, history: History, *, held: int
    ) -> None:
        """At most ``held`` workers wait at a time, so that at least one makes progress."""
        self.workers: dict[str, Worker] = {}
        self.wrong: list[Wrong] = []
        self._dice, self._uploads, self._history = dice, uploads, history
        self._odds = Odds()
        self._ledger = Ledger()
        self._outputs = _outputs_of(load)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._overtaken: set[tuple[Worker, str]] = set()
        self._doomed: set[tuple[Worker, str]] = set()
        self._places = threading.Semaphore(held)
        self._lock = threading.Lock()

    def meet(self, request: Request, pass_on: PassOn) -> Answer | None:
        """Forward, refuse or drop a request."""
        step = self._step(request)
        with step.worker.requesting():
            return self._meet(step, request, pass_on)

    def _meet(self, step: Step, request: Request, pass_on: PassOn) -> Answer | None:
        self._reach(step, "before")
        fault = self._fault(step)
        if fault.isdecimal():
            return refusal(int(fault))
        if fault == "cut before":
            return None
        if step.worker.killed or request.given_up():
            self._history.note(step.key, f"{step}: its sender has given up")
            return None
        answer = pass_on()
        self._note(step, request, answer)
        self._reach(step, "after")
        if fault == "cut after":
            return None
        return replace(answer, whole=fault != "cut half")

    def _step(self, request: Request) -> Step:
        kind = KINDS.get(request.method, request.method)
        key, artifact = self._outputs.get(request.key, (request.key, ""))
        kind = f"{kind} {artifact}".strip()
        with self._lock:
            self._counts[key, kind] += 1
            count = self._counts[key, kind]
        return Step(self.workers[request.signer], key, kind, count)

    def _reach(self, step: Step, side: str) -> None:
        """Kill the worker or overwrite its object, if that is planned at this point."""
        self._kill(step, side)
        moment, overtaken = Moment(step.kind, side), (step.worker, step.key) in self._overtaken
        due = self._uploads.due(moment, step.key, overtaken=overtaken)
        if due and not step.worker.killed and self._places.acquire(blocking=False):
            try:
                self._overwrite(step, moment, overtaken=overtaken)
            finally:
                self._places.release()

    def _kill(self, step: Step, side: str) -> None:
        random = self._dice.random("killed", step.key, step.kind, step.count)
        happens = random.random() < self._odds.killed and side == random.choice(("before", "after"))
        if happens and side == "after" and random.random() < 0.5:
            threading.Timer(SOON * random.random(), self._kill_now, [step, "soon after"]).start()
        elif happens:
            self._kill_now(step, side)
        elif (step.worker, step.key) in self._doomed and side == "after" and step.writes:
            self._kill_now(step, "out of date, after")

    def _kill_now(self, step: Step, when: str) -> None:
        if step.worker.kill():
            self._history.note(step.key, f"{step}: killed {when}", counts_as="killed")

    def _overwrite(self, step: Step, moment: Moment, *, overtaken: bool) -> None:
        done = self._uploads.at(moment, step.key, str(step), overtaken=overtaken)
        if not done:
            return
        overwriting, event = done
        if overwriting.patient:
            self._overtaken.add((step.worker, step.key))
            answered = event.over.wait(PATIENCE)
            outcome = "overtaken" if answered else "not overtaken in time"
            self._history.note(step.key, f"{step}: {outcome}", counts_as=outcome)
        if overwriting.fatal:
            self._doomed.add((step.worker, step.key))

    def _fault(self, step: Step) -> str:
        """The fault of a request; empty if there is none."""
        odds, about = self._odds, (step.key, step.kind)
        random = self._dice.random("fault", *about, step.count)
        faults = {
            random.choice(("400", "403", "409")): odds.refused,
            random.choice(("500", "503")): odds.unavailable,
            random.choice(("cut before", "cut after", "cut half")): odds.cut,
            "slow": odds.slow,
            "": 1 - odds.refused - odds.unavailable - odds.cut - odds.slow,
        }
        fault = random.choices([*faults], [*faults.values()])[0]
        if self._dice.happens(odds.down, "down", *about, step.count // ATTEMPTS):
            fault = "503"
        if fault:
            self._history.note(step.key, f"{step}: {fault}", counts_as=fault)
        if fault == "slow":
            time.sleep(0.03 * random.random())
        return fault

    def _note(self, step: Step, request: Request, answer: Answer) -> None:
        """Record what S3 did, and check the order of a worker's writes."""
        digest = sha256(request.body or answer.body).hexdigest()[:8]
        self._history.note(step.key, f"{step}: {answer.status} {digest}", counts_as="requests")
        if request.method == "PUT" and answer.status == 200:
            wrong = self._ledger.enter(step.worker.name, request.key, request.body)
            self.wrong += [Wrong(step.key, text) for text in wrong]


def _outputs_of(load: Load) -> dict[str, tuple[str, str]]:
    """Source key and kind of every possible output, by the key of the output."""
    return {
        OUTPUT + output_name(key.removeprefix(INPUT), artifact): (key, artifact)
        for key in load.plans
        for artifact in EXTENSIONS
    }
