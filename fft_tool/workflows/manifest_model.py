"""The manifest as a typed model, from which its schema and its page are generated."""

from collections.abc import Sequence

from fft_tool.results.record_model import (
    Error,
    Recipe,
    Sharpness,
    Tool,
)
from fft_tool.results.sections import Section, described, section

SCHEMA_NAME = "fft-tool/manifest/1"
"""Name and version of the manifest's schema."""

_SHA256 = "^[0-9a-f]{64}$"


@section
class Source(Section):
    """The source file."""

    name: str = described("Name within the store of sources, with / between folders.")
    size: int = described("Size of the file in bytes.", unit="B", name="bytes", minimum=0)
    sha256: str | None = described(
        "SHA-256 of the file, in hexadecimal; null if the workflow was refused.", pattern=_SHA256
    )


@section
class Operations(Section):
    """The operations of a workflow."""

    text: str = described("Canonical text of all operations.", minLength=1)
    list: Sequence[str] = described(
        "Canonical text of each operation, in order.", minItems=1, maxItems=20
    )


@section
class File(Section):
    """A file of the workflow."""

    name: str = described("Name within the folder of the manifest.", minLength=1)
    role: str = described(
        "What the file is: an image made by one operation alone or by all of them in sequence, or "
        "an artifact of the analysis of the original or the combined image."
    )
    content_type: str = described("Media type.")
    size: int = described("Size of the file in bytes.", unit="B", name="bytes", minimum=1)
    sha256: str = described("SHA-256 of the file, in hexadecimal.", pattern=_SHA256)


@section
class Slope(Section):
    """Power law of mean power over frequency."""

    beta: float = described("Exponent: mean power decreases as 1 / frequency^beta.")
    low: float = described("Lower end of the 95 % interval of beta.")
    high: float = described("Upper end of the 95 % interval of beta.")


@section
class Side(Section):
    """Numbers of one image, from the record of its analysis."""

    width: int = described("Width of the analysed region in pixels.", unit="px", minimum=1)
    height: int = described("Height of the analysed region in pixels.", unit="px", minimum=1)
    white: int = described("Value of white.", unit="grey levels", minimum=1, maximum=65535)
    mean: float = described("Mean of the grey plane.", unit="grey levels", minimum=0)
    standard_deviation: float = described(
        "Population standard deviation of the grey plane.", unit="grey levels", minimum=0
    )
    minimum: int = described("Smallest value that occurs.", unit="grey levels", minimum=0)
    maximum: int = described("Largest value that occurs.", unit="grey levels", minimum=0)
    contrast: float = described(
        "RMS contrast: the standard deviation as a fraction of white, from 0 to 0.5.",
        minimum=0,
        maximum=0.5,
    )
    slope: Slope | None = described(
        "Power law of mean power over frequency, or null if the record has none."
    )
    sharpness: Sharpness | None = described(
        "How much fine detail the grey plane has; null if it is smaller than 3 by 3 pixels."
    )


@section
class Opening(Section):
    """First sections of every manifest: program, source, operations, recipe and outcome."""

    schema: str = described("Name and version of this schema.", const=SCHEMA_NAME)
    outcome: str = described(
        "done: all files listed here were written completely. rejected: the source or what was "
        "asked for it was permanently refused, and error says why.",
        enum=("done", "rejected"),
    )
    tool: Tool = described("The program that wrote the manifest.")
    source: Source | None = described(
        "The source file; null if it was refused before it was looked at."
    )
    operations: Operations | None = described(
        "The operations; null if a rejected source came without valid ones."
    )
    recipe: Recipe | None = described(
        "How both images were analysed; null if a rejected source came without a valid recipe."
    )


@section
class Rejected(Opening):
    """Manifest of a workflow that was permanently refused."""

    error: Error = described("Why the workflow was refused; only if it was.")
    files: Sequence[File] = described("Empty: a rejected source has none.", maxItems=0)


@section
class Done(Opening):
    """Manifest of a finished workflow."""

    source: Source = described("Never null in the manifest of a finished workflow.")
    operations: Operations = described("Never null in the manifest of a finished workflow.")
    recipe: Recipe = described("Never null in the manifest of a finished workflow.")
    before: Side = described("Numbers of the original image.")
    after: Side = described("Numbers of the combined image.")
    psnr_db: float | None = described(
        "Peak signal-to-noise ratio of the combined image's grey plane with regard to the "
        "original's, in dB; null if there is none.",
        unit="dB",
    )
    psnr_white: int | None = described(
        "Largest grey level of both, which is the peak; null if they cannot be compared.",
        unit="grey levels",
        minimum=1,
        maximum=65535,
    )
    psnr_note: str | None = described(
        "Why there is no ratio: the images differ in size or depth, or not at all; null if there "
        "is one."
    )
    files: Sequence[File] = described(
        "All files that were written before this manifest, which is the last.", minItems=1
    )
