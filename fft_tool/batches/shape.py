"""The shape of a job: how many batches of how many images, and how their pixels are counted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fft_tool.errors import BadJob, RecipeError
from fft_tool.recipe import KEYS, Recipe, key_name
from fft_tool.spelling import did_you_mean
from fft_tool.validate import Json

SETTINGS = "job.json"
LONGEST_SETTINGS = 64 << 10  # bytes
MOST_IMAGES = 1_000_000  # in a whole job

COUNTING_KEYS = ("frame", "range", "crop", "smart-crop", "channel", "background", "threshold")
"""Keys of the recipe on which the counts depend."""

_NUMBERS = ("batches", "images")


@dataclass(frozen=True, slots=True)
class JobShape:
    """How many ``batches`` of how many ``images`` a job has, and the ``recipe`` for counting.

    >>> JobShape(batches=2).overridden({"images": 3, "threshold": "otsu"}).to_json()
    {'batches': 2, 'images': 3, 'threshold': 'otsu'}

    Only the keys of :data:`COUNTING_KEYS` may differ from their defaults in the recipe.
    """

    batches: int = 5
    images: int = 20
    recipe: Recipe = field(default_factory=Recipe)

    def __post_init__(self) -> None:
        faults = [
            fault
            for name in _NUMBERS
            if (fault := _number_fault(name, getattr(self, name))) is not None
        ]
        if not faults and self.batches * self.images > MOST_IMAGES:
            faults.append(
                f"batches={self.batches} of images={self.images}: a job has at most "
                f"{MOST_IMAGES:,} images"
            )
        faults += [f"{name}: has no part in counting" for name in self._others()]
        if faults:
            raise BadJob(faults)

    def overridden(self, settings: Mapping[str, Any]) -> JobShape:
        """Return the shape with these settings in place of its own; reports all faults at once."""
        faults: list[str] = []
        numbers: dict[str, int] = {}
        texts: dict[str, Any] = {}
        for name, value in settings.items():
            key = key_name(str(name))
            if key in _NUMBERS:
                numbers[key] = value
                faults += filter(None, [_number_fault(key, value)])
            elif key in COUNTING_KEYS:
                texts[name] = value
            else:
                known = (*_NUMBERS, *COUNTING_KEYS)
                near = did_you_mean(key, known)
                faults.append(f"{name}: unknown setting; known: {', '.join(known)}{near}")
        recipe = self.recipe
        try:
            recipe = Recipe.parse(texts, recipe)
        except RecipeError as exc:
            faults += map(str, exc.faults)
        if faults:
            raise BadJob(faults)
        return JobShape(**{**self._numbers(), **numbers}, recipe=recipe)

    def overridden_by_file(self, data: bytes) -> JobShape:
        """Return the shape with the settings of a ``job.json``."""
        try:
            return self.overridden(_read_settings(data))
        except BadJob as exc:
            raise BadJob([f"{SETTINGS}: {fault}" for fault in exc.faults]) from exc

    def to_json(self) -> Json:
        """Return the settings that :meth:`overridden` turns the default shape into this one by."""
        texts, defaults = self.recipe.texts(), Recipe().texts()
        changed = {name: text for name, text in texts.items() if text != defaults[name]}
        return {**self._numbers(), **changed}

    def _numbers(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in _NUMBERS}

    def _others(self) -> Iterator[str]:
        """Keys of the recipe that differ from their defaults and do not matter here."""
        for key in KEYS:
            if key.name not in COUNTING_KEYS and getattr(self.recipe, key.field) != key.default:
                yield key.name


def _number_fault(name: str, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_IMAGES:
        return f"{name}={value!r}: should be a whole number from 1 to {MOST_IMAGES:,}"
    return None


def _read_settings(data: bytes) -> Json:
    if len(data) > LONGEST_SETTINGS:
        raise BadJob([f"has {len(data):,} bytes, at most {LONGEST_SETTINGS:,} are read"])
    twice: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> Json:
        names = [name for name, _ in pairs]
        twice.extend(sorted({name for name in names if names.count(name) > 1}))
        return dict(pairs)

    try:
        found = json.loads(data.decode(), object_pairs_hook=unique)
    except (ValueError, RecursionError) as exc:
        raise BadJob([f"is not JSON: {str(exc).partition(chr(10))[0]}"]) from exc
    if not isinstance(found, dict):
        raise BadJob(['should be an object such as {"batches": 5, "images": 20}'])
    if twice:
        raise BadJob([f"{name}: given twice" for name in twice])
    return found
