"""Whether the outputs of a source are all there, whole, and made by the same recipe and version."""

from __future__ import annotations

import hashlib

from fft_tool.codec import png_file
from fft_tool.errors import FftToolError
from fft_tool.limits import Limits
from fft_tool.recipe import Recipe
from fft_tool.results.artifacts import provenance
from fft_tool.results.naming import RECORD, output_name
from fft_tool.results.outputs import Source, output_kinds
from fft_tool.runs.fetch import read_within
from fft_tool.stores.base import Store


def is_complete(target: Store, source: Source, recipe: Recipe) -> bool:
    """Whether a run of ``source`` by ``recipe`` would write what ``target`` has already.

    Every file is read and verified: one that is missing, damaged or of another source counts as
    not there.
    """
    kinds = output_kinds(recipe)
    wanted = provenance(source, recipe)
    try:
        names = {kind: output_name(source.name, kind) for kind in kinds}
        data = {kind: read_within(target, name, Limits()) for kind, name in names.items()}
        return all(_text_of(kind, data[kind]) == wanted for kind in kinds if kind != RECORD) and (
            RECORD not in kinds or _is_record_of(data, source, recipe)
        )
    except FftToolError:
        return False


def _text_of(kind: str, data: bytes) -> dict[str, str]:
    """Provenance that a file bears, once it has been found to be whole."""
    if kind == "spectrum":
        from fft_tool.results.spectrum_file import load_spectrum, spectrum_text  # noqa: PLC0415  (few have one)

        load_spectrum(data)
        return spectrum_text(data)
    png_file.parse(data)
    return png_file.read_text(data)


def _is_record_of(data: dict[str, bytes], source: Source, recipe: Recipe) -> bool:
    from fft_tool.results.record import from_bytes, listed_artifacts, opening  # noqa: PLC0415

    record = from_bytes(data[RECORD])
    made = opening(source, recipe, "done")
    listed = {kind: entry.sha256 for kind, entry in listed_artifacts(record).items()}
    found = {kind: hashlib.sha256(b).hexdigest() for kind, b in data.items() if kind != RECORD}
    return listed == found and all(record.get(key) == value for key, value in made.items())
