"""From image bytes and a recipe to artifacts and a record: the steps, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.admission import Tally, admit
from fft_tool.codec import image_file
from fft_tool.codec.header import Header
from fft_tool.errors import Fault, RecipeError
from fft_tool.image.selection import Selection, select
from fft_tool.limits import Limits
from fft_tool.recipe import Recipe
from fft_tool.results.artifacts import Maker
from fft_tool.results.naming import output_name
from fft_tool.results.outputs import Outputs, Source, output_kinds
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.kernel import kernel
from fft_tool.spectrum.pictures import paint
from fft_tool.spectrum.preparation import Preparation, prepare
from fft_tool.spectrum.transform import forward, forward_rows

Plane = NDArray[np.unsignedinteger[Any]]
OnStep = Callable[[str], None]
OnHeader = Callable[[Header], None]


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

    >>> data = image_file.encode_image(np.eye(8, dtype=np.uint8), 255)
    >>> [artifact.name for artifact in run(Source("eye.png", data), Recipe())]
    ['eye_phase.png', 'eye_magnitude.png']

    Nothing is read but ``source`` and nothing written: the same arguments give the same bytes,
    for any number of ``threads``. ``on_step`` is told each step's name as it begins, and
    ``on_header`` what the source is before it is decoded, for those who keep a clock. Raises the
    permanent errors of :mod:`fft_tool.errors`.
    """
    on_step("decode")
    limits, kinds = limits or Limits(), output_kinds(recipe)
    selection = _select(source, recipe, limits, kinds=kinds, threads=threads, on_header=on_header)

    on_step("transform")
    preparation, spectrum = analyse(selection.plane, selection.white, recipe, threads=threads)
    examination = None
    if recipe.metadata:
        from fft_tool.results.examine import Examination  # noqa: PLC0415  (only records need it)

        on_step("measure")
        examination = Examination(selection, recipe, preparation, spectrum, threads=threads)

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
    artifacts = [*tally.passing(maker.extras(selection, preparation, spectrum))]
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
    header = image_file.open_image(source.data, limits).header
    admit(header, source.name, recipe, limits, kinds)
    return tuple(output_name(source.name, kind) for kind in kinds)


def warm_up(recipe: Recipe) -> None:
    """Load now what :func:`run` would load at the first image, for processes to share."""
    from PIL import PngImagePlugin  # noqa: F401, PLC0415

    kernel()
    if recipe.metadata:
        from fft_tool.results import examine  # noqa: F401, PLC0415


def run_crop(
    source: Source, recipe: Recipe, limits: Limits | None = None, *, threads: int = 1
) -> Outputs:
    """Make only the crop."""
    limits = limits or Limits()
    selection = _select(source, recipe, limits, kinds=("crop",), threads=threads)
    made = [Maker(source, recipe, threads).crop(selection)]
    return Outputs(tuple(Tally(limits).passing(made)), None)


def run_filter(
    source: Source, recipe: Recipe, limits: Limits | None = None, *, threads: int = 1
) -> Outputs:
    """Make only the filtered image."""
    limits = limits or Limits()
    selection = _select(source, recipe, limits, kinds=("filtered",), threads=threads)
    made = [Maker(source, recipe, threads).filtered(selection)]
    return Outputs(tuple(Tally(limits).passing(made)), None)


def run_stats(
    source: Source, recipe: Recipe, limits: Limits | None = None, *, threads: int = 1
) -> Outputs:
    """Make no artifact, only the record's sections on the source and its pixels."""
    selection = _select(source, recipe, limits or Limits(), threads=threads)
    from fft_tool.results.examine import pixel_findings  # noqa: PLC0415  (only this needs it)

    return Outputs((), pixel_findings(selection, recipe))


def _select(
    source: Source,
    recipe: Recipe,
    limits: Limits,
    *,
    kinds: Sequence[str] = (),
    threads: int = 1,
    on_header: OnHeader = lambda _: None,
) -> Selection:
    """Check, decode, and select what is analysed.

    ``kinds`` are those of the artifacts that will be made, whose size is checked too.
    """
    image = image_file.open_image(source.data, limits)
    admit(image.header, source.name, recipe, limits, kinds)
    on_header(image.header)
    raster = image.decode()
    if isinstance(recipe.threshold, int) and recipe.threshold > raster.white:
        allowed = f"should be at most {raster.white}, the white of this image"
        raise RecipeError([Fault("threshold", str(recipe.threshold), allowed)])
    return select(
        raster,
        crop=recipe.crop,
        smart_crop=recipe.smart_crop,
        channel=recipe.channel,
        background=recipe.background,
        threads=threads,
    )


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
        from fft_tool.spectrum.periodic import remove_smooth  # noqa: PLC0415  (few recipes need it)

        trend = preparation.trend
        gradient = trend.per_row, trend.per_column
        remove_smooth(spectrum, plane, gradient=gradient, threads=threads)
    return preparation, spectrum


def _known_largest(preparation: Preparation, spectrum: Spectrum) -> float | None:
    """Largest magnitude where theory knows it: no coefficient of an image exceeds its sum."""
    return spectrum.dc if preparation.trivial else None
