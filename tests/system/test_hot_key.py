"""One key is overwritten all the time: the others are processed, and its last version wins.

The function runs in two processes, with Amazon's runtime client and moto's S3. The queue is that of
:mod:`tests.system.chaos`.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.cloud import Bucket
from tests.support.images import chunk, pink_noise, png_bytes
from tests.support.runtime import Function
from tests.system.chaos.dice import Dice
from tests.system.chaos.load import Plan, Version
from tests.system.chaos.notices import created, sqs_event
from tests.system.chaos.queue import Message, Queue
from tests.system.chaos.simulation import moto_s3
from tests.system.chaos.verdict import judge, read_all

WORKERS = 2
OTHERS = 20  # objects
RATE = 15  # uploads a second to the one key
LONGEST = 2.0  # ratio of the times that the others take with and without these uploads

DICE = Dice(1)
END = chunk(b"IEND", b"")
IMAGE = png_bytes(pink_noise((1000, 1000)))
HOT = "input/hot.png"


def version(number: int) -> Version:
    """A file of its own for each version; the pixels, 1000 × 1000, are the same."""
    data = IMAGE.removesuffix(END) + chunk(b"tEXt", b"n\0%d" % number) + END
    return Version(number, "image", data, {})


class Service:
    """The function behind a queue."""

    def __init__(self, bucket: Bucket) -> None:
        self.queue = Queue(DICE)
        self.lines: list[dict[str, Any]] = []
        self._bucket = bucket
        environ = {"AWS_ENDPOINT_URL": bucket.endpoint, "OPENBLAS_NUM_THREADS": "1"}
        self._functions = [Function(environ=environ) for _ in range(WORKERS)]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Process messages until the queue is closed and empty."""
        with ThreadPoolExecutor(WORKERS) as crew:
            work = [crew.submit(self._work, function) for function in self._functions]
            try:
                yield
            finally:
                self.queue.close()
                for function, done in zip(self._functions, work, strict=True):
                    done.result()
                    self.lines += function.log
                    function.stop()

    def _work(self, function: Function) -> None:
        while batch := self.queue.receive():
            answer = function.invoke(sqs_event(batch))
            failed = {one["itemIdentifier"] for one in answer.result["batchItemFailures"]}
            self.queue.complete(
                batch, [message for message in batch if message.identifier in failed]
            )

    def upload(self, key: str, of: Version) -> Message:
        """Put an object and send its event."""
        self._bucket.put(key, of.data)
        body = created(DICE, self._bucket.name, key, of)
        message = Message(f"{key}-{of.number}", body, key, of.number)
        self.queue.send(message)
        return message

    def seconds_for(self, keys: list[str]) -> float:
        """Upload an image under each key; seconds until all are processed."""
        start = time.monotonic()
        messages = [self.upload(key, version(0)) for key in keys]
        for message in messages:
            assert message.over.wait(120)
        return time.monotonic() - start


@contextmanager
def overwriting(service: Service, versions: list[Version]) -> Iterator[None]:
    """Overwrite one key during the ``with`` block; all versions are appended to ``versions``."""
    end = threading.Event()

    def overwrite() -> None:
        next_one = time.monotonic()
        while not end.wait(max(0.0, next_one - time.monotonic())):
            versions.append(version(len(versions)))
            service.upload(HOT, versions[-1])
            next_one += 1 / RATE

    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(overwrite)
        try:
            yield
        finally:
            end.set()
            done.result()


@pytest.mark.slow
@pytest.mark.usefixtures("aws_keys")
def test_a_key_overwritten_all_the_time_does_not_delay_others_and_its_last_version_wins() -> None:
    with moto_s3() as endpoint:
        bucket = Bucket(f"hot-{uuid.uuid4().hex}", endpoint)
        bucket.create()
        service, versions = Service(bucket), list[Version]()
        first, second = ([f"input/{run}/{n}.png" for n in range(OTHERS)] for run in "ab")
        with service.running():
            service.seconds_for(["input/warm/1.png", "input/warm/2.png", "input/warm/3.png"])
            alone = service.seconds_for(first)
            with overwriting(service, versions):
                time.sleep(1)
                beside = service.seconds_for(second)
            service.queue.wait_until_empty()
        found = {key: value for key, value in read_all(bucket).items() if "hot" in key}
        plan = Plan(HOT, tuple(versions), (), frozenset(), frozenset())
        assert [wrong.text for wrong in judge({HOT: plan}, found)] == []
    summaries = [line for line in service.lines if "outcome" in line]
    hot = [line for line in summaries if line["key"] == HOT]
    others = [line for line in summaries if line["key"] != HOT]
    told = f"alone {alone:.2f} s, beside {beside:.2f} s, {len(versions)} versions: "
    told += str(Counter(line["outcome"] for line in hot))
    # No message of the others is returned, and no message at all ends as a dead letter.
    assert {(line["outcome"], line["attempt"]) for line in others} == {("done", 1)}, told
    assert service.queue.dead == []
    # Each upload has been answered, by one analysis at most; few of these were written. How many
    # uploads need no analysis depends on how much time the others leave.
    assert len(hot) == len(versions), told
    assert {line["outcome"] for line in hot} <= {"done", "superseded", "ignored"}, told
    analysed = sum("decode" in line["milliseconds"] for line in hot)
    written = sum("write" in line["milliseconds"] for line in hot)
    restarts = sum(line["restarts"] for line in hot)
    told += f", {analysed} analysed, {written} written, {restarts} restarts"
    assert analysed + restarts <= len(versions), told
    assert written + restarts <= len(versions) / 2, told
    assert beside <= LONGEST * alone, told
