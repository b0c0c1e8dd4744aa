"""The registry of artifacts: everything that is to be known of each kind, in one entry.

What is made, under which names, how large it may become, how much memory that takes, whether it is
complete and how a page shows it: all of that is read from :data:`KINDS`. A new kind is one entry
there, with the function that makes it. That function imports what it needs, so that names and
sizes are known without numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fft_tool.recipe import Recipe
from fft_tool.results.formats import FORMATS
from fft_tool.results.parts import PIXEL_PARTS, Part, computed
from fft_tool.results.record import most_correction_bytes
from fft_tool.results.values import Artifact, provenance
from fft_tool.spectrum.choices import MOST_JUMPS

if TYPE_CHECKING:
    from fft_tool.arrays import Plane
    from fft_tool.results.analysis import Analysis
    from fft_tool.spectrum.pictures import HalfPicture

Make = Callable[["Analysis", Sequence[Artifact], int], bytes]
"""From an analysis, the artifacts made before, and a number of threads to the bytes of a file."""

# What frames blocks and chunks that do not compress: at most 1 in 128, and once a row's chunk.
_FRAMING, _CHUNK = 128, 64
_DRAWING = 64 << 10  # a drawing of fixed size
_RECORD = 64 << 10  # those sections of a record that do not grow with the image


@dataclass(frozen=True, slots=True)
class Extent:
    """What is known of a source before it is decoded.

    ``height`` and ``width`` are those of the region in pixels, ``sample`` the bytes of a sample,
    ``texts`` those of the provenance inside an artifact, ``name`` those of the source's name.
    """

    height: int
    width: int
    channels: int
    sample: int
    texts: int
    name: int


@dataclass(frozen=True, slots=True)
class Shown:
    """How a page shows an artifact: its title, a note, what draws it, and its place.

    ``note`` is given the recipe's values as text. The smallest ``place`` is shown first.
    """

    title: str
    note: Callable[[Mapping[str, str]], str]
    drawn_as: Literal["magnitude", "phase", "photo"]
    place: int


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of artifact.

    Attributes
    ----------
    name, extension
        Its name, which stands in the names of its files, and their extension.
    wanted
        Whether a recipe asks for it.
    needs
        Parts of the analysis that it is made of. What no kind needs is not computed, and let go
        as soon as the last kind that needs it has been made.
    make
        Makes the bytes of its file.
    most_bytes
        Most bytes that the file can have, its provenance left out: an upper bound.
    memory
        Bytes per pixel that a run takes for it beside the grey plane and the spectrum, which has
        so many bytes per pixel.
    step
        Step of the run in which it is made.
    shown
        How a page shows it; None if it does not.
    """

    name: str
    extension: str
    wanted: Callable[[Recipe], bool]
    needs: Callable[[Recipe], frozenset[Part]]
    make: Make
    most_bytes: Callable[[Extent, Recipe], int]
    memory: Callable[[Recipe, float], float] = lambda _recipe, _half: 0
    step: str = "encode"
    shown: Shown | None = None

    def __post_init__(self) -> None:
        if self.extension not in FORMATS:
            raise ValueError(f"{self.name}: {self.extension} is not a known format")


def wanted_kinds(recipe: Recipe) -> tuple[Kind, ...]:
    """Kinds of artifacts that a recipe asks for, in the order in which they are written."""
    return tuple(kind for kind in KINDS.values() if kind.wanted(recipe))


def needed_parts(kinds: Iterable[Kind], recipe: Recipe) -> frozenset[Part]:
    """Parts of an analysis that some kinds of artifacts are made of."""
    return frozenset().union(*(kind.needs(recipe) for kind in kinds))


def registry(*kinds: Kind) -> dict[str, Kind]:
    """Kinds by their names, none of which may occur twice."""
    found = {kind.name: kind for kind in kinds}
    if len(found) < len(kinds):
        raise ValueError("two kinds of artifacts have one name")
    return found


def _crop(analysis: Analysis, _made: Sequence[Artifact], threads: int) -> bytes:
    """Give the region that was analysed, with all its channels."""
    return _image(analysis.selection.channels, analysis, threads)


def _filtered(analysis: Analysis, _made: Sequence[Artifact], threads: int) -> bytes:
    """Give the grey plane, filtered."""
    from fft_tool.spectrum.filters import apply_filters  # noqa: PLC0415
    from fft_tool.spectrum.inversion import restore_plane  # noqa: PLC0415
    from fft_tool.spectrum.preparation import Preparation  # noqa: PLC0415
    from fft_tool.spectrum.transform import forward  # noqa: PLC0415

    recipe, selection = analysis.recipe, analysis.selection
    if _transforms_levels(recipe):
        spectrum = computed(analysis.spectrum)
    else:
        spectrum = forward(selection.plane, precision=recipe.precision, threads=threads)
    spectrum = apply_filters(spectrum, recipe.filter or (), threads=threads)
    plane = restore_plane(spectrum, Preparation(selection.white), threads=threads)
    return _image(plane, analysis, threads)


def _histogram(analysis: Analysis, _made: Sequence[Artifact], _threads: int) -> bytes:
    from fft_tool.codec import png_encode  # noqa: PLC0415
    from fft_tool.results.histogram import histogram_picture  # noqa: PLC0415

    picture = histogram_picture(analysis.statistics["grey"])
    return png_encode.encode(picture, text=provenance(analysis.source, analysis.recipe))


def _spectrum(analysis: Analysis, _made: Sequence[Artifact], _threads: int) -> bytes:
    from fft_tool.arrays import sha256_of_levels  # noqa: PLC0415
    from fft_tool.results.spectrum_file import GREY_SHA256, save_spectrum  # noqa: PLC0415

    text = provenance(analysis.source, analysis.recipe)
    text |= {GREY_SHA256: sha256_of_levels(analysis.selection.plane)}
    return save_spectrum(computed(analysis.spectrum), analysis.preparation, text)


def _phase(analysis: Analysis, _made: Sequence[Artifact], threads: int) -> bytes:
    return _picture(computed(computed(analysis.pictures).phase), "cyclic", analysis, threads)


def _magnitude(analysis: Analysis, _made: Sequence[Artifact], threads: int) -> bytes:
    return _picture(computed(analysis.pictures).magnitude, "sequential", analysis, threads)


def _record(analysis: Analysis, made: Sequence[Artifact], threads: int) -> bytes:
    from fft_tool.results import record, recording  # noqa: PLC0415

    return record.to_bytes(recording.done(analysis, made, threads=threads).to_json())


def _picture(picture: HalfPicture, colours: str, analysis: Analysis, threads: int) -> bytes:
    table = None
    if analysis.recipe.colour:
        from fft_tool.spectrum import colourmap  # noqa: PLC0415

        table = getattr(colourmap, colours)()
    text = provenance(analysis.source, analysis.recipe)
    return picture.to_png(table=table, text=text, threads=threads)


def _image(pixels: Plane, analysis: Analysis, threads: int) -> bytes:
    from fft_tool.codec import image_file  # noqa: PLC0415

    return image_file.encode_image(
        pixels,
        analysis.selection.white,
        pixel_size_um=analysis.selection.header.pixel_size_um,
        text=provenance(analysis.source, analysis.recipe),
        threads=threads,
    )


def _transforms_levels(recipe: Recipe) -> bool:
    """Whether the spectrum is that of the grey levels as they are."""
    return (recipe.detrend, recipe.window, recipe.periodic) == ("none", "none", False)


def _parts(*parts: Part) -> Callable[[Recipe], frozenset[Part]]:
    return lambda _recipe: frozenset(parts)


def _png(height: int, row_bytes: int) -> int:
    """Most bytes of a PNG file: rows with their filter byte, all of them stored."""
    raw = height * (1 + row_bytes)
    chunks = 1 + raw // (1 << 18)
    return raw + raw // _FRAMING + _CHUNK * min(height, chunks)


def _sample_of_picture(recipe: Recipe) -> int:
    """Bytes of a pixel in a picture."""
    return recipe.bits // 8 * (3 if recipe.colour else 1)


def _picture_bytes(extent: Extent, recipe: Recipe) -> int:
    return _png(extent.height, extent.width * _sample_of_picture(recipe))


def _picture_memory(recipe: Recipe, half: float) -> float:
    """Memory of one picture: its file, and the codes of the half spectrum."""
    share = half / (4 if recipe.precision == "single" else 8) / 2
    return _sample_of_picture(recipe) * (1 + share)


def _jumps(extent: Extent, recipe: Recipe) -> int:
    """Numbers that undo the periodic-plus-smooth split, if they are kept."""
    return (extent.height + extent.width) * recipe.periodic


def _record_bytes(extent: Extent, recipe: Recipe) -> int:
    """Most bytes of a record: JSON writes a character of the name in up to six."""
    ways = recipe.spectrum + (recipe.phase and not recipe.colour)
    jumps = min(_jumps(extent, recipe), MOST_JUMPS) * 2 * extent.sample * 4 // 3
    correction = most_correction_bytes(extent.height * extent.width, extent.sample)
    return _RECORD + 10 * 6 * extent.name + jumps + ways * correction


RECORD = "metadata"

# In the order in which they are written: the last one is the seal.
KINDS: dict[str, Kind] = registry(
    Kind(
        "crop",
        "png",
        wanted=lambda recipe: recipe.crop is not None or recipe.smart_crop is not None,
        needs=lambda _recipe: frozenset(),
        make=_crop,
        most_bytes=lambda extent, _recipe: _png(
            extent.height, extent.width * extent.channels * extent.sample
        ),
        shown=Shown("Region", lambda _values: "what was analysed", "photo", 3),
    ),
    Kind(
        "histogram",
        "png",
        wanted=lambda recipe: recipe.histogram,
        needs=_parts("statistics"),
        make=_histogram,
        most_bytes=lambda _extent, _recipe: _DRAWING,
    ),
    Kind(
        "filtered",
        "png",
        wanted=lambda recipe: recipe.filter is not None,
        needs=lambda recipe: frozenset({"spectrum"} if _transforms_levels(recipe) else ()),
        make=_filtered,
        most_bytes=lambda extent, _recipe: _png(extent.height, extent.width * extent.sample),
        memory=lambda _recipe, half: half,
        shown=Shown("Filtered", lambda values: values["filter"], "photo", 4),
    ),
    Kind(
        "spectrum",
        "npz",
        wanted=lambda recipe: recipe.spectrum,
        needs=_parts("spectrum"),
        make=_spectrum,
        most_bytes=lambda extent, recipe: (
            extent.height * (extent.width // 2 + 1) * (8 if recipe.precision == "single" else 16)
            + 4 * (extent.texts + _jumps(extent, recipe))
        ),
        memory=lambda _recipe, half: 2 * half,
    ),
    Kind(
        "phase",
        "png",
        wanted=lambda recipe: recipe.phase,
        needs=_parts("pictures"),
        make=_phase,
        most_bytes=_picture_bytes,
        memory=_picture_memory,
        shown=Shown("Phase", lambda _values: "−π to π, once around the colours", "phase", 2),
    ),
    Kind(
        "magnitude",
        "png",
        wanted=lambda _recipe: True,
        needs=_parts("pictures"),
        make=_magnitude,
        most_bytes=_picture_bytes,
        memory=_picture_memory,
        shown=Shown(
            "Magnitude",
            lambda values: f"{values['scale']} scale, the mean in the centre",
            "magnitude",
            1,
        ),
    ),
    Kind(
        RECORD,
        "json",
        wanted=lambda recipe: recipe.metadata,
        needs=_parts(*PIXEL_PARTS, "measures"),
        make=_record,
        most_bytes=_record_bytes,
        # The certificate reads the pictures back.
        memory=lambda recipe, half: (
            (1 + recipe.phase) * _picture_memory(recipe, half) + recipe.periodic * 40
        ),
        step="certify",
    ),
)
"""Every kind of artifact by its name, in the order in which they are written."""
