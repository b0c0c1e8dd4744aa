"""The record as one typed model, of which its schema, its page and the table's columns are made.

Frequencies are in cycles per pixel, periods in pixels, angles in degrees counter-clockwise from the
x axis with y up; other units stand in the names.
"""

from collections.abc import Sequence

from fft_tool.limits import FORMATS
from fft_tool.recipe import CHANNELS, KEYS
from fft_tool.results.sections import SCHEMA_NAME, Section, described, section
from fft_tool.spectrum.choices import DETRENDS, SCALES, WINDOWS

_SHA256 = "^[0-9a-f]{64}$"
_BASE64 = "^[0-9A-Za-z+/]+={0,2}$"
_CHOICES = {key.name: key.kind.choices for key in KEYS}


@section
class Tool(Section):
    """What made the record."""

    name: str = described("Name of the program.", const="fft-tool")
    version: str = described("Its version.", minLength=1)


@section
class Source(Section):
    """The file that came in."""

    name: str = described("Name below the place where sources are kept, folders separated by /.")
    size: int = described("Size of the file in bytes.", unit="B", name="bytes", minimum=0)
    sha256: str | None = described(
        "SHA-256 of the file, in hexadecimal; null where it was refused by its size alone.",
        pattern=_SHA256,
    )


@section
class RecipeValues(Section):
    """Every key of the recipe with its value as text."""

    crop: str = described(
        "Region to analyse: x,y,w,h or centre:w,h in pixels, pct:x,y,w,h in per cent, square, or "
        "none."
    )
    smart_crop: str = described(
        "Size w,h in pixels of the most salient region to analyse, or none.", name="smart-crop"
    )
    channel: str = described(
        "What was analysed of a colour image; luma is ITU-R BT.601.", enum=_CHOICES["channel"]
    )
    background: str = described(
        "What shows through transparent pixels: white, black, grey or #rrggbb."
    )
    detrend: str = described(
        "What was subtracted before the transform: nothing, the mean or a fitted plane.",
        enum=_CHOICES["detrend"],
    )
    window: str = described("Weights that taper the borders.", enum=_CHOICES["window"])
    periodic: str = described(
        "Whether the smooth component was taken out, which causes the bright cross.",
        enum=_CHOICES["periodic"],
    )
    precision: str = described(
        "Floating-point precision of the transform: 32 or 64 bits.", enum=_CHOICES["precision"]
    )
    scale: str = described("Scale of the magnitude picture.", enum=_CHOICES["scale"])
    bits: str = described("Depth of the pictures in bits.", unit="bit", enum=_CHOICES["bits"])
    colour: str = described(
        "Whether the pictures are in colour, which cannot be inverted.", enum=_CHOICES["colour"]
    )
    phase: str = described("Whether the phase picture was made.", enum=_CHOICES["phase"])
    spectrum: str = described(
        "Whether the half spectrum was saved as .npz.", enum=_CHOICES["spectrum"]
    )
    histogram: str = described("Whether the histogram was drawn.", enum=_CHOICES["histogram"])
    filter: str = described(
        "Filters of the filtered image, joined by +, lengths in pixels of period, angles in "
        "degrees; or none."
    )
    threshold: str = described(
        "What parts black from white: mid, otsu or a grey level.", pattern="^(mid|otsu|[0-9]{1,5})$"
    )
    pixel_size: str = described(
        "Length of a pixel with its unit, in place of what the source says, or none.",
        name="pixel-size",
    )
    metadata: str = described("Whether a record was written.", enum=_CHOICES["metadata"])


@section
class Recipe(Section):
    """What was done with the source."""

    text: str = described(
        "What differs from the defaults, as key=value, separated by spaces; it reads back to the "
        "same recipe."
    )
    sha256: str = described(
        "SHA-256 of all keys and values, defaults included, as one such text, in hexadecimal.",
        pattern=_SHA256,
    )
    values: RecipeValues = described("All keys, defaults included, with their values as text.")


@section
class Error(Section):
    """Why a source was rejected."""

    code: str = described(
        "Stable code for machines, such as corrupt-image.", pattern="^[a-z]+(-[a-z]+)*$"
    )
    message: str = described("Sentence for people: what is wrong and what to do.", minLength=1)


@section
class PixelSize(Section):
    """Size of a pixel that the file states."""

    x_um: float = described(
        "Width of a pixel in micrometres, after orientation.", unit="µm", exclusiveMinimum=0
    )
    y_um: float = described(
        "Height of a pixel in micrometres, after orientation.", unit="µm", exclusiveMinimum=0
    )
    source: str = described(
        "Where the file states it.",
        name="from",
        enum=("PNG pHYs", "JFIF density", "TIFF resolution", "EXIF resolution"),
    )


@section
class Image(Section):
    """What the source is, as its header says."""

    format: str = described("Format, told by content.", enum=FORMATS)
    width: int = described("Width of the upright image in pixels.", unit="px", minimum=1)
    height: int = described("Height of the upright image in pixels.", unit="px", minimum=1)
    channels: Sequence[str] = described(
        "Names of the channels, in order.",
        enum=[
            ["grey"],
            ["grey", "alpha"],
            ["red", "green", "blue"],
            ["red", "green", "blue", "alpha"],
        ],
    )
    depth: int = described("Bits of a sample as stored.", unit="bit", minimum=1, maximum=16)
    white: int = described(
        "Value of white, the largest that the depth can hold: 255 up to 8 bits, which are spread "
        "over that range.",
        unit="grey levels",
        minimum=1,
        maximum=65535,
    )
    frames: int = described("Number of frames or pages in the file.", minimum=1)
    frame: int = described("The one that was analysed, counted from 0.", const=0)
    orientation: int = described(
        "EXIF orientation of the stored pixels, 1 to 8; 1 is upright. It has been applied.",
        minimum=1,
        maximum=8,
    )
    pixel_size: PixelSize | None = described("Size of a pixel that the file states, or null.")


@section
class Region(Section):
    """Which part was analysed."""

    x: int = described(
        "First column, in pixels from the left of the upright image.", unit="px", minimum=0
    )
    y: int = described(
        "First row, in pixels from the top of the upright image.", unit="px", minimum=0
    )
    width: int = described("Width in pixels.", unit="px", minimum=1)
    height: int = described("Height in pixels.", unit="px", minimum=1)
    method: str = described(
        "How it was chosen: the whole image, given by the recipe, or found as the most salient by "
        "its spectral residual.",
        enum=("whole", "given", "spectral residual"),
    )


@section
class LumaWeights(Section):
    """Weights of the colours in luma."""

    red: float = described("Weight of red; the three add up to 1.", minimum=0, maximum=1)
    green: float = described("Weight of green; the three add up to 1.", minimum=0, maximum=1)
    blue: float = described("Weight of blue; the three add up to 1.", minimum=0, maximum=1)


@section
class Grey(Section):
    """How channels became the one plane that was transformed."""

    channel: str = described(
        "What the grey plane shows; luma of an image without colour is its grey channel.",
        enum=CHANNELS,
    )
    luma_weights: LumaWeights | None = described(
        "Weights of the colours in luma, or null where nothing was weighed."
    )
    background: Sequence[int] | None = described(
        "Colour under transparent pixels as red, green, blue from 0 to 255, or null where the "
        "source has no alpha.",
        items={"minimum": 0, "maximum": 255},
        minItems=3,
        maxItems=3,
    )


@section
class Percentiles(Section):
    """Percentiles of the pixels of a plane."""

    p1: float = described(
        "Value that 1 % of the pixels do not exceed.", unit="grey levels", name="1", minimum=0
    )
    p5: float = described(
        "Value that 5 % of the pixels do not exceed.", unit="grey levels", name="5", minimum=0
    )
    p25: float = described(
        "Value that 25 % of the pixels do not exceed.", unit="grey levels", name="25", minimum=0
    )
    p75: float = described(
        "Value that 75 % of the pixels do not exceed.", unit="grey levels", name="75", minimum=0
    )
    p95: float = described(
        "Value that 95 % of the pixels do not exceed.", unit="grey levels", name="95", minimum=0
    )
    p99: float = described(
        "Value that 99 % of the pixels do not exceed.", unit="grey levels", name="99", minimum=0
    )


@section
class ClippedShare(Section):
    """Shares of pixels at the ends of the scale."""

    black: float = described("Share of the pixels that are 0.", minimum=0, maximum=1)
    white: float = described("Share of the pixels that are white.", minimum=0, maximum=1)


@section
class Threshold(Section):
    """How pixels part into black and white."""

    method: str = described(
        "Half of white, Otsu's method, or given by the recipe.", enum=("mid", "otsu", "given")
    )
    value: int = described(
        "Largest value that counts as black.", unit="grey levels", minimum=0, maximum=65535
    )
    black_pixels: int = described("Number of pixels up to the threshold.", unit="px", minimum=0)
    white_pixels: int = described("Number of pixels above the threshold.", unit="px", minimum=0)


@section
class Histogram(Section):
    """Histogram in 256 bins of equal width."""

    first_edge: int = described("Value at which the first bin begins.", unit="grey levels", const=0)
    last_edge: int = described(
        "Value before which the last bin ends: white + 1.",
        unit="grey levels",
        minimum=2,
        maximum=65536,
    )
    bin_width: float = described(
        "Width of a bin, in values.", unit="grey levels", exclusiveMinimum=0
    )
    counts: Sequence[int] = described(
        "Number of pixels in each bin.", items={"minimum": 0}, minItems=256, maxItems=256
    )


@section
class Plane(Section):
    """Statistics of one plane."""

    white: int = described("Value of white.", unit="grey levels", minimum=1, maximum=65535)
    pixels: int = described("Number of pixels.", unit="px", minimum=1)
    mean: float = described("Mean, in values from 0 to white.", unit="grey levels", minimum=0)
    standard_deviation: float = described(
        "Population standard deviation, in values from 0 to white.", unit="grey levels", minimum=0
    )
    minimum: int = described("Smallest value that occurs.", unit="grey levels", minimum=0)
    maximum: int = described("Largest value that occurs.", unit="grey levels", minimum=0)
    median: float = described(
        "Median; between two pixels, their mean.", unit="grey levels", minimum=0
    )
    percentiles: Percentiles = described(
        "Percentiles, interpolated linearly between the sorted pixels."
    )
    entropy_bits: float = described(
        "Shannon entropy of the values, in bits per pixel.", unit="bit/px", minimum=0
    )
    clipped_share: ClippedShare = described(
        "Shares of pixels at the ends of the scale, from 0 to 1."
    )
    threshold: Threshold = described("How pixels part into black and white.")
    histogram: Histogram = described("Histogram in 256 bins of equal width.")


@section
class Statistics(Section):
    """Statistics of the pixels within the region."""

    grey: Plane = described("Statistics of the grey plane that was transformed.")
    red: Plane | None = described(
        "Statistics of the source's red channel within the region.", optional=True
    )
    green: Plane | None = described(
        "Statistics of the source's green channel within the region.", optional=True
    )
    blue: Plane | None = described(
        "Statistics of the source's blue channel within the region.", optional=True
    )
    alpha: Plane | None = described(
        "Statistics of the source's alpha channel within the region.", optional=True
    )


@section
class Sharpness(Section):
    """How much fine detail the grey plane has."""

    laplacian_variance: float = described(
        "Variance of the 4-neighbour Laplacian, with values from 0 to 1.", minimum=0
    )
    gradient_energy: float = described(
        "Mean square of the Sobel gradient per pixel, with values from 0 to 1.", minimum=0
    )


@section
class RadialProfile(Section):
    """Mean power in rings of equal frequency."""

    frequency: Sequence[float] = described(
        "Frequency of each bin in cycles per pixel, increasing.",
        unit="cycles/px",
        items={"exclusiveMinimum": 0, "maximum": 0.5},
        maxItems=256,
    )
    mean: Sequence[float] = described(
        "Mean of |F|² / (width · height) in each bin, in grey levels squared.",
        unit="grey levels²",
        items={"minimum": 0},
        maxItems=256,
    )
    std: Sequence[float] = described(
        "Population standard deviation of the same.",
        unit="grey levels²",
        items={"minimum": 0},
        maxItems=256,
    )
    count: Sequence[int] = described(
        "Number of coefficients of the full spectrum in each bin.",
        items={"minimum": 1},
        maxItems=256,
    )
    rings_per_bin: int = described(
        "How many rings, each 1 / max(width, height) cycles per pixel wide, were merged into a "
        "bin; 0 for a single pixel, which has none.",
        minimum=0,
    )
    frequency_per_um: Sequence[float] | None = described(
        "Frequency of each bin in cycles per micrometre; only where pixels are square and of "
        "known size.",
        unit="cycles/µm",
        optional=True,
        items={"exclusiveMinimum": 0},
        maxItems=256,
    )


@section
class Slope(Section):
    """Power law fitted to the radial profile."""

    beta: float = described("Exponent: mean power falls as 1 / frequency^beta.")
    error: float = described("Standard error of beta.", minimum=0)
    low: float = described(
        "Lowest frequency of the fit, in cycles per pixel.",
        unit="cycles/px",
        exclusiveMinimum=0,
        maximum=0.5,
    )
    high: float = described(
        "Highest frequency of the fit, in cycles per pixel.",
        unit="cycles/px",
        exclusiveMinimum=0,
        maximum=0.5,
    )
    bins: int = described("Number of rings in the fit.", minimum=5)


@section
class Orientation(Section):
    """How power is spread over the directions of waves."""

    angle: float = described(
        "Dominant angle of the wave vectors in degrees, counter-clockwise from the x axis, y up; "
        "it says little where anisotropy is near 0.",
        unit="°",
        minimum=0,
        exclusiveMaximum=180,
    )
    anisotropy: float = described(
        "From 0, no direction preferred, to 1, all waves in one direction.", minimum=0, maximum=1
    )
    angles: Sequence[float] = described(
        "Centre of each sector of direction, in degrees.",
        unit="°",
        items={"minimum": 0, "exclusiveMaximum": 180},
        minItems=36,
        maxItems=36,
    )
    histogram: Sequence[float] = described(
        "Share of each sector in the power of the gradient; the shares add up to 1.",
        items={"minimum": 0, "maximum": 1},
        minItems=36,
        maxItems=36,
    )
    physical_angle: float | None = described(
        "Dominant angle in degrees with the pixels' shape taken into account; only where their "
        "size is known.",
        unit="°",
        together="pixel size",
        minimum=0,
        exclusiveMaximum=180,
    )
    physical_anisotropy: float | None = described(
        "Anisotropy with the pixels' shape taken into account; only where their size is known.",
        together="pixel size",
        minimum=0,
        maximum=1,
    )


@section
class Peak(Section):
    """A wave that stands out from the spectrum."""

    period: float = described("Period in pixels.", unit="px", minimum=1.41421)
    frequency: float = described(
        "Frequency in cycles per pixel.", unit="cycles/px", exclusiveMinimum=0, maximum=0.707107
    )
    angle: float = described(
        "Angle of the wave vector in degrees, counter-clockwise from the x axis, y up.",
        unit="°",
        minimum=0,
        exclusiveMaximum=180,
    )
    fx: float = described(
        "Horizontal frequency in cycles per pixel.", unit="cycles/px", minimum=-0.5, maximum=0.5
    )
    fy: float = described(
        "Vertical frequency in cycles per pixel, y up.", unit="cycles/px", minimum=-0.5, maximum=0.5
    )
    amplitude: float = described(
        "Amplitude of the cosine in grey levels; a window lowers it by its mean.",
        unit="grey levels",
        exclusiveMinimum=0,
    )
    prominence_db: float = described(
        "Power over the background at its frequency, in dB.", unit="dB", minimum=0
    )
    period_um: float | None = described(
        "Period in micrometres; only where the pixel size is known.",
        unit="µm",
        together="pixel size",
        exclusiveMinimum=0,
    )
    frequency_per_um: float | None = described(
        "Frequency in cycles per micrometre; only where the pixel size is known.",
        unit="cycles/µm",
        together="pixel size",
        exclusiveMinimum=0,
    )
    physical_angle: float | None = described(
        "Angle in degrees with the pixels' shape taken into account; only where their size is "
        "known.",
        unit="°",
        together="pixel size",
        minimum=0,
        exclusiveMaximum=180,
    )


@section
class Measures(Section):
    """What the spectrum says."""

    pixel_size_um: Sequence[float] | None = described(
        "Width and height of a pixel in micrometres, from the recipe or else the source; null "
        "where unknown.",
        unit="µm",
        items={"exclusiveMinimum": 0},
        minItems=2,
        maxItems=2,
    )
    radial_profile: RadialProfile = described(
        "Mean power in rings of equal frequency up to 0.5 cycles per pixel, DC left out."
    )
    slope: Slope | None = described(
        "Power law fitted to the profile, or null where too few rings have power."
    )
    high_frequency_fraction: float | None = described(
        "Share of the power beside DC above 0.25 cycles per pixel, from 0 to 1; null where there "
        "is none.",
        minimum=0,
        maximum=1,
    )
    orientation: Orientation | None = described(
        "How power is spread over the directions of waves, or null where there is none."
    )
    peaks: Sequence[Peak] = described(
        "Waves that stand out from the spectrum, at most eight, strongest first.", maxItems=8
    )


@section
class Trend(Section):
    """A plane through the middle of the image."""

    level: float = described(
        "Level in the middle of the image, in grey levels.", unit="grey levels"
    )
    per_row: float = described("Slope downwards, in grey levels per row.", unit="grey levels/px")
    per_column: float = described(
        "Slope to the right, in grey levels per column.", unit="grey levels/px"
    )


@section
class Preparation(Section):
    """What was done to the grey plane before the transform."""

    white: int = described(
        "Largest grey level of the plane's depth.", unit="grey levels", minimum=1, maximum=65535
    )
    window: str = described(
        "Separable weights that the plane was multiplied with, after the trend.", enum=WINDOWS
    )
    detrend: str = described("Which trend was subtracted.", enum=DETRENDS)
    trend: Trend = described("The trend, a plane through the middle of the image.")
    periodic: bool = described(
        "Whether the smooth component of the periodic-plus-smooth decomposition was taken out."
    )
    jumps: str | None = described(
        "What puts the smooth component back: the bottom row minus the top one, then the right "
        "column minus the left one, as signed 16-bit integers, 32-bit where white exceeds 32767, "
        "little-endian, in base64; only with periodic, and with up to 262,144 of them.",
        unit="grey levels",
        optional=True,
        pattern=_BASE64,
    )


@section
class Spectrum(Section):
    """How the spectrum and its pictures were made."""

    width: int = described(
        "Width of the pictures in pixels: that of the region.", unit="px", minimum=1
    )
    height: int = described(
        "Height of the pictures in pixels: that of the region.", unit="px", minimum=1
    )
    precision: str = described(
        "Floating-point precision of the transform: 32 or 64 bits.", enum=("single", "double")
    )
    preparation: Preparation = described(
        "What was done to the grey plane before the transform, and is undone after the inverse."
    )
    dc: float = described(
        "Coefficient at frequency zero: the sum of the prepared plane.", unit="grey levels"
    )
    largest_magnitude: float = described(
        "Magnitude that the highest value of the magnitude picture stands for.",
        unit="grey levels",
        minimum=0,
    )
    scale: str = described(
        "Scale of the magnitude picture: log is log(1 + |F|), db goes from -120 to 0.", enum=SCALES
    )
    bits: int = described("Depth of the pictures in bits.", unit="bit", enum=(8, 16))


@section
class Fidelity(Section):
    """How well a spectrum gives the grey plane back."""

    exact: bool = described(
        "Whether every grey level comes back, after rounding and with the correction."
    )
    max_abs_error: int = described(
        "Largest error in grey levels, after rounding and with the correction.",
        unit="grey levels",
        minimum=0,
        maximum=65535,
    )
    corrected_pixels: int = described(
        "Number of pixels whose grey level the correction keeps; 0 where none is needed.",
        unit="px",
        minimum=0,
    )
    psnr_db: float | None = described(
        "Peak signal-to-noise ratio in dB of the inversion alone, before rounding and without the "
        "correction; null where there is no error at all.",
        unit="dB",
    )
    parseval_ratio: float | None = described(
        "Energy of the spectrum in the artifacts over that of the prepared plane, 1 when nothing "
        "is lost; null where the latter is not at hand.",
        minimum=0,
    )
    lost_pixels: int = described(
        "Number of pixels that the window has taken away.", unit="px", minimum=0
    )


@section
class Correction(Section):
    """Grey levels of the pixels that an inversion would miss by more than 0.45, before rounding."""

    pixels: int = described("Number of these pixels.", unit="px", minimum=1)
    places: str = described(
        "Where they are: row · width + column, both counted from 0, in increasing order, as "
        "unsigned 32-bit integers, little-endian, in base64.",
        pattern=_BASE64,
    )
    levels: str = described(
        "Their grey levels in the same order, as unsigned 8-bit integers, 16-bit where white "
        "exceeds 255, little-endian, in base64.",
        unit="grey levels",
        pattern=_BASE64,
    )


@section
class Way(Fidelity):
    """How well one inversion gives the grey plane back."""

    correction: Correction | None = described(
        "Grey levels to put in place of those that this inversion gives; only where they are "
        "needed for it to be exact, and few.",
        optional=True,
    )


@section
class Ways(Section):
    """Every inversion that the artifacts allow, at least one."""

    spectrum: Way | None = described("From the saved spectrum.", optional=True)
    pictures: Way | None = described("From the magnitude and phase pictures.", optional=True)


@section
class _Origin(Section):
    """Where a certificate's numbers come from; a class of its own to stand before them."""

    source: str = described(
        "Which artifacts these numbers are for: those of the best inversion.",
        name="from",
        enum=("pictures", "spectrum"),
    )


@section
class Certificate(Fidelity, _Origin):
    """How well the artifacts, as written, give the grey plane back."""

    grey_sha256: str = described(
        "SHA-256 of the grey plane, in hexadecimal, by which what comes back is checked: its grey "
        "levels row by row, a byte each, or two, little-endian, where white exceeds 255.",
        pattern=_SHA256,
    )
    ways: Ways = described("Every inversion that the artifacts allow.")


@section
class Artifact(Section):
    """A file that was written beside the record."""

    artifact: str = described("What it is.")
    name: str = described("Name of the file below the place where artifacts are kept.", minLength=1)
    content_type: str = described("Media type.")
    size: int = described("Size of the file in bytes.", unit="B", name="bytes", minimum=1)
    sha256: str = described("SHA-256 of the file, in hexadecimal.", pattern=_SHA256)


@section
class Opening(Section):
    """First sections of every record: what was done to what, by what, and how it ended."""

    schema: str = described("Name and version of this schema.", const=SCHEMA_NAME)
    outcome: str = described(
        "done: all artifacts listed here are there and whole. rejected: the source was refused for "
        "good, and error says why.",
        enum=("done", "rejected"),
    )
    tool: Tool = described("What made the record.")
    source: Source = described("The file that came in.")
    recipe: Recipe | None = described(
        "What was done with it; null where a rejected source came without a valid recipe."
    )


@section
class Rejected(Opening):
    """Record of a source that was refused for good."""

    error: Error = described("Why the source was rejected; only then.")
    artifacts: Sequence[Artifact] = described("A rejected source has none.", maxItems=0)


@section
class Done(Opening):
    """Record of a finished run."""

    recipe: Recipe = described("Always known.")
    image: Image = described("What the source is, as its header says.")
    region: Region = described("Which part was analysed.")
    grey: Grey = described("How channels became the one plane that was transformed.")
    statistics: Statistics = described("Statistics of the pixels within the region.")
    sharpness: Sharpness | None = described(
        "How much fine detail the grey plane has; null below 3 by 3 pixels."
    )
    measures: Measures = described("What the spectrum says.")
    spectrum: Spectrum = described(
        "How the spectrum and its pictures were made: all that is needed to invert them."
    )
    certificate: Certificate | None = described(
        "How well the artifacts, as written, give the grey plane back; null where they hold too "
        "little for it."
    )
    artifacts: Sequence[Artifact] = described(
        "All files that were written beside this record.", minItems=1
    )
