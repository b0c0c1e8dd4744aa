"""The uploads of a run: the versions of every key, and the order of all uploads."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from math import ceil

import numpy as np

from tests.support.images import SIGNATURE, chunk, header, noise, pink_noise, png_bytes, png_file
from tests.system.chaos.dice import Dice

INPUT, OUTPUT = "input/", "output/"

FOLDERS = ("", "plants/", "a b+c/", "grün/", "100%/", "😀/tief/er/")

RECIPES: tuple[dict[str, str], ...] = (
    {},
    {"window": "hann"},
    {"bits": "16"},
    {"crop": "2,3,11,9"},
    {"scale": "db", "detrend": "mean"},
    {"phase": "no"},
    {"filter": "lowpass:4"},
    {"bits": "16", "crop": "square", "window": "tukey"},
)
BAD_RECIPES: tuple[dict[str, str], ...] = (
    {"crop": "900,900,4,4"},
    {"window": "hanning"},
    {"colour": "yes", "bits": "16"},
    {"author": "Fourier"},
)
FOREIGN = "mtime"  # written by rclone, and not a key of the recipe

# How a regular version differs from the previous one, with probabilities.
CHANGES = {
    "both": 0.35,
    "image": 0.25,
    "recipe": 0.27,
    "bad recipe": 0.03,
    "foreign": 0.05,
    "same": 0.05,
}


@dataclass(frozen=True)
class Version:
    """One upload: its number, its difference from the previous version, and the object."""

    number: int
    change: str
    data: bytes
    metadata: Mapping[str, str]

    @property
    def recipe(self) -> dict[str, str]:
        """The keys of the recipe in the metadata."""
        return {key: text for key, text in self.metadata.items() if key != FOREIGN}

    def __str__(self) -> str:
        return f"version {self.number} ({self.change}, {len(self.data)} bytes, {self.metadata})"


@dataclass(frozen=True)
class Moment:
    """A point in the processing of an object: before or after a request to S3 is executed."""

    kind: str
    side: str

    def __str__(self) -> str:
        return f"{self.side} {self.kind}"


@dataclass(frozen=True)
class Overwriting:
    """A new version that is uploaded while the previous one is being processed.

    If ``patient``, the worker continues only after the event of the new version has been handled,
    so that its writes are outdated; otherwise it continues at once. If ``fatal``, the worker is
    killed after its next write.
    """

    moment: Moment
    change: str
    patient: bool = True
    fatal: bool = False


READ = Moment("read", "after")
PICTURE = Moment("write magnitude", "before")
RECORD = Moment("write metadata", "before")

# Scenarios of objects that are overwritten during processing, assigned in turn. The second of two
# overwritings affects the same worker, after it has started over. "mended" replaces a corrupt file.
SCENARIOS = (
    (Overwriting(READ, "recipe"),),
    (Overwriting(RECORD, "image"),),
    (Overwriting(PICTURE, "both"), Overwriting(READ, "recipe")),
    (Overwriting(PICTURE, "both", fatal=True),),
    (Overwriting(READ, "corrupt"),),
    (Overwriting(READ, "mended"),),
    (Overwriting(RECORD, "recipe"),),
    (Overwriting(READ, "image"),),
    (Overwriting(RECORD, "recipe", fatal=True),),
    (Overwriting(RECORD, "mended"),),
    (Overwriting(RECORD, "bad recipe"),),
    (Overwriting(PICTURE, "both"), Overwriting(READ, "image")),
    (Overwriting(Moment("look", "before"), "image", patient=False),),
    (Overwriting(Moment("look", "after"), "recipe", patient=False),),
    (Overwriting(READ, "both", patient=False),),
    (Overwriting(Moment("write metadata", "after"), "foreign"),),
)


@dataclass(frozen=True)
class Plan:
    """Versions of one object, in the order in which they are uploaded.

    The last ones are ``overwritings``. Events of the versions ``held_back`` are sent after the one
    of the next version, and those of the versions ``repeated`` twice.
    """

    key: str
    versions: tuple[Version, ...]
    overwritings: tuple[Overwriting, ...]
    held_back: frozenset[int]
    repeated: frozenset[int]

    @property
    def in_turn(self) -> int:
        """Number of versions that are uploaded regularly."""
        return len(self.versions) - len(self.overwritings)


@dataclass(frozen=True)
class Load:
    """All uploads of a run: ``plans`` by key, and the keys in the order of their uploads."""

    plans: Mapping[str, Plan]
    turns: tuple[str, ...]


@dataclass(frozen=True)
class Scale:
    """The size of a run, and the shares of unusual objects, events and uploads."""

    objects: int
    uploads: int
    workers: int
    overwritten: float = 0.1  # of the objects, during processing
    repeated: float = 0.1  # of the events
    held_back: float = 0.1  # of the events
    corrupt: float = 0.05  # of the regular uploads


class Planner:
    """Plans the uploads of a run."""

    def __init__(self, dice: Dice, scale: Scale) -> None:
        self._dice = dice
        random = dice.random("plan")
        objects = range(scale.objects)
        at_work = random.sample(objects, ceil(scale.overwritten * scale.objects))
        self._scenarios = dict(zip(at_work, cycle(SCENARIOS), strict=False))
        again = scale.uploads - scale.objects - sum(map(len, self._scenarios.values()))
        self._counts = Counter([*objects, *random.choices(objects, k=again)])
        in_turn = [(i, n) for i in objects for n in range(self._counts[i])]
        followed = [(i, n) for i, n in in_turn if n + 1 < self._counts[i]]
        self._corrupt = set(random.sample(in_turn, ceil(scale.corrupt * len(in_turn))))
        self._repeated = set(random.sample(in_turn, ceil(scale.repeated * scale.uploads)))
        self._held_back = set(random.sample(followed, ceil(scale.held_back * scale.uploads)))

    def load(self) -> Load:
        """All uploads of the run."""
        plans = [self._plan(index) for index in sorted(self._counts)]
        return Load({plan.key: plan for plan in plans}, self._turns(plans))

    def _plan(self, index: int) -> Plan:
        key = f"{INPUT}{self._dice.one_of(FOLDERS, 'folder', index)}{index:03}.png"
        overwritings = self._scenarios.get(index, ())
        changes = [self._change(index, number) for number in range(self._counts[index])]
        if overwritings and overwritings[0].change == "mended":
            changes[-1] = "corrupt"
        changes += [overwriting.change for overwriting in overwritings]
        versions: list[Version] = []
        for number, change in enumerate(changes):
            versions.append(self._version(key, number, change, versions[-1:]))
        return Plan(
            key,
            tuple(versions),
            overwritings,
            frozenset(n for i, n in self._held_back if i == index),
            frozenset(n for i, n in self._repeated if i == index),
        )

    def _change(self, index: int, number: int) -> str:
        if (index, number) in self._corrupt:
            return "corrupt"
        random = self._dice.random("change", index, number)
        return random.choices([*CHANGES], [*CHANGES.values()])[0] if number else "both"

    def _version(self, key: str, number: int, change: str, before: list[Version]) -> Version:
        dice, about = self._dice, (key, number)
        data = before[0].data if before else b""
        metadata = dict(before[0].metadata) if before else {}
        if change in ("image", "both", "mended"):
            data = _image(dice, *about)
        if change in ("recipe", "both", "mended"):
            others = [recipe for recipe in RECIPES if recipe != metadata]
            metadata = dice.one_of(others, "recipe", *about)
        match change:
            case "corrupt":
                data = _corrupt(dice, _image(dice, *about), *about)
            case "bad recipe":
                metadata = dice.one_of(BAD_RECIPES, "recipe", *about)
            case "foreign":
                metadata |= {FOREIGN: f"1763600000.{number}"}
        return Version(number, change, data, metadata)

    def _turns(self, plans: list[Plan]) -> tuple[str, ...]:
        """Shuffle all uploads, but let about half closely follow the previous version."""
        turns: list[tuple[float, str]] = []
        for plan in plans:
            random = self._dice.random("turns", plan.key)
            time = random.random()
            for _ in range(plan.in_turn):
                turns.append((time, plan.key))
                time += random.choice((0.004 * random.random(), random.random()))
        return tuple(key for _, key in sorted(turns))


def _image(dice: Dice, *about: object) -> bytes:
    """A small image that is unique to a version: grey or colour, sometimes with 16 bits."""
    random = dice.random("image", *about)
    height, width = random.randint(16, 64), random.randint(16, 64)
    depth = np.uint16 if random.random() < 0.1 else np.uint8
    if random.random() < 0.2:
        return png_bytes(noise((height, width, 3), depth, random.randrange(2**32)))
    return png_bytes(pink_noise((height, width), depth, random.randrange(2**32)))


def _corrupt(dice: Dice, image: bytes, *about: object) -> bytes:
    """A copy of an image that is damaged in one of several ways."""
    enormous = header(60_000, 60_000), chunk(b"IDAT", zlib.compress(repr(about).encode()))
    damaged = (
        image[: len(image) // 2],
        image[:-40] + bytes([image[-40] ^ 0xFF]) + image[-39:],
        image.removeprefix(SIGNATURE),
        png_file(*enormous),
        b"",
    )
    return dice.one_of(damaged, "damaged", *about)
