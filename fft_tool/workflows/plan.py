"""The plan of a workflow: what is to be done with one version of one source.

A plan is made before anything is read, from the operations and the recipe that come with the
source. It is small enough to be passed from step to step, and equal plans lead to equal results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from fft_tool.errors import (
    FftToolError,
    NotFound,
    RecipeError,
    RecipeFault,
    Superseded,
)
from fft_tool.operations.naming import COMBINED, plan_operations
from fft_tool.operations.operation import Operation
from fft_tool.operations.registry import format_operations, parse_operations
from fft_tool.recipe import Recipe
from fft_tool.results.naming import output_base, output_of
from fft_tool.results.outputs import output_kinds
from fft_tool.results.values import Source
from fft_tool.stores.base import Stat
from fft_tool.validate import Json

MANIFEST = "manifest.json"
"""Name of the manifest in the folder of the results."""

DEFAULTS = {"metadata": "yes", "histogram": "yes", "phase": "no"}
"""Keys of the recipe whose defaults differ in a workflow."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with one version of a source.

    Attributes
    ----------
    name
        Name of the source, from which the folder of its results is named.
    operations
        Operations, in order.
    recipe
        How the source and the combined image are analysed.
    size, etag
        Bytes and ETag of the version that the plan is for; the ETag is None if the store has none.
    key
        Name of the source in its store, if that differs from ``name``.
    """

    name: str
    operations: tuple[Operation, ...]
    recipe: Recipe
    size: int
    etag: str | None = None
    key: str | None = None

    def to_json(self) -> Json:
        """Return the plan as plain JSON values, which take a few kB at most."""
        return {
            "name": self.name,
            "operations": format_operations(self.operations),
            "recipe": str(self.recipe),
            "size": self.size,
            "etag": self.etag,
            "key": self.key,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read the values of :meth:`to_json`."""
        return cls(
            values["name"],
            parse_operations(values["operations"]),
            Recipe.parse_text(values["recipe"]),
            values["size"],
            values["etag"],
            values["key"],
        )

    @property
    def place(self) -> str:
        """Name of the source in its store."""
        return self.name if self.key is None else self.key

    def check_version(self, stat: Stat) -> None:
        """Raise :class:`~fft_tool.errors.Superseded` unless ``stat`` is of the plan's version."""
        if (stat.size, stat.etag) != (self.size, self.etag):
            raise Superseded(f"{self.place}: overwritten since the work on it began")


def folder_of(name: str) -> str:
    """Folder of the results of a source; no two sources share one.

    >>> folder_of("plants/forest.png"), folder_of("photo.jpg")
    ('plants/forest', 'photo.jpg')
    """
    return output_base(name)


def make_plan(
    name: str,
    operations: str,
    recipe: Mapping[str, Any],
    stat: Stat,
    *,
    key: str | None = None,
) -> Plan:
    """Make a plan from the text of the operations and the keys of the recipe that are given.

    >>> plan = make_plan("forest.png", "greyscale, blur:3", {"bits": "16"}, Stat(100, etag="abc"))
    >>> plan.to_json()["operations"], plan.to_json()["recipe"]
    ('grayscale,blur:3', 'bits=16 phase=no histogram=yes metadata=yes')
    >>> Plan.from_json(plan.to_json()) == plan
    True

    Raises :class:`~fft_tool.errors.OperationsError` and :class:`~fft_tool.errors.RecipeError`,
    both before anything is read.
    """
    made = parse_operations(operations)
    return Plan(name, made, parse_recipe(recipe), stat.size, stat.etag, key)


def parse_recipe(recipe: Mapping[str, Any]) -> Recipe:
    """Parse the recipe of a workflow from the keys that are given."""
    made = Recipe.parse(recipe, base=Recipe.parse(DEFAULTS))
    if not made.metadata:
        rule = "should be yes: the manifest compares the records of both images"
        raise RecipeError([RecipeFault("metadata", "no", rule)])
    return made


def file_names(name: str, operations: Sequence[Operation], recipe: Recipe) -> tuple[str, ...]:
    """Names of all files that a workflow makes of a source, the manifest last.

    >>> file_names("forest.png", parse_operations("blur:3"), parse_recipe({}))[:2]
    ('forest/independent/1-blur.png', 'forest/combined.png')
    """
    folder = folder_of(name)
    images = [f"{folder}/{image}" for image in plan_operations(operations)]
    bases = (f"{folder}/original", f"{folder}/{COMBINED}")
    analyses = [
        output_of(Source(name, b"", base=base), kind)
        for base in bases
        for kind in output_kinds(recipe)
    ]
    return (*images, *analyses, manifest_name(name))


def manifest_name(name: str) -> str:
    """Name of the manifest of a source.

    >>> manifest_name("plants/forest.png")
    'plants/forest/manifest.json'
    """
    return f"{folder_of(name)}/{MANIFEST}"


def is_latest(known: Plan | FftToolError, make: Callable[[], Plan]) -> bool:
    """Whether ``make`` still gives the same plan, or refuses to make one for the same reason.

    The ETag alone does not tell: the same image with other operations has the same ETag. A source
    that has been deleted has no later version.
    """
    try:
        return make() == known
    except NotFound:
        return True
    except FftToolError as exc:
        if exc.permanent:
            return isinstance(known, FftToolError) and str(known) == str(exc)
        raise
