"""Masks of recipes and their files: parsing a recipe reads nothing, the doors do.

A recipe names its masks (``filter=mask:repair.png``). :func:`resolve_masks` adds their bytes, which
``read`` finds: files for the command line and the library, other places for other doors. Until
then the recipe cannot run. A door that has nowhere to read masks from passes :func:`no_masks`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fft_tool.errors import RecipeError, RecipeFault
from fft_tool.recipe import Recipe

if TYPE_CHECKING:
    from fft_tool.spectrum.filters import Filter
    from fft_tool.spectrum.masks import MaskFile

UNRESOLVED = "its file has not been read yet: fft_tool.mask_files.resolve_masks does that"

Read = Callable[["MaskFile"], bytes]
"""Returns the bytes of a mask, or raises ``ValueError`` with what is wrong and what to do.

The bytes are checked against the mask's SHA-256, if it has one, which may also serve to find them.
"""


def resolve_masks(recipe: Recipe, read: Read) -> Recipe:
    """Return a recipe whose masks have their bytes, and in its text their SHA-256.

    >>> recipe = Recipe(filter="lowpass:3+mask:masks/repair.png")
    >>> str(resolve_masks(recipe, lambda mask: b"the bytes of " + mask.file.encode()))[:50]
    'filter=lowpass:3+mask:repair.png,c34c53b70f3ff5025'

    Masks that have their bytes already are not read again. Whether they are masks that suit an
    image is checked once it is known. Raises :class:`~fft_tool.errors.RecipeError` with every mask
    that cannot be read.
    """
    found: dict[Filter, MaskFile] = {}
    faults = []
    for mask in _masks_of(recipe):
        try:
            if mask.data is None and mask not in found:
                found[mask] = mask.resolved(read(mask))
        except ValueError as exc:
            faults.append(RecipeFault("filter", str(mask), str(exc)))
    if faults:
        raise RecipeError(faults)
    filters = tuple(found.get(each, each) for each in recipe.filter or ())
    return dataclasses.replace(recipe, filter=filters) if found else recipe


def read_file(mask: MaskFile) -> bytes:
    """Read a mask from its file, relative to the working directory."""
    from fft_tool.spectrum.masks import LARGEST_FILE, too_large  # noqa: PLC0415  (loads numpy)

    path = Path(mask.file)
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is not a file: name a PNG file")
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
            size = path.stat().st_size
    except FileNotFoundError as exc:
        raise ValueError(
            "there is no such file: name one relative to the working directory"
        ) from exc
    except OSError as exc:
        raise ValueError(f"the file cannot be read: {exc.strerror or exc}") from exc
    if len(data) > LARGEST_FILE:
        raise ValueError(too_large(size))
    return data


def no_masks(_mask: MaskFile) -> bytes:
    """Refuse a mask at a door that has nowhere to read it from."""
    raise ValueError(
        "masks are not accepted here, since their files cannot be read: filter with this mask on "
        "the command line, or use the other filters"
    )


def check_resolved(recipe: Recipe) -> None:
    """Raise :class:`~fft_tool.errors.RecipeError` if a mask of a recipe has no bytes yet."""
    faults = [
        RecipeFault("filter", str(each), UNRESOLVED)
        for each in _masks_of(recipe)
        if each.data is None
    ]
    if faults:
        raise RecipeError(faults)


def data_of_masks(recipe: Recipe) -> dict[str, bytes]:
    """Files of the masks of a recipe by their SHA-256, without those that have no bytes yet."""
    return {str(each.sha256): each.data for each in _masks_of(recipe) if each.data is not None}


def _masks_of(recipe: Recipe) -> list[MaskFile]:
    if not recipe.filter:
        return []
    from fft_tool.spectrum.masks import MaskFile  # noqa: PLC0415  (loads numpy, as filters do)

    return [each for each in recipe.filter if isinstance(each, MaskFile)]
