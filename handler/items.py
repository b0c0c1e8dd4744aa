"""Batches of objects from a Distributed Map, in the form that its ItemBatcher gives them.

::

    {"BatchInput": {"run": …, "bucket": …, "recipe": {…}, "skip_existing": …},
     "Items": [{"key": …}, …]}

Step Functions does not keep the answers of so many invocations in one place, so each writes a part
beside the results: ``output/backfill/<run>/parts/``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fft_tool.backfill.parts import CONTENT_TYPE, RUN_NAME, Line, part_name, to_part
from fft_tool.runs.sources import is_image_name
from handler.answers import Answered
from handler.bucket import Folder
from handler.errors import MalformedEvent
from handler.events import ITEMS, Delivery, Kind, Message, PassedOver, Task, bucket_in, overrides
from handler.states import as_states
from handler.work import CURRENT

NO_IMAGE = "its name is not that of an image"


@dataclass(frozen=True, slots=True)
class Items(Delivery):
    """One batch of the objects of a ``run``, all in one ``bucket``."""

    run: str = ""
    bucket: str = ""

    @property
    def keys(self) -> list[str]:
        """Keys of the objects, in order."""
        return [part.key for message in self.messages for part in message.parts]


def parse(event: Mapping[str, Any]) -> Items:
    """Parse a batch; :class:`~handler.errors.MalformedEvent` says what is wrong with it."""
    shared, entries = event.get("BatchInput"), event[ITEMS]
    if not isinstance(shared, Mapping):
        raise MalformedEvent("BatchInput should be an object")
    if not isinstance(entries, list) or not entries:
        raise MalformedEvent("Items should be a list of at least one item")
    run, skip = shared.get("run"), shared.get("skip_existing", False)
    if not isinstance(run, str) or not RUN_NAME.fullmatch(run):
        raise MalformedEvent(f"BatchInput.run is {run!r}, should be letters, digits, - and _")
    if not isinstance(skip, bool):
        raise MalformedEvent(f"BatchInput.skip_existing is {skip!r}, should be true or false")
    bucket = bucket_in(shared, "bucket", "BatchInput")
    recipe = overrides(shared.get("recipe"), "BatchInput.recipe")
    messages = tuple(
        Message((_part(entry, index, Task(bucket, "", recipe, skip_existing=skip)),))
        for index, entry in enumerate(entries)
    )
    return Items(Kind.ITEMS, messages, run=run, bucket=bucket)


def failures(answered: Sequence[Answered], output_prefix: str) -> Iterator[Line]:
    """Return a line for each object that should have results and has none.

    Objects that a listing names beside the images, such as results, should not have any.
    """
    for result in (result for _, results in answered for result in results):
        if result.error:
            yield Line(result.part.key, result.outcome, result.code, result.message)
        elif (
            result.outcome == "ignored"
            and isinstance(result.part, Task)
            and result.reason != CURRENT
            and not result.part.key.startswith(output_prefix)
        ):
            yield Line(result.part.key, "ignored", "not-a-source", result.reason)


def write(results: Folder, items: Items, lines: Sequence[Line]) -> None:
    """Write a part; an error is raised as Step Functions has to see it."""
    with as_states():
        results.write(part_name(items.run, items.keys), to_part(lines), content_type=CONTENT_TYPE)


def _part(entry: Any, index: int, wanted: Task) -> Task | PassedOver:
    key = entry.get("key") if isinstance(entry, Mapping) else None
    if not isinstance(key, str) or not key:
        raise MalformedEvent(f"Items[{index}].key should be text")
    if not is_image_name(key):
        return PassedOver(NO_IMAGE, wanted.bucket, key)
    return Task(wanted.bucket, key, wanted.recipe, skip_existing=wanted.skip_existing)
