"""Check whether all outputs of a source exist, intact, from the same recipe and version."""

from __future__ import annotations

import hashlib

from fft_tool.errors import FftToolError
from fft_tool.limits import Limits
from fft_tool.recipe import Recipe
from fft_tool.results.formats import FORMATS
from fft_tool.results.naming import output_name, output_of
from fft_tool.results.record import from_bytes, listed_artifacts
from fft_tool.results.registry import RECORD, wanted_kinds
from fft_tool.results.values import Source, provenance
from fft_tool.runs.fetch import read_within
from fft_tool.runs.one import mark_of
from fft_tool.stores.base import Stat, Store


def is_complete(target: Store, source: Source, recipe: Recipe) -> bool:
    """Whether ``target`` already holds what a run of ``source`` with ``recipe`` would write.

    Every file is read and verified. The result is False if a file is missing, damaged, or made from
    another source.
    """
    kinds = wanted_kinds(recipe)
    wanted = provenance(source, recipe)
    try:
        names = {kind.name: output_of(source, kind.name) for kind in kinds}
        data = {name: read_within(target, file, Limits()) for name, file in names.items()}
        same_origin = all(
            texts(data[kind.name]) == wanted
            for kind in kinds
            if (texts := FORMATS[kind.extension].texts) is not None
        )
        return same_origin and (RECORD not in data or _is_record_of(data, source, recipe))
    except FftToolError:
        return False


def is_current(target: Store, name: str, stat: Stat, recipe: Recipe) -> bool:
    """Whether ``target`` holds a finished record of this version of a source with this recipe.

    Neither is read: the record's metadata, see :func:`fft_tool.runs.one.mark_of`, name the ETag of
    the source that it was made from. False if there are none, as in a folder.
    """
    mark = mark_of(stat, recipe)
    if not mark:
        return False
    try:
        found = target.stat(output_name(name, RECORD)).metadata
    except FftToolError:
        return False
    return mark.items() <= dict(found).items()


def _is_record_of(data: dict[str, bytes], source: Source, recipe: Recipe) -> bool:
    from fft_tool.results.recording import opening  # noqa: PLC0415  (loads the record's model)

    record = from_bytes(data[RECORD])
    made = opening(source, recipe, "done")
    listed = {kind: entry.sha256 for kind, entry in listed_artifacts(record).items()}
    found = {kind: hashlib.sha256(b).hexdigest() for kind, b in data.items() if kind != RECORD}
    return listed == found and all(record.get(key) == value for key, value in made.items())
