"""The analysis: everything that is computed from one source before anything is written.

Artifacts and the record are functions of the analysis. Each of its parts is computed once, and
only if an artifact needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from fft_tool.arrays import Plane
from fft_tool.image.selection import Selection
from fft_tool.parallel import run_all
from fft_tool.recipe import Recipe
from fft_tool.results.parts import Part
from fft_tool.results.values import Source
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.pictures import Pictures, paint
from fft_tool.spectrum.preparation import Preparation, prepare
from fft_tool.spectrum.transform import forward, forward_rows

if TYPE_CHECKING:
    from fft_tool.image.sharpness import Sharpness
    from fft_tool.image.statistics import PixelStatistics
    from fft_tool.measures.measure import Measures


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was computed from ``source`` according to ``recipe``.

    Attributes
    ----------
    selection
        The region's channels and grey plane.
    preparation
        What was done to the grey plane before the transform.
    dc
        Sum of the prepared plane, in grey levels.
    largest
        Magnitude of the strongest coefficient, which scales the pictures.
    statistics
        Statistics of the grey plane and of the channels that differ from it, by name.
    sharpness
        Sharpness of the grey plane; None if it has no interior pixels.
    measures
        Measures of the spectrum.
    spectrum, pictures
        The two parts that are as large as the image; None if no remaining artifact needs them.
    """

    source: Source
    recipe: Recipe
    selection: Selection
    preparation: Preparation
    dc: float = 0.0
    largest: float = 0.0
    statistics: Mapping[str, PixelStatistics] = field(default_factory=dict)
    sharpness: Sharpness | None = None
    measures: Measures | None = None
    spectrum: Spectrum | None = None
    pictures: Pictures | None = None

    def keeping(self, parts: Collection[Part]) -> Analysis:
        """Return the analysis without the large parts that are not among ``parts``."""
        return replace(
            self,
            spectrum=self.spectrum if "spectrum" in parts else None,
            pictures=self.pictures if "pictures" in parts else None,
        )

    @property
    def pixel_size_um(self) -> tuple[float, float] | None:
        """Pixel size (x, y) in micrometres: the recipe's overrides the source's."""
        size = self.recipe.pixel_size
        return (size, size) if size else self.selection.header.pixel_size_um


def analyse(
    source: Source,
    recipe: Recipe,
    selection: Selection,
    parts: Collection[Part],
    *,
    threads: int = 1,
    on_step: Callable[[str], None] = lambda _: None,
) -> Analysis:
    """Compute ``parts`` of the analysis. ``on_step`` is called with the name of each step."""
    preparation, spectrum = Preparation(selection.white), None
    if not {"spectrum", "measures", "pictures"}.isdisjoint(parts):
        on_step("transform")
        preparation, spectrum = transform(selection.plane, selection.white, recipe, threads=threads)
    analysis = Analysis(
        source,
        recipe,
        selection,
        preparation,
        dc=spectrum.dc if spectrum else 0.0,
        spectrum=spectrum,
    )
    if not {"statistics", "sharpness", "measures"}.isdisjoint(parts):
        on_step("measure")
        analysis = _measured(analysis, spectrum, parts, threads)
    if spectrum and "pictures" in parts:
        on_step("paint")
        pictures = paint(
            spectrum,
            scale=recipe.scale,
            bits=recipe.bits,
            phase=recipe.phase,
            # Without preparation, no coefficient of a non-negative image exceeds its sum.
            largest=spectrum.dc if preparation.trivial else None,
            threads=threads,
        )
        analysis = replace(analysis, pictures=pictures, largest=pictures.largest)
    return analysis.keeping(parts)


def transform(
    plane: Plane, white: int, recipe: Recipe, *, threads: int = 1
) -> tuple[Preparation, Spectrum]:
    """Prepare a grey plane (h, w) according to the recipe, and transform it."""
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
        prepared = preparation.at(plane.shape)
        spectrum = forward_rows(
            lambda start, stop: prepared.apply(plane, start, stop, np.float64),
            plane.shape,
            precision=recipe.precision,
            threads=threads,
        )
    if recipe.periodic:
        from fft_tool.spectrum.periodic import Jumps, remove_smooth  # noqa: PLC0415  (seldom)

        jumps = preparation.jumps or Jumps.of(plane)
        remove_smooth(spectrum, jumps, gradient=preparation.trend.gradient, threads=threads)
    return preparation, spectrum


def _measured(
    analysis: Analysis, spectrum: Spectrum | None, parts: Collection[Part], threads: int
) -> Analysis:
    """Add the measurements of pixels and spectrum, computed at the same time."""
    tasks = [lambda: _with_pixels(analysis, parts)]
    if spectrum and "measures" in parts:
        tasks.append(lambda: _with_measures(analysis, spectrum))
    pixels, *rest = run_all(tasks, threads=threads)
    return replace(pixels, measures=rest[0].measures) if rest else pixels


def _with_pixels(analysis: Analysis, parts: Collection[Part]) -> Analysis:
    from fft_tool.image.sharpness import sharpness  # noqa: PLC0415  (not every recipe needs it)
    from fft_tool.image.statistics import describe  # noqa: PLC0415  (as above)

    selection, threshold = analysis.selection, analysis.recipe.threshold
    planes = _planes(selection) if "channels" in parts else {"grey": selection.plane}
    return replace(
        analysis,
        statistics={
            name: describe(plane, white=selection.white, threshold=threshold)
            for name, plane in planes.items()
        },
        sharpness=sharpness(selection.plane, white=selection.white)
        if "sharpness" in parts
        else None,
    )


def _planes(selection: Selection) -> dict[str, Plane]:
    """The grey plane and, unless the image is plain grey, each channel."""
    planes = {"grey": selection.plane}
    if selection.names != ("grey",):
        for index, name in enumerate(selection.names):
            # A grey image with alpha has a channel called grey, too; the analysed plane is kept.
            planes.setdefault(name, selection.channels[:, :, index])
    return planes


def _with_measures(analysis: Analysis, spectrum: Spectrum) -> Analysis:
    from fft_tool.measures.measure import measure  # noqa: PLC0415  (only records need it)

    measures = measure(
        spectrum,
        window=analysis.preparation.window,
        step=1.0,  # grey levels are whole
        pixel_size_um=analysis.pixel_size_um,
    )
    return replace(analysis, measures=measures)
