"""From image bytes and a recipe to artifacts and a record: the steps, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool import codec
from fft_tool.artifacts import Maker
from fft_tool.kernel import kernel
from fft_tool.limits import Limits
from fft_tool.naming import output_name
from fft_tool.output_size import Tally
from fft_tool.outputs import Outputs, Source, output_kinds
from fft_tool.picture import paint
from fft_tool.prepare import Preparation, prepare
from fft_tool.recipe import Recipe
from fft_tool.spectrum import Spectrum
from fft_tool.subject import OnHeader, check_header, open_subject
from fft_tool.transform import forward, forward_rows

Plane = NDArray[np.unsignedinteger[Any]]
OnStep = Callable[[str], None]


def run(
    source: Source,
    recipe: Recipe,
    limits: Limits | None = None,
    *,
    threads: int = 1,
    on_step: OnStep = lambda _: None,
    on_header: OnHeader = lambda _: None,
) -> Outputs:
    """Analyse one image.

    Nothing is read but ``source`` and nothing written: the same arguments give the same bytes,
    for any number of ``threads``. ``on_step`` is told each step's name as it begins, and
    ``on_header`` what the source is before it is decoded, for those who keep a clock. Raises the
    permanent errors of :mod:`fft_tool.errors`.
    """
    on_step("decode")
    limits, kinds = limits or Limits(), output_kinds(recipe)
    subject = open_subject(
        source, recipe, limits, kinds=kinds, threads=threads, on_header=on_header
    )

    on_step("transform")
    preparation, spectrum = analyse(subject.plane, subject.white, recipe, threads=threads)
    examination = None
    if recipe.metadata:
        from fft_tool.examine import Examination  # noqa: PLC0415  (only records need it)

        on_step("measure")
        examination = Examination(subject, recipe, preparation, spectrum, threads=threads)

    on_step("paint")
    pictures = paint(
        spectrum,
        scale=recipe.scale,
        bits=recipe.bits,
        phase=recipe.phase,
        largest=_known_largest(preparation, spectrum),
        threads=threads,
    )

    on_step("encode")
    maker = Maker(source, recipe, threads)
    tally = Tally(limits)
    artifacts = [*tally.passing(maker.extras(subject, preparation, spectrum))]
    del spectrum  # the largest thing there is, and no longer needed
    artifacts += tally.passing(maker.pictures(pictures))
    largest = pictures.largest
    del pictures
    if examination is None:
        return Outputs(tuple(artifacts), None)

    on_step("certify")
    document = examination.record(source, largest, artifacts, threads=threads)
    artifacts += tally.passing([maker.record(document)])
    return Outputs(tuple(artifacts), document)


def plan(source: Source, recipe: Recipe, limits: Limits | None = None) -> tuple[str, ...]:
    """Names that :func:`run` would make, after the checks that need no decoding."""
    limits, kinds = limits or Limits(), output_kinds(recipe)
    header = codec.open_image(source.data, limits).header
    check_header(header, source.name, recipe, limits, kinds)
    return tuple(output_name(source.name, kind) for kind in kinds)


def warm_up(recipe: Recipe) -> None:
    """Load now what :func:`run` would load at the first image, for processes to share."""
    from PIL import PngImagePlugin  # noqa: F401, PLC0415

    kernel()
    if recipe.metadata:
        from fft_tool import examine  # noqa: F401, PLC0415


def run_crop(
    source: Source, recipe: Recipe, limits: Limits | None = None, *, threads: int = 1
) -> Outputs:
    """Make only the crop."""
    limits = limits or Limits()
    subject = open_subject(source, recipe, limits, kinds=("crop",), threads=threads)
    made = [Maker(source, recipe, threads).crop(subject)]
    return Outputs(tuple(Tally(limits).passing(made)), None)


def run_filter(
    source: Source, recipe: Recipe, limits: Limits | None = None, *, threads: int = 1
) -> Outputs:
    """Make only the filtered image."""
    limits = limits or Limits()
    subject = open_subject(source, recipe, limits, kinds=("filtered",), threads=threads)
    made = [Maker(source, recipe, threads).filtered(subject)]
    return Outputs(tuple(Tally(limits).passing(made)), None)


def run_stats(
    source: Source, recipe: Recipe, limits: Limits | None = None, *, threads: int = 1
) -> Outputs:
    """Make no artifact, only the record's sections on the source and its pixels."""
    subject = open_subject(source, recipe, limits, threads=threads)
    from fft_tool.examine import subject_findings  # noqa: PLC0415  (only this needs it)

    return Outputs((), subject_findings(subject, recipe))


def analyse(
    plane: Plane, white: int, recipe: Recipe, *, threads: int = 1
) -> tuple[Preparation, Spectrum]:
    """Prepare a grey plane (h, w) as the recipe says, and transform it."""
    preparation = prepare(
        plane,
        white=white,
        window=recipe.window,
        detrend=recipe.detrend,
        periodic=recipe.periodic,
    )
    if preparation.keeps_levels:
        spectrum = forward(plane, precision=recipe.precision, threads=threads)
    else:
        spectrum = forward_rows(
            lambda start, stop: preparation.apply(plane, start, stop, np.float64),
            plane.shape,
            precision=recipe.precision,
            threads=threads,
        )
    if recipe.periodic:
        from fft_tool.periodic import remove_smooth  # noqa: PLC0415  (few recipes need it)

        trend = preparation.trend
        gradient = trend.per_row, trend.per_column
        remove_smooth(spectrum, plane, gradient=gradient, threads=threads)
    return preparation, spectrum


def _known_largest(preparation: Preparation, spectrum: Spectrum) -> float | None:
    """Largest magnitude where theory knows it: no coefficient of an image exceeds its sum."""
    return spectrum.dc if preparation.trivial else None
