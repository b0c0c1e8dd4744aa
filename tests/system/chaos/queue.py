"""A queue with the semantics of SQS: at least once, in any order, in batches.

Time is counted in delivered batches, not in seconds. A delivered message is invisible until it has
been completed: the function's timeout is far below the visibility timeout, as AWS recommends.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.system.chaos.dice import Dice

LARGEST_BATCH = 5
MOST_RECEIVES = 12  # before a message becomes a dead letter
SECONDS = 120  # after which waiting is a fault of the test


class Stuck(Exception):
    """No message has been delivered or completed for too long."""


@dataclass(eq=False)
class Message:
    """A message; ``about`` is the key that it concerns, ``due`` the time from which it is visible.

    An ``urgent`` message is delivered next, and alone. A ``doomed`` one is expected to end in the
    dead-letter queue. ``over`` is set when a message is deleted or becomes a dead letter.
    ``version`` is the version of the object, to count reordered messages.
    """

    identifier: str
    body: str
    about: str = ""
    version: int = 0
    urgent: bool = False
    doomed: bool = False
    received: int = 0
    due: int = 0
    over: threading.Event = field(default_factory=threading.Event)


class Queue:
    """Waiting messages, messages in flight, and the dead-letter queue.

    Delivery stops as soon as a message is lost, since the run has then failed.
    """

    def __init__(self, dice: Dice) -> None:
        self.dead: list[Message] = []
        self.reordered = 0  # messages first delivered after one of a newer version
        self._dice = dice
        self._newest: dict[str, int] = defaultdict(int)
        self._waiting: list[Message] = []
        self._out: set[Message] = set()
        self._batches = 0
        self._hurry = self._closed = self._broken = False
        self._news = threading.Condition()

    def send(self, message: Message, *, late: int = 0) -> None:
        """Add a message that becomes visible after ``late`` more batches have been delivered."""
        with self._changing():
            message.due = self._batches + late
            self._waiting.append(message)

    def receive(self) -> list[Message]:
        """Wait for a batch and return it; an empty one when no more messages will come."""
        with self._changing():
            self._wait_for(lambda: bool(self._visible() or self._finished()))
            visible = self._visible()
            if self._broken or not visible:
                return []
            batch = self._draw(visible)
            self._batches += 1
            for message in batch:
                self._waiting.remove(message)
                self._out.add(message)
                message.received += 1
                self._count(message)
            return batch

    def complete(self, batch: Collection[Message], again: Collection[Message]) -> None:
        """Delete the messages of a batch, except those to deliver again."""
        with self._changing():
            for message in batch:
                self._out.remove(message)
                if message not in again:
                    message.over.set()
                elif message.received >= MOST_RECEIVES:
                    self.dead.append(message)
                    message.over.set()
                    if not message.doomed:
                        self._break()
                else:
                    delay = self._dice.between(0, 9, "back", message.identifier, message.received)
                    message.due = self._batches + delay
                    self._waiting.append(message)

    @property
    def lost(self) -> list[Message]:
        """Messages that should not have ended in the dead-letter queue."""
        return [message for message in self.dead if not message.doomed]

    def count(self, key: str) -> int:
        """Number of messages that concern an object."""
        with self._news:
            return sum(message.about == key for message in (*self._waiting, *self._out))

    @property
    def broken(self) -> bool:
        """Whether delivery has stopped."""
        return self._broken

    def wait_for_room(self, most: int) -> None:
        """Wait until fewer than ``most`` messages are visible."""
        with self._news:
            self._wait_for(lambda: self._broken or len(self._visible()) < most)

    def wait_until_empty(self) -> None:
        """Wait until every message is deleted or a dead letter; delays are skipped."""
        with self._changing():
            self._hurry = True
        with self._news:
            self._wait_for(lambda: self._broken or not (self._waiting or self._out))

    def close(self, *, broken: bool = False) -> None:
        """Declare that no more messages will be sent; ``broken`` also stops delivery."""
        with self._changing():
            self._closed = self._hurry = True
            if broken:
                self._break()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._news:
            yield
            self._news.notify_all()

    def _wait_for(self, happened: Callable[[], bool]) -> None:
        if not self._news.wait_for(happened, SECONDS):
            names = sorted(message.identifier for message in self._out)
            raise Stuck(
                f"{len(self._waiting)} messages are waiting, {names} in flight, for {SECONDS} s"
            )

    def _finished(self) -> bool:
        return self._broken or (self._closed and not self._waiting and not self._out)

    def _visible(self) -> list[Message]:
        if self._hurry and self._waiting:
            self._batches = max(self._batches, min(message.due for message in self._waiting))
        return [message for message in self._waiting if message.due <= self._batches]

    def _break(self) -> None:
        self._broken = True
        for message in (*self._waiting, *self._out):
            message.over.set()

    def _count(self, message: Message) -> None:
        newest = self._newest[message.about]
        self.reordered += message.received == 1 and message.version < newest
        self._newest[message.about] = max(newest, message.version)

    def _draw(self, visible: list[Message]) -> list[Message]:
        urgent = [message for message in visible if message.urgent]
        if urgent:
            return urgent[:1]
        random = self._dice.random("batch", self._batches)
        return random.sample(visible, min(len(visible), random.randint(1, LARGEST_BATCH)))
