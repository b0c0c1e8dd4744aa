"""The registry of artifacts: one entry holds everything there is to know about a kind of artifact.

Naming, admission, the pipeline, checks for completeness and the report all read
:data:`ARTIFACT_KINDS`. Adding a kind takes one entry there, and the function that makes the
artifact. That function imports what it needs itself, so that names and sizes are available without
numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fft_tool.recipe import Recipe
from fft_tool.results.formats import FORMATS
from fft_tool.results.parts import PIXEL_PARTS, Part, computed
from fft_tool.results.record import max_correction_bytes
from fft_tool.results.values import Artifact, Made, provenance
from fft_tool.spectrum.choices import MAX_JUMPS

if TYPE_CHECKING:
    from fft_tool.arrays import Plane
    from fft_tool.results.analysis import Analysis
    from fft_tool.spectrum.pictures import HalfPicture

Make = Callable[["Analysis", Sequence[Artifact], int], "bytes | Made"]
"""Takes an analysis, the artifacts made so far and a number of threads; returns a file's bytes."""

# Overhead of incompressible data: at most 1 byte in 128 for blocks, and 64 bytes per chunk.
_FRAMING, _CHUNK = 128, 64
_DRAWING = 256 << 10  # a drawing of fixed size
_RECORD = 64 << 10  # those sections of a record whose size does not depend on the image


@dataclass(frozen=True, slots=True)
class Extent:
    """Sizes that bound those of artifacts, known before the source is decoded.

    ``height`` and ``width`` of the region are in pixels. ``sample`` is the size of one sample,
    ``texts`` that of the provenance texts inside an artifact, and ``name`` that of the source's
    name, all in bytes.
    """

    height: int
    width: int
    channels: int
    sample: int
    texts: int
    name: int


@dataclass(frozen=True, slots=True)
class Shown:
    """How a report shows an artifact: its title, a note, how to draw it, and its position.

    ``note`` is called with the recipe's values as text. The smallest ``place`` is shown first.
    """

    title: str
    note: Callable[[Mapping[str, str]], str]
    drawn_as: Literal["magnitude", "phase", "photo"]
    place: int


@dataclass(frozen=True, slots=True)
class ArtifactKind:
    """One kind of artifact.

    Attributes
    ----------
    name, extension
        Name of the kind, which is part of the names of its files, and their extension.
    wanted
        Whether a recipe asks for it.
    needs
        Parts of the analysis from which it is made. A part that no kind needs is not computed; one
        that no remaining kind needs is released.
    make
        Makes the bytes of the file.
    max_bytes
        Upper bound on the size of the file, without provenance texts.
    memory
        Bytes per pixel that a run needs for it, in addition to the grey plane and the spectrum; the
        second argument is the number of bytes per pixel of the latter.
    copies
        How many copies of the decoded region it takes beside that.
    line_memory
        Bytes that it takes for each row and column.
    check
        Raises the error of a recipe that does not suit an image of this extent, before decoding.
    step
        Step of the run in which it is made.
    shown
        How a report shows it; None if it does not.
    """

    name: str
    extension: str
    wanted: Callable[[Recipe], bool]
    needs: Callable[[Recipe], frozenset[Part]]
    make: Make
    max_bytes: Callable[[Extent, Recipe], int]
    memory: Callable[[Recipe, float], float] = lambda _recipe, _half: 0
    copies: int = 0
    line_memory: Callable[[Recipe], int] = lambda _recipe: 0
    check: Callable[[Extent, Recipe], None] = lambda _extent, _recipe: None
    step: str = "encode"
    shown: Shown | None = None

    def __post_init__(self) -> None:
        if self.extension not in FORMATS:
            raise ValueError(f"{self.name}: {self.extension} is not a known format")


def wanted_kinds(recipe: Recipe) -> tuple[ArtifactKind, ...]:
    """Kinds of artifacts that a recipe asks for, in the order in which they are written."""
    return tuple(kind for kind in ARTIFACT_KINDS.values() if kind.wanted(recipe))


def needed_parts(kinds: Iterable[ArtifactKind], recipe: Recipe) -> frozenset[Part]:
    """Parts of an analysis from which artifacts of some kinds are made."""
    return frozenset().union(*(kind.needs(recipe) for kind in kinds))


def registry(*kinds: ArtifactKind) -> dict[str, ArtifactKind]:
    """Kinds by name; raises ``ValueError`` if a name occurs twice."""
    found = {kind.name: kind for kind in kinds}
    if len(found) < len(kinds):
        raise ValueError("two kinds of artifacts have the same name")
    return found


def _crop(analysis: Analysis, _made: Sequence[Artifact], threads: int) -> bytes:
    """Make an image of the analysed region, with all its channels."""
    return _image(analysis.selection.channels, analysis, threads)


def _filtered(analysis: Analysis, _made: Sequence[Artifact], threads: int) -> Made:
    """Make the filtered image."""
    from fft_tool.results.filtered import filtered_image  # noqa: PLC0415  (loads numpy)

    image = filtered_image(analysis.selection, analysis.recipe, threads=threads)
    return Made(_image(image.pixels, analysis, threads), image.to_json(), image.remarks())


def _check_masks(extent: Extent, recipe: Recipe) -> None:
    """Check that the masks of files are as large as what is filtered."""
    from fft_tool.spectrum.masks import MaskFile  # noqa: PLC0415  (loads numpy)

    for each in recipe.filter or ():
        if isinstance(each, MaskFile):
            each.check((extent.height, extent.width))


def _filtered_sample(extent: Extent, recipe: Recipe) -> int:
    """Bytes of a pixel in the filtered image."""
    return extent.sample * (extent.channels if recipe.channel == "luma" else 1)


def _filtered_memory(recipe: Recipe, half: float) -> float:
    from fft_tool.spectrum.filters import memory_of_filters  # noqa: PLC0415  (loads numpy)

    real = 4 if recipe.precision == "single" else 8
    return memory_of_filters(recipe.filter or (), real, half)


def _filtered_line_memory(recipe: Recipe) -> int:
    from fft_tool.spectrum.filters import memory_of_lines  # noqa: PLC0415  (loads numpy)

    return memory_of_lines(recipe.filter or ())


def _histogram(analysis: Analysis, _made: Sequence[Artifact], _threads: int) -> bytes:
    from fft_tool.codec import png_encode  # noqa: PLC0415  (loads numpy)
    from fft_tool.results.histogram import drawn_planes, histogram_picture  # noqa: PLC0415  (loads numpy)

    picture = histogram_picture(drawn_planes(analysis.statistics, analysis.recipe.channel))
    return png_encode.encode(picture, text=provenance(analysis.source, analysis.recipe))


def _spectrum(analysis: Analysis, _made: Sequence[Artifact], _threads: int) -> bytes:
    from fft_tool.arrays import sha256_of_levels  # noqa: PLC0415  (loads numpy)
    from fft_tool.results.spectrum_file import GREY_SHA256, save_spectrum  # noqa: PLC0415  (loads numpy)

    text = provenance(analysis.source, analysis.recipe)
    text |= {GREY_SHA256: sha256_of_levels(analysis.selection.plane)}
    return save_spectrum(computed(analysis.spectrum), analysis.preparation, text)


def _phase(analysis: Analysis, _made: Sequence[Artifact], threads: int) -> bytes:
    return _picture(computed(computed(analysis.pictures).phase), "cyclic", analysis, threads)


def _magnitude(analysis: Analysis, _made: Sequence[Artifact], threads: int) -> bytes:
    return _picture(computed(analysis.pictures).magnitude, "sequential", analysis, threads)


def _record(analysis: Analysis, made: Sequence[Artifact], threads: int) -> bytes:
    from fft_tool.results import record, recording  # noqa: PLC0415  (loads the record's model)

    return record.to_bytes(recording.done(analysis, made, threads=threads).to_json())


def _picture(picture: HalfPicture, colours: str, analysis: Analysis, threads: int) -> bytes:
    table = None
    if analysis.recipe.colour:
        from fft_tool.spectrum import colourmap  # noqa: PLC0415  (loads numpy)

        table = getattr(colourmap, colours)()
    text = provenance(analysis.source, analysis.recipe)
    return picture.to_png(table=table, text=text, threads=threads)


def _image(pixels: Plane, analysis: Analysis, threads: int) -> bytes:
    from fft_tool.codec import image_file  # noqa: PLC0415  (loads numpy)

    return image_file.encode_image(
        pixels,
        analysis.selection.white,
        pixel_size_um=analysis.selection.header.pixel_size_um,
        text=provenance(analysis.source, analysis.recipe),
        threads=threads,
    )


def _parts(*parts: Part) -> Callable[[Recipe], frozenset[Part]]:
    return lambda _recipe: frozenset(parts)


def png_bytes(height: int, row_bytes: int) -> int:
    """Upper bound on the size of a PNG file: all rows, with filter bytes, stored uncompressed."""
    raw = height * (1 + row_bytes)
    chunks = 1 + raw // (1 << 18)
    return raw + raw // _FRAMING + _CHUNK * min(height, chunks)


def _sample_of_picture(recipe: Recipe) -> int:
    """Bytes per pixel of a picture."""
    return recipe.bits // 8 * (3 if recipe.colour else 1)


def _picture_bytes(extent: Extent, recipe: Recipe) -> int:
    return png_bytes(extent.height, extent.width * _sample_of_picture(recipe))


def _picture_memory(recipe: Recipe, half: float) -> float:
    """Bytes per pixel for one picture: its file, and the codes of the half spectrum."""
    return _sample_of_picture(recipe) * (1 + _share(recipe, half))


def _phase_memory(recipe: Recipe, half: float) -> float:
    """Bytes per pixel for the phase picture; the codes of both pictures are computed together."""
    magnitudes = 0 if recipe.magnitude else recipe.bits // 8 * _share(recipe, half)
    return _picture_memory(recipe, half) + magnitudes


def _share(recipe: Recipe, half: float) -> float:
    """Coefficients of the half spectrum per pixel, given its bytes per pixel."""
    return half / (4 if recipe.precision == "single" else 8) / 2


def _jumps(extent: Extent, recipe: Recipe) -> int:
    """Return how many numbers restore the smooth component."""
    return (extent.height + extent.width) * recipe.periodic


def _record_bytes(extent: Extent, recipe: Recipe) -> int:
    """Return the maximum size of a record. JSON may escape a byte as up to six characters."""
    ways = recipe.spectrum + (recipe.magnitude and recipe.phase and not recipe.colour)
    jumps = min(_jumps(extent, recipe), MAX_JUMPS) * 2 * extent.sample * 4 // 3
    correction = max_correction_bytes(extent.height * extent.width, extent.sample)
    return _RECORD + 10 * 6 * extent.name + jumps + ways * correction


RECORD = "metadata"

# In the order of writing: the last one marks completion.
ARTIFACT_KINDS: dict[str, ArtifactKind] = registry(
    ArtifactKind(
        "crop",
        "png",
        wanted=lambda recipe: recipe.crop is not None or recipe.smart_crop is not None,
        needs=lambda _recipe: frozenset(),
        make=_crop,
        max_bytes=lambda extent, _recipe: png_bytes(
            extent.height, extent.width * extent.channels * extent.sample
        ),
        shown=Shown("Region", lambda _values: "what was analysed", "photo", 3),
    ),
    ArtifactKind(
        "histogram",
        "png",
        wanted=lambda recipe: recipe.histogram,
        needs=_parts("statistics", "channels"),
        make=_histogram,
        max_bytes=lambda _extent, _recipe: _DRAWING,
    ),
    ArtifactKind(
        "filtered",
        "png",
        wanted=lambda recipe: recipe.filter is not None,
        needs=lambda _recipe: frozenset(),
        make=_filtered,
        max_bytes=lambda extent, recipe: png_bytes(
            extent.height, extent.width * _filtered_sample(extent, recipe)
        ),
        memory=_filtered_memory,
        copies=2,
        line_memory=_filtered_line_memory,
        check=_check_masks,
        shown=Shown("Filtered", lambda values: values["filter"], "photo", 4),
    ),
    ArtifactKind(
        "spectrum",
        "npz",
        wanted=lambda recipe: recipe.spectrum,
        needs=_parts("spectrum"),
        make=_spectrum,
        max_bytes=lambda extent, recipe: (
            extent.height * (extent.width // 2 + 1) * (8 if recipe.precision == "single" else 16)
            + 4 * (extent.texts + _jumps(extent, recipe))
        ),
        memory=lambda _recipe, half: 2 * half,
    ),
    ArtifactKind(
        "phase",
        "png",
        wanted=lambda recipe: recipe.phase,
        needs=_parts("pictures"),
        make=_phase,
        max_bytes=_picture_bytes,
        memory=_phase_memory,
        shown=Shown("Phase", lambda _values: "−π to π, once around the colours", "phase", 2),
    ),
    ArtifactKind(
        "magnitude",
        "png",
        wanted=lambda recipe: recipe.magnitude,
        needs=_parts("pictures"),
        make=_magnitude,
        max_bytes=_picture_bytes,
        memory=_picture_memory,
        shown=Shown(
            "Magnitude",
            lambda values: f"{values['scale']} scale, the mean in the centre",
            "magnitude",
            1,
        ),
    ),
    ArtifactKind(
        RECORD,
        "json",
        wanted=lambda recipe: recipe.metadata,
        needs=_parts(*PIXEL_PARTS, "measures"),
        make=_record,
        max_bytes=_record_bytes,
        # The certificate reads the pictures back.
        memory=lambda recipe, half: (
            (recipe.magnitude + recipe.phase) * _picture_memory(recipe, half)
        ),
        line_memory=lambda _recipe: 4,  # what is measured of rings, which are as many as long sides
        step="certify",
    ),
)
"""Every kind of artifact by name, in the order of writing."""
