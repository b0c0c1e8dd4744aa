"""Uploads and their events, and the latest version of each object."""

from __future__ import annotations

import threading
from collections import defaultdict

from tests.support.cloud import Bucket
from tests.system.chaos.dice import Dice
from tests.system.chaos.history import History
from tests.system.chaos.load import Load, Moment, Overwriting, Plan, Version
from tests.system.chaos.notices import created
from tests.system.chaos.queue import Message, Queue

MOST_REMINDERS = 3  # after which an overwriting happens at any moment


class Uploads:
    """Uploads objects, version by version, and sends their events to the queue."""

    def __init__(
        self, dice: Dice, load: Load, bucket: Bucket, queue: Queue, history: History
    ) -> None:
        self._dice, self._load, self._bucket = dice, load, bucket
        self._queue, self._history = queue, history
        self._put: dict[str, int] = defaultdict(int)  # number of versions, by key
        self._held_back: dict[str, list[Message]] = defaultdict(list)
        self._reminders = 0
        self._lock = threading.Lock()

    def in_turn(self, key: str) -> None:
        """Upload the next version of an object."""
        with self._lock:
            self._upload(self._load.plans[key])

    def due(self, moment: Moment, key: str, *, overtaken: bool) -> Overwriting | None:
        """The overwriting of an object that is due at this moment, if there is one.

        None is due while another event of the object is pending, which would hide a fault.
        """
        plan = self._load.plans.get(key)
        overwriting = self._overwriting(plan) if plan else None
        if plan is None or overwriting is None or self._queue.count(key) > 1:
            return None
        first = overwriting is plan.overwritings[0]
        fits = moment == overwriting.moment and (first or overtaken)
        return overwriting if fits or self._reminders > MOST_REMINDERS else None

    def at(
        self, moment: Moment, key: str, worker: str, *, overtaken: bool
    ) -> tuple[Overwriting, Message] | None:
        """Overwrite an object if that is due now; returns the overwriting and its event."""
        with self._lock:
            overwriting = self.due(moment, key, overtaken=overtaken)
            if overwriting is None:
                return None
            where = f"{moment} of {worker}"
            event = self._upload(self._load.plans[key], where, urgent=overwriting.patient)
            return overwriting, event

    def remind(self) -> bool:
        """Repeat the events of objects with pending overwritings; returns whether there are any."""
        with self._lock:
            self._reminders += 1
            waiting = [plan for plan in self._load.plans.values() if self._overwriting(plan)]
            for plan in waiting:
                version = plan.versions[self._put[plan.key] - 1]
                reminder = self._message(plan.key, version, "reminder", str(self._reminders))
                self._queue.send(reminder)
            return bool(waiting)

    def _overwriting(self, plan: Plan) -> Overwriting | None:
        """The next overwriting of an object, once its regular versions are uploaded."""
        done = self._put[plan.key] - plan.in_turn
        return plan.overwritings[done] if 0 <= done < len(plan.overwritings) else None

    def _upload(self, plan: Plan, at_work: str = "", *, urgent: bool = False) -> Message:
        version = plan.versions[self._put[plan.key]]
        self._bucket.client.put_object(
            Bucket=self._bucket.name, Key=plan.key, Body=version.data, Metadata=version.metadata
        )
        self._put[plan.key] += 1
        counts_as = "overwritten during processing" if at_work else "put"
        self._history.note(plan.key, f"put of {version} {at_work}", counts_as=counts_as)
        event = self._message(plan.key, version)
        event.urgent = urgent
        self._announce(plan, version, event)
        return event

    def _announce(self, plan: Plan, version: Version, event: Message) -> None:
        """Send an event once or twice, now or after that of the next version."""
        late = self._held_back.pop(plan.key, [])
        if version.number in plan.repeated:
            late.append(self._message(plan.key, version, "again"))
            self._history.count("repeated")
        if version.number in plan.held_back:
            self._held_back[plan.key] = [event, *late]
            return
        self._queue.send(event)
        for message in late:
            delay = self._dice.between(4, 15, "late", message.identifier)
            self._queue.send(message, late=delay)

    def _message(self, key: str, version: Version, *suffixes: str) -> Message:
        identifier = "-".join((key, str(version.number), *suffixes))
        body = created(self._dice, self._bucket.name, key, version)
        return Message(identifier, body, key, version.number)
