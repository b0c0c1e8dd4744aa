"""A run: uploads, workers, injected faults, and the final check."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.support.cloud import Bucket
from tests.support.runtime import FunctionDied
from tests.system.chaos.dice import Dice
from tests.system.chaos.history import History
from tests.system.chaos.load import Planner, Scale
from tests.system.chaos.meddling import Chaos
from tests.system.chaos.notices import MALFORMED, ignorable, sqs_event
from tests.system.chaos.proxy import proxy
from tests.system.chaos.queue import Message, Queue
from tests.system.chaos.uploads import Uploads
from tests.system.chaos.verdict import Wrong, judge, read_all
from tests.system.chaos.workers import Worker

ROOM = 12  # number of visible messages at which uploads wait for the workers
SHOWN = 3  # number of objects whose history is shown
# Remaining seconds for a batch: enough for the function never to give up a request that is only
# delayed here, since such a request could still take effect later.
TIME = 600

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Ending:
    """The result of a run: deviations, and the history of all objects."""

    seed: int
    scale: Scale
    wrong: tuple[Wrong, ...]
    history: History

    @property
    def tally(self) -> Counter[str]:
        """Counts of each kind of event."""
        return self.history.tally

    def __str__(self) -> str:
        keys = list(dict.fromkeys(wrong.key for wrong in self.wrong))
        details = [
            "\n".join([f"{w.key}: {w.text}" for w in self.wrong if w.key == key])
            + f"\n{self.history.of(key)}"
            for key in keys[:SHOWN]
        ]
        head = (
            f"{len(keys)} objects are wrong. To repeat the run: CHAOS_SEED={self.seed} "
            f"pytest tests/system/test_chaos.py -k {self.scale.objects}-objects"
        )
        return "\n\n".join([head, *details, ", ".join(keys[SHOWN:])])


class Simulation:
    """A run of one seed."""

    def __init__(self, seed: int, scale: Scale, bucket: Bucket) -> None:
        self._dice, self._scale, self._bucket = Dice(seed), scale, bucket
        self._load = Planner(self._dice, scale).load()
        self._history = History()
        self._queue = Queue(self._dice)
        self._uploads = Uploads(self._dice, self._load, bucket, self._queue, self._history)
        self._chaos = Chaos(
            self._dice, self._load, self._uploads, self._history, held=scale.workers - 1
        )
        self._wrong: list[Wrong] = []

    def run(self) -> Ending:
        """Upload everything, process messages until the queue is empty, and check the result."""
        with (
            proxy(self._bucket.endpoint, self._chaos.meet) as endpoint,
            ThreadPoolExecutor(self._scale.workers) as pool,
        ):
            names = [f"worker-{n}" for n in range(1, self._scale.workers + 1)]
            work = [pool.submit(self._work, name, endpoint) for name in names]
            with self._breaking():
                self._upload()
        for done in work:
            done.result()
        return self._judge()

    def _upload(self) -> None:
        for index, key in enumerate(self._load.turns):
            self._queue.wait_for_room(ROOM)
            if self._queue.broken:
                return
            self._uploads.in_turn(key)
            if index == len(self._load.turns) // 2:
                self._send_strange_messages(key)
        self._queue.wait_until_empty()
        while not self._queue.broken and self._uploads.remind():
            self._queue.wait_until_empty()
        self._queue.close()

    def _send_strange_messages(self, known: str) -> None:
        """Send malformed messages, and messages that the function should ignore."""
        for index, body in enumerate(MALFORMED):
            self._queue.send(Message(f"malformed-{index}", body, doomed=True))
        for index, body in enumerate(ignorable(self._bucket.name, known)):
            self._queue.send(Message(f"ignorable-{index}", body))

    @contextlib.contextmanager
    def _breaking(self) -> Iterator[None]:
        """Stop delivery after a fault of the test itself, so that no thread waits forever."""
        try:
            yield
        except BaseException:
            self._queue.close(broken=True)
            raise

    def _work(self, name: str, endpoint: str) -> None:
        """Run a worker until the end, and replace its process whenever it is killed."""
        with self._breaking():
            for life in itertools.count(1):
                worker = Worker(f"{name}-{life}", endpoint)
                self._chaos.workers[worker.name] = worker
                with worker.function:
                    if self._serve(worker):
                        return

    def _serve(self, worker: Worker) -> bool:
        """Process one batch after the other; False if the process has died."""
        while not worker.killed and (batch := self._queue.receive()):
            for message in batch:
                self._note(message, f"to {worker.name}, receive count {message.received}")
            again = self._do(worker, batch)
            for message in batch:
                back = f"will be retried: {worker.log_of(message.about)}"
                self._note(message, back if message in again else "is deleted")
            self._queue.complete(batch, again)
        return not worker.killed

    def _do(self, worker: Worker, batch: Sequence[Message]) -> Collection[Message]:
        """Process a batch; returns the messages to deliver again."""
        try:
            answer = worker.function.invoke(sqs_event(batch), remaining=TIME, patience=TIME)
        except FunctionDied as exc:
            worker.wait_for_requests()
            if not worker.killed:
                self._wrong += [Wrong(m.about, f"{worker.name} died: {exc}") for m in batch]
                worker.killed = True
            return batch
        if worker.has_requests:
            early = f"{worker.name} answered before S3 had answered it"
            self._wrong += [Wrong(message.about, early) for message in batch]
        messages = {message.identifier: message for message in batch}
        try:
            failed = answer.result["batchItemFailures"]
            return [messages[failure["itemIdentifier"]] for failure in failed]
        except (KeyError, TypeError):
            self._wrong += [Wrong(m.about, f"{worker.name} answered {answer}") for m in batch]
            return batch

    def _judge(self) -> Ending:
        wrong = [Wrong(m.about, f"{m.identifier} was lost") for m in self._queue.lost]
        if not wrong:
            wrong += judge(self._load.plans, read_all(self._bucket))
            doomed = sum(message.doomed for message in self._queue.dead)
            if doomed < len(MALFORMED):
                wrong.append(Wrong("", f"{doomed} malformed messages came to the dead letters"))
        wrong += [*self._wrong, *self._chaos.wrong]
        self._history.tally["reordered"] = self._queue.reordered
        return Ending(self._dice.seed, self._scale, tuple(wrong), self._history)

    def _note(self, message: Message, text: str) -> None:
        self._history.note(message.about, f"{message.identifier}: {text}")


@contextlib.contextmanager
def moto_s3() -> Iterator[str]:
    """Run moto's S3 in a separate process; yields its URL."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=_end_with_parent,  # noqa: PLW1509  (no other way to change the process itself)
    ) as process:
        assert process.stdout is not None
        reader: threading.Thread | None = None
        try:
            for line in process.stdout:
                if found := re.search(rb"http://127\.0\.0\.1:\d+", line):
                    reader = threading.Thread(target=process.stdout.read)
                    reader.start()  # a full pipe would block the server
                    yield found[0].decode()
                    return
            raise AssertionError("moto has ended without naming its port")
        finally:
            process.terminate()
            if reader:
                reader.join()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
