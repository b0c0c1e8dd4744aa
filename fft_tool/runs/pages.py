"""Expansion of files into their frames or pages, each of which becomes one run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fft_tool.codec.containers import MAX_FRAMES
from fft_tool.codec.image_file import open_image
from fft_tool.errors import AmbiguousSources, FftToolError, TooCostly
from fft_tool.limits import Limits
from fft_tool.results.naming import output_base
from fft_tool.runs.sources import SourceRef


def each_page(
    refs: Iterable[SourceRef], limits: Limits | None = None, *, profile: bool = False
) -> list[SourceRef]:
    """Replace every source that has several pages by one reference for each of them.

    A source with one page, and one that cannot be read or opened, stays as it is: the latter is
    reported when it is processed.
    """
    found = [page for ref in refs for page in _pages(ref, limits or Limits(), profile)]
    owners: dict[str, SourceRef] = {}
    for ref in found:
        other = owners.setdefault(output_base(ref.name, ref.page), ref)
        if other is not ref:
            raise AmbiguousSources(
                f"outputs of {ref} and {other} would have the same name: analyse them one at a time"
            )
    return found


def _pages(ref: SourceRef, limits: Limits, profile: bool) -> Iterator[SourceRef]:
    try:
        source = ref.opened(profile=profile).read(limits)
        count = open_image(source.data, limits).header.frames
    except (FftToolError, MemoryError):
        count = 1
    if count == 1:
        yield ref
        return
    if count > MAX_FRAMES:
        raise TooCostly(
            f"{ref} has {count:,} frames, at most {MAX_FRAMES:,} are analysed at once: take single "
            "ones with frame"
        )
    for page in range(1, count + 1):
        yield replace(ref, page=page)
