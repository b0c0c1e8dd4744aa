"""Jobs: the work of one invocation.

An object that is overwritten again and again must neither delay the others nor be analysed for
every upload. Therefore all messages of a delivery about one object are one job, and keys that were
overwritten during recent work are remembered.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from handler.events import Delivery, Message, Part, Task

Place = tuple[int, int]  # the position of a part in the delivery: message, part

# From this attempt on, a message is processed after all others of its batch.
SUSPECT_ATTEMPT = 3

RESTLESS_SECONDS = 60.0
MOST_RESTLESS = 1000  # number of keys that are remembered


@dataclass(frozen=True, slots=True)
class Job:
    """One part of a message, or one object that several messages are about.

    ``places`` are its positions in the delivery, with the ``parts`` and ``messages`` found there.
    """

    places: tuple[Place, ...]
    parts: tuple[Part, ...]
    messages: tuple[Message, ...]

    @property
    def part(self) -> Part:
        """The part to be processed: all of them ask for the same."""
        return self.parts[0]

    @property
    def is_suspect(self) -> bool:
        """Whether it was returned so often that it may be what kept others from being answered."""
        return any(message.attempt >= SUSPECT_ATTEMPT for message in self.messages)

    @property
    def etags(self) -> frozenset[str]:
        """The versions that the messages are about, if all messages are new; otherwise empty.

        An object that is none of these versions any more was uploaded again, with an event of its
        own. Nothing remains to be done for new messages, which cannot have left outdated outputs.
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
    """Keys that were overwritten while they were being processed, remembered for a minute each."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[tuple[str, str], float] = {}  # oldest first

    def note(self, part: Part) -> None:
        """Remember that an object has just been overwritten."""
        self._until.pop((part.bucket, part.key), None)
        self._until[part.bucket, part.key] = self._clock() + RESTLESS_SECONDS
        if len(self._until) > MOST_RESTLESS:
            del self._until[next(iter(self._until))]

    def __contains__(self, part: Part) -> bool:
        return self._until.get((part.bucket, part.key), 0.0) > self._clock()


def jobs_of(delivery: Delivery) -> list[Job]:
    """Return the jobs of a delivery, in the order of its messages.

    All its messages were sent before it was delivered, so reading an object once is enough for all
    messages about it.
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
