"""From image bytes and a recipe to artifacts and a record: the steps, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fft_tool.admission import Tally, admit
from fft_tool.codec import image_file
from fft_tool.codec.header import Header
from fft_tool.errors import RecipeError, RecipeFault
from fft_tool.image.selection import Selection, select
from fft_tool.limits import Limits
from fft_tool.recipe import Recipe
from fft_tool.results.analysis import analyse
from fft_tool.results.compared import Compared
from fft_tool.results.naming import base_of, output_of
from fft_tool.results.outputs import Artifact, Outputs, Source, output_kinds
from fft_tool.results.parts import PIXEL_PARTS, computed
from fft_tool.results.record import from_bytes
from fft_tool.results.registry import ARTIFACT_KINDS, ArtifactKind, needed_parts, wanted_kinds
from fft_tool.results.values import Made, Remark
from fft_tool.spectrum.kernel import kernel

if TYPE_CHECKING:
    from fft_tool.image.counts import Counts

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

    >>> import numpy as np
    >>> data = image_file.encode_image(np.eye(8, dtype=np.uint8), 255)
    >>> [artifact.name for artifact in run(Source("eye.png", data), Recipe())]
    ['eye_phase.png', 'eye_magnitude.png']

    This function has no side effects: the same arguments give the same bytes, for any number of
    ``threads``. ``on_step`` is called with the name of each step as it begins. ``on_header`` is
    called with the header before decoding, so that a caller can set a deadline by the number of
    pixels. Raises the permanent errors of :mod:`fft_tool.errors`.
    """
    on_step("decode")
    limits, kinds = limits or Limits(), wanted_kinds(recipe)
    names = [kind.name for kind in kinds]
    selection = _select(source, recipe, limits, kinds=names, threads=threads, on_header=on_header)
    artifacts = _make(source, recipe, selection, kinds, limits, threads=threads, on_step=on_step)
    record = from_bytes(artifacts[-1].data) if recipe.metadata else None
    return Outputs(artifacts, record, _remarks(selection, recipe))


def plan(source: Source, recipe: Recipe, limits: Limits | None = None) -> tuple[str, ...]:
    """Names of the artifacts that :func:`run` would make, after all checks before decoding."""
    limits, kinds = limits or Limits(), output_kinds(recipe)
    header = _open(source, recipe, limits).header
    admit(header, _longest_name(source), recipe, limits, kinds)
    return tuple(output_of(source, kind) for kind in kinds)


def warm_up(recipe: Recipe) -> None:
    """Import now what :func:`run` imports at the first image, for instance before forking."""
    from PIL import PngImagePlugin  # noqa: F401, PLC0415  (loaded in advance)

    kernel()
    if recipe.metadata:
        from fft_tool.image import sharpness, statistics  # noqa: F401, PLC0415  (likewise)
        from fft_tool.measures import measure  # noqa: F401, PLC0415  (likewise)
        from fft_tool.results import certificate, recording  # noqa: F401, PLC0415  (likewise)


def run_crop(
    source: Source, recipe: Recipe, limits: Limits | None = None, *, threads: int = 1
) -> Outputs:
    """Make only the crop."""
    return _run_only(ARTIFACT_KINDS["crop"], source, recipe, limits, threads)


def run_filter(
    source: Source, recipe: Recipe, limits: Limits | None = None, *, threads: int = 1
) -> Outputs:
    """Make only the filtered image."""
    return _run_only(ARTIFACT_KINDS["filtered"], source, recipe, limits, threads)


def run_stats(
    source: Source, recipe: Recipe, limits: Limits | None = None, *, threads: int = 1
) -> Outputs:
    """Make no artifacts, only the record's sections on the source and its pixels."""
    from fft_tool.results.recording import pixel_sections  # noqa: PLC0415  (only this needs it)

    selection = _select(source, recipe, limits or Limits(), threads=threads)
    analysis = analyse(source, recipe, selection, PIXEL_PARTS, threads=threads)
    return Outputs((), pixel_sections(analysis), _remarks(selection, recipe))


def run_counts(
    source: Source,
    recipe: Recipe,
    limits: Limits | None = None,
    *,
    threads: int = 1,
    on_header: OnHeader = lambda _: None,
) -> Counts:
    """Count the black and white pixels of the region, on either side of the recipe's threshold.

    >>> import numpy as np
    >>> data = image_file.encode_image(np.eye(8, dtype=np.uint8) * 255, 255)
    >>> run_counts(Source("eye.png", data), Recipe())
    Counts(black=56, white=8)

    Nothing is transformed, so this takes little more time than decoding.
    """
    from fft_tool.image.counting import count  # noqa: PLC0415  (only this needs it)

    limits = limits or Limits()
    selection = _select(source, recipe, limits, threads=threads, on_header=on_header)
    return count(selection.plane, white=selection.white, threshold=recipe.threshold)


def run_comparison(
    first: Source,
    second: Source,
    recipe: Recipe,
    limits: Limits | None = None,
    *,
    threads: int = 1,
    on_header: OnHeader = lambda _: None,
) -> Compared:
    """Compare the grey planes of an image and of another that was made from it.

    >>> import numpy as np
    >>> black, grey = (np.full((8, 8), level, np.uint8) for level in (0, 16))
    >>> images = [Source("a.png", image_file.encode_image(each, 255)) for each in (black, grey)]
    >>> round(run_comparison(*images, Recipe()).psnr_db, 2)
    24.05

    ``recipe`` chooses region and channel of both, and the frame and range of the first.
    """
    from fft_tool.image.comparison import psnr  # noqa: PLC0415  (only this needs it)

    limits = limits or Limits()
    one = _select(first, recipe, limits, threads=threads, on_header=on_header)
    plane, white = one.plane, one.white
    del one
    made = replace(recipe, frame=None, range=None)
    other = _select(second, made, limits, threads=threads)
    if plane.shape != other.plane.shape:
        return Compared(note="the two images differ in size")
    if white != other.white:
        return Compared(note="the two images differ in depth")
    found = psnr(plane, other.plane, white=white, threads=threads)
    note = None if found is not None else "the two images have the same grey levels"
    return Compared(found, white, note)


def run_radial(
    source: Source, recipe: Recipe, limits: Limits | None = None, *, threads: int = 1
) -> Outputs:
    """Make no artifact, only the radial profile, with all of its rings.

    In place of a record there are columns of equal length, one value for each ring: frequencies in
    cycles per pixel, periods in pixels, and powers ``|F|² / (h·w)`` in squared grey levels.
    """
    selection = _select(source, recipe, limits or Limits(), threads=threads)
    analysis = analyse(source, recipe, selection, {"measures"}, threads=threads)
    profile = computed(analysis.measures).profile
    columns = {
        "frequency": profile.frequency,
        "period": 1 / profile.frequency,
        "mean_power": profile.mean,
        "standard_deviation": profile.std,
        "background": profile.background,
        "coefficients": profile.count,
    }
    size = analysis.pixel_size_um
    if size and size[0] == size[1]:
        columns["frequency_per_um"] = profile.frequency / size[0]
    record = {name: column.tolist() for name, column in columns.items()}
    return Outputs((), record, _remarks(selection, recipe))


def _run_only(
    kind: ArtifactKind, source: Source, recipe: Recipe, limits: Limits | None, threads: int
) -> Outputs:
    limits = limits or Limits()
    selection = _select(source, recipe, limits, kinds=(kind.name,), threads=threads)
    made = _make(source, recipe, selection, (kind,), limits, threads=threads)
    return Outputs(made, None, _remarks(selection, recipe))


def _make(
    source: Source,
    recipe: Recipe,
    selection: Selection,
    kinds: Sequence[ArtifactKind],
    limits: Limits,
    *,
    threads: int,
    on_step: OnStep = lambda _: None,
) -> tuple[Artifact, ...]:
    """Make artifacts of the given kinds, analysing the selection only as far as they need it.

    No other reference to the analysis is kept, so its large parts are freed as soon as no
    remaining artifact needs them.
    """
    parts = needed_parts(kinds, recipe)
    analysis = analyse(source, recipe, selection, parts, threads=threads, on_step=on_step)
    tally, artifacts = Tally(limits), list[Artifact]()
    step = None
    for place, kind in enumerate(kinds):
        if kind.step != step:
            step = kind.step
            on_step(step)
        made = kind.make(analysis, tuple(artifacts), threads)
        made = made if isinstance(made, Made) else Made(made)
        analysis = analysis.keeping(needed_parts(kinds[place + 1 :], recipe))
        name = output_of(source, kind.name)
        artifact = Artifact(kind.name, name, made.data, made.details, made.remarks)
        artifacts += tally.checked([artifact])
    return tuple(artifacts)


def _longest_name(source: Source) -> str:
    """The longer one of the names that a record has many of."""
    return max(source.name, base_of(source), key=len)


def _open(source: Source, recipe: Recipe, limits: Limits) -> image_file.Encoded:
    return image_file.open_image(
        source.data, limits, frame=recipe.frame or 1, value_range=recipe.range
    )


def _remarks(selection: Selection, recipe: Recipe) -> tuple[Remark, ...]:
    """What the user should know about the frames and values of the source."""
    remarks, header, values = [], selection.header, selection.values
    if header.frames > 1 and recipe.frame is None:
        message = f"only the first of {header.frames:,} frames was analysed"
        remarks.append(Remark(message, "frame", "N", "analyses another one"))
    if values and values.clipped:
        message = (
            f"{values.clipped:,} values outside the range became black or white; the image has "
            f"{values.minimum:.6g} to {values.maximum:.6g}"
        )
        remarks.append(Remark(message))
    return tuple(remarks)


def _select(
    source: Source,
    recipe: Recipe,
    limits: Limits,
    *,
    kinds: Sequence[str] = (),
    threads: int = 1,
    on_header: OnHeader = lambda _: None,
) -> Selection:
    """Check and decode the source, and select the region to analyse.

    ``kinds`` are the kinds of artifacts that will be made; their size is checked, too.
    """
    image = _open(source, recipe, limits)
    admit(image.header, _longest_name(source), recipe, limits, kinds)
    on_header(image.header)
    raster = image.decode()
    if isinstance(recipe.threshold, int) and recipe.threshold > raster.white:
        allowed = f"should be at most {raster.white}, the white of this image"
        raise RecipeError([RecipeFault("threshold", str(recipe.threshold), allowed)])
    return select(
        raster,
        crop=recipe.crop,
        smart_crop=recipe.smart_crop,
        channel=recipe.channel,
        background=recipe.background,
        threads=threads,
    )
