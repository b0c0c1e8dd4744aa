"""Jobs: what an invocation does for its messages, and in which order.

An object that is overwritten again and again must neither delay its neighbours nor be analysed for
every upload. So an object that several messages of a delivery tell of is one job, and a key that
was overwritten recently while it was being worked on comes after all others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from handler.events import Delivery, Message, Part, Task

Place = tuple[int, int]  # of a part: number of its message, and index in that

# Receives of a message after which it is done when all others of its batch have been.
SUSPECT = 3

RESTLESS_SECONDS = 60.0
MOST_RESTLESS = 1000  # keys that are remembered


@dataclass(frozen=True, slots=True)
class Job:
    """One part of a message, or an object that several messages tell of.

    ``places`` are where in the delivery its result belongs; ``parts`` and ``messages`` are what is
    there.
    """

    places: tuple[Place, ...]
    parts: tuple[Part, ...]
    messages: tuple[Message, ...]

    @property
    def part(self) -> Part:
        """What is to be done: the same for all of them."""
        return self.parts[0]

    @property
    def is_suspect(self) -> bool:
        """Whether it has come back so often that it may have kept others from being answered."""
        return any(message.attempt >= SUSPECT for message in self.messages)

    @property
    def etags(self) -> frozenset[str]:
        """Versions that the messages tell of, if all of them are new; otherwise none.

        If the object is none of these any more, the message of a later upload is under way, and
        these have nothing to do: no work on them can have left anything behind.
        """
        if not all(isinstance(part, Task) and part.etag for part in self.parts):
            return frozenset()
        tasks = [part for part in self.parts if isinstance(part, Task)]
        if not all(
            message.is_new(task) for message, task in zip(self.messages, tasks, strict=True)
        ):
            return frozenset()
        return frozenset(task.etag.strip('"') for task in tasks)


class Restless:
    """Keys that were overwritten while they were being worked on, each remembered for a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[tuple[str, str], float] = {}  # the oldest first

    def note(self, part: Part) -> None:
        """Note that an object has just been overwritten."""
        self._until.pop((part.bucket, part.key), None)
        self._until[part.bucket, part.key] = self._clock() + RESTLESS_SECONDS
        if len(self._until) > MOST_RESTLESS:
            del self._until[next(iter(self._until))]

    def __contains__(self, part: Part) -> bool:
        return self._until.get((part.bucket, part.key), 0.0) > self._clock()


def jobs_of(delivery: Delivery) -> list[Job]:
    """Give the jobs of a delivery, in the order of its messages.

    All messages about one object were sent before the delivery, so a job that reads the object now
    does what each of them asks for.
    """
    jobs: dict[object, Job] = {}
    for number, message in enumerate(delivery.messages):
        for index, part in enumerate(message.parts):
            place = number, index
            shared = isinstance(part, Task) and part.announced
            name = (part.bucket, part.key) if shared else place
            job = jobs.get(name, Job((), (), ()))
            jobs[name] = Job((*job.places, place), (*job.parts, part), (*job.messages, message))
    return list(jobs.values())
