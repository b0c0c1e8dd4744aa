"""The record as a typed model, from which its schema, its page and the table are generated.

Frequencies are in cycles per pixel, periods in pixels, angles in degrees counter-clockwise from the
x axis with y up; other units are part of the name.
"""

from collections.abc import Sequence

from fft_tool.limits import FORMATS
from fft_tool.recipe import CHANNELS, KEYS
from fft_tool.results.sections import SCHEMA_NAME, Section, described, section
from fft_tool.spectrum.choices import DETRENDS, SCALES, WINDOWS

_SHA256 = "^[0-9a-f]{64}$"
_BASE64 = "^[0-9A-Za-z+/]+={0,2}$"
_CHOICES = {key.name: key.value_type.choices for key in KEYS}


@section
class Tool(Section):
    """The program that wrote the record."""

    name: str = described("Name of the program.", const="fft-tool")
    version: str = described("Version of the program.", minLength=1)


@section
class Source(Section):
    """The source file."""

    name: str = described("Name within the store of sources, with / between folders.")
    size: int = described("Size of the file in bytes.", unit="B", name="bytes", minimum=0)
    sha256: str | None = described(
        "SHA-256 of the file, in hexadecimal; null if it was rejected for its size alone.",
        pattern=_SHA256,
    )


@section
class RecipeValues(Section):
    """Every key of the recipe with its value as text."""

    frame: str = described(
        "Frame or page to analyse, counted from 1; none is the first.", pattern="^(none|[0-9]+)$"
    )
    range: str = described(
        "Values lo,hi of black and white in an image whose samples are scaled to 16 bits; none is "
        "their minimum and maximum."
    )
    crop: str = described(
        "Region to analyse: x,y,w,h or centre:w,h in pixels, pct:x,y,w,h in per cent, square, or "
        "none."
    )
    smart_crop: str = described(
        "Size w,h in pixels of the most salient region to analyse, or none.", name="smart-crop"
    )
    channel: str = described(
        "Channel of a colour image that was analysed; luma is ITU-R BT.601.",
        enum=_CHOICES["channel"],
    )
    background: str = described("Colour behind transparent pixels: white, black, grey or #rrggbb.")
    detrend: str = described(
        "What was subtracted before the transform: nothing, the mean or a fitted plane.",
        enum=_CHOICES["detrend"],
    )
    window: str = described("Window that tapers the borders.", enum=_CHOICES["window"])
    periodic: str = described(
        "Whether the smooth component, which causes the bright cross, was removed.",
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
    magnitude: str = described(
        "Whether the magnitude picture was made.", enum=_CHOICES["magnitude"]
    )
    phase: str = described("Whether the phase picture was made.", enum=_CHOICES["phase"])
    spectrum: str = described(
        "Whether the half spectrum was saved as .npz.", enum=_CHOICES["spectrum"]
    )
    histogram: str = described("Whether the histogram was drawn.", enum=_CHOICES["histogram"])
    filter: str = described(
        "Filters of the filtered image, joined by +; periods in pixels, angles in degrees, masks "
        "by the name and the SHA-256 of their file; or none."
    )
    offset: str = described(
        "What was added to the filtered image: grey levels, or mid, which moves the mean of each "
        "channel to middle grey.",
        pattern="^(mid|-?[0-9]{1,5})$",
    )
    threshold: str = described(
        "Threshold between black and white: mid, otsu or a grey level.",
        pattern="^(mid|otsu|[0-9]{1,5})$",
    )
    pixel_size: str = described(
        "Pixel size with its unit, which overrides the one stated in the source; or none.",
        name="pixel-size",
    )
    metadata: str = described("Whether a record was written.", enum=_CHOICES["metadata"])


@section
class Recipe(Section):
    """How the source was analysed."""

    text: str = described(
        "Keys that differ from their defaults, as key=value, separated by spaces; parsing it gives "
        "the same recipe."
    )
    sha256: str = described(
        "SHA-256, in hexadecimal, of the same text with all keys, including defaults.",
        pattern=_SHA256,
    )
    values: RecipeValues = described("All keys, including defaults, with their values as text.")


@section
class Error(Section):
    """Why a source was rejected."""

    code: str = described(
        "Stable, machine-readable code, such as corrupt-image.", pattern="^[a-z]+(-[a-z]+)*$"
    )
    message: str = described("Message: what is wrong and how to fix it.", minLength=1)


@section
class PixelSize(Section):
    """Pixel size stated in the file."""

    x_um: float = described(
        "Width of a pixel in micrometres, after orientation.", unit="µm", exclusiveMinimum=0
    )
    y_um: float = described(
        "Height of a pixel in micrometres, after orientation.", unit="µm", exclusiveMinimum=0
    )
    source: str = described(
        "Where the file states the pixel size.",
        name="from",
        enum=("PNG pHYs", "JFIF density", "TIFF resolution", "EXIF resolution"),
    )


@section
class Values(Section):
    """Which values the grey levels stand for, in an image whose samples were scaled to 16 bits."""

    offset: float = described("Value of level 0: value = offset + step · level.")
    step: float = described("Difference of the values of adjacent levels.", exclusiveMinimum=0)
    minimum: float = described("Smallest value in the image, in any colour channel.")
    maximum: float = described("Largest value in the image, in any colour channel.")
    clipped: int = described(
        "Number of samples outside the range of the recipe, which became black or white.",
        minimum=0,
    )
    exact: bool = described(
        "Whether all values are whole numbers that the levels give back exactly, once rounded. "
        "Otherwise a value that was not clipped is given back to within half a step."
    )


@section
class Image(Section):
    """Properties of the source, from its header."""

    format: str = described("Format, detected from the content.", enum=FORMATS)
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
    depth: int = described("Bits per stored sample.", unit="bit", minimum=1, maximum=64)
    sample_type: str = described(
        "Type of the stored samples: unsigned or signed integers, or floating-point numbers.",
        enum=("uint", "int", "float"),
    )
    values: Values | None = described(
        "Which values the grey levels stand for; null if the levels are the stored samples, as "
        "they are for unsigned integers of up to 16 bits."
    )
    white: int = described(
        "Value of white, the largest that the depth can hold: 255 for up to 8 bits, which are "
        "scaled to that range, and 65535 for samples that were scaled to 16 bits.",
        unit="grey levels",
        minimum=1,
        maximum=65535,
    )
    frames: int = described("Number of frames or pages in the file.", minimum=1)
    frame: int = described("Frame or page that was analysed, counted from 1.", minimum=1)
    orientation: int = described(
        "EXIF orientation of the stored pixels, 1 to 8; 1 is upright. It was applied.",
        minimum=1,
        maximum=8,
    )
    pixel_size: PixelSize | None = described("Pixel size stated in the file, or null.")


@section
class Region(Section):
    """The region that was analysed."""

    x: int = described(
        "First column, in pixels from the left of the upright image.", unit="px", minimum=0
    )
    y: int = described(
        "First row, in pixels from the top of the upright image.", unit="px", minimum=0
    )
    width: int = described("Width in pixels.", unit="px", minimum=1)
    height: int = described("Height in pixels.", unit="px", minimum=1)
    method: str = described(
        "How the region was chosen: the whole image; given in the recipe; or the most salient "
        "region, found by the phase spectrum.",
        enum=("whole", "given", "phase spectrum"),
    )


@section
class LumaWeights(Section):
    """Weights of the channels in luma."""

    red: float = described("Weight of red; the three add up to 1.", minimum=0, maximum=1)
    green: float = described("Weight of green; the three add up to 1.", minimum=0, maximum=1)
    blue: float = described("Weight of blue; the three add up to 1.", minimum=0, maximum=1)


@section
class Grey(Section):
    """How the channels were converted to the grey plane that was transformed."""

    channel: str = described(
        "Channel shown in the grey plane; luma of an image without colour is its grey channel.",
        enum=CHANNELS,
    )
    luma_weights: LumaWeights | None = described(
        "Weights of the channels in luma, or null if luma was not computed."
    )
    background: Sequence[int] | None = described(
        "Colour behind transparent pixels as red, green and blue from 0 to 255, or null if the "
        "source has no alpha channel.",
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
    """Fractions of pixels at the ends of the scale."""

    black: float = described("Fraction of the pixels that are 0.", minimum=0, maximum=1)
    white: float = described("Fraction of the pixels that are white.", minimum=0, maximum=1)


@section
class Threshold(Section):
    """Threshold between black and white pixels."""

    method: str = described(
        "How the threshold was chosen: half of white, Otsu's method, or given in the recipe.",
        enum=("mid", "otsu", "given"),
    )
    value: int = described(
        "Largest value that counts as black.", unit="grey levels", minimum=0, maximum=65535
    )
    black_pixels: int = described("Number of pixels up to the threshold.", unit="px", minimum=0)
    white_pixels: int = described("Number of pixels above the threshold.", unit="px", minimum=0)


@section
class Histogram(Section):
    """Histogram in 256 bins of equal width."""

    first_edge: int = described("Lower edge of the first bin.", unit="grey levels", const=0)
    last_edge: int = described(
        "Upper edge of the last bin: white + 1.",
        unit="grey levels",
        minimum=2,
        maximum=65536,
    )
    bin_width: float = described(
        "Width of a bin, in grey levels.", unit="grey levels", exclusiveMinimum=0
    )
    counts: Sequence[int] = described(
        "Number of pixels in each bin.", items={"minimum": 0}, minItems=256, maxItems=256
    )


@section
class Plane(Section):
    """Statistics of one plane."""

    white: int = described("Value of white.", unit="grey levels", minimum=1, maximum=65535)
    pixels: int = described("Number of pixels.", unit="px", minimum=1)
    mean: float = described("Mean, on a scale from 0 to white.", unit="grey levels", minimum=0)
    standard_deviation: float = described(
        "Population standard deviation, on a scale from 0 to white.", unit="grey levels", minimum=0
    )
    minimum: int = described("Smallest value that occurs.", unit="grey levels", minimum=0)
    maximum: int = described("Largest value that occurs.", unit="grey levels", minimum=0)
    median: float = described(
        "Median; of an even number of pixels, the mean of the middle two.",
        unit="grey levels",
        minimum=0,
    )
    percentiles: Percentiles = described(
        "Percentiles, interpolated linearly between the sorted pixels."
    )
    entropy_bits: float = described(
        "Shannon entropy of the values, in bits per pixel.", unit="bit/px", minimum=0
    )
    clipped_share: ClippedShare = described(
        "Fractions of pixels at the ends of the scale, from 0 to 1."
    )
    threshold: Threshold = described("Threshold between black and white pixels.")
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
        "Mean of |F|² / (width · height) in each bin, in grey levels squared, "
        "divided by the mean square of the window's weights.",
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
        "Number of rings, each 1 / max(width, height) cycles per pixel wide, merged into a bin; "
        "0 for a single pixel, which has no rings.",
        minimum=0,
    )
    frequency_per_um: Sequence[float] | None = described(
        "Frequency of each bin in cycles per micrometre; only if pixels are square and their size "
        "is known.",
        unit="cycles/µm",
        optional=True,
        items={"exclusiveMinimum": 0},
        maxItems=256,
    )


@section
class Slope(Section):
    """Power law fitted to mean power over frequency."""

    beta: float = described("Exponent: mean power decreases as 1 / frequency^beta.")
    error: float = described(
        "Standard error of beta: beta ± 1.96 times the error contains the exponent of the scene in "
        "about 95 of 100 images.",
        minimum=0,
    )
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
    """Distribution of power over the directions of waves."""

    angle: float = described(
        "Dominant angle of the wave vectors in degrees, counter-clockwise from the x axis, y up; "
        "not meaningful if anisotropy is near 0.",
        unit="°",
        minimum=0,
        exclusiveMaximum=180,
    )
    anisotropy: float = described(
        "From 0 (no preferred direction) to 1 (all waves in one direction).", minimum=0, maximum=1
    )
    angles: Sequence[float] = described(
        "Centre of each angular sector, in degrees.",
        unit="°",
        items={"minimum": 0, "exclusiveMaximum": 180},
        minItems=36,
        maxItems=36,
    )
    histogram: Sequence[float] = described(
        "Fraction of the gradient's power in each sector; the fractions add up to 1.",
        items={"minimum": 0, "maximum": 1},
        minItems=36,
        maxItems=36,
    )
    physical_angle: float | None = described(
        "Dominant angle in degrees, taking the shape of pixels into account; only if their size is "
        "known.",
        unit="°",
        together="pixel size",
        minimum=0,
        exclusiveMaximum=180,
    )
    physical_anisotropy: float | None = described(
        "Anisotropy, taking the shape of pixels into account; only if their size is known.",
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
        "Amplitude of the cosine in grey levels of the image before any window.",
        unit="grey levels",
        exclusiveMinimum=0,
    )
    prominence_db: float = described(
        "Power above the background at this frequency, in dB.", unit="dB", minimum=0
    )
    period_um: float | None = described(
        "Period in micrometres; only if the pixel size is known.",
        unit="µm",
        together="pixel size",
        exclusiveMinimum=0,
    )
    frequency_per_um: float | None = described(
        "Frequency in cycles per micrometre; only if the pixel size is known.",
        unit="cycles/µm",
        together="pixel size",
        exclusiveMinimum=0,
    )
    physical_angle: float | None = described(
        "Angle in degrees, taking the shape of pixels into account; only if their size is known.",
        unit="°",
        together="pixel size",
        minimum=0,
        exclusiveMaximum=180,
    )


@section
class Measures(Section):
    """Measures of the spectrum."""

    pixel_size_um: Sequence[float] | None = described(
        "Width and height of a pixel in micrometres, from the recipe or, failing that, the source; "
        "null if unknown.",
        unit="µm",
        items={"exclusiveMinimum": 0},
        minItems=2,
        maxItems=2,
    )
    radial_profile: RadialProfile = described(
        "Mean power in rings of equal frequency up to 0.5 cycles per pixel, excluding DC."
    )
    slope: Slope | None = described(
        "Power law fitted to mean power over frequency, or null if too few rings have power beyond "
        "rounding and are clear of the window's smear."
    )
    high_frequency_fraction: float | None = described(
        "Fraction of the power, excluding DC and the rounding of grey levels, above 0.25 cycles "
        "per pixel, from 0 to 1; null if the image is constant.",
        minimum=0,
        maximum=1,
    )
    orientation: Orientation | None = described(
        "Distribution of power over the directions of waves, or null if there is no power."
    )
    peaks: Sequence[Peak] = described(
        "Waves that stand out from the spectrum, at most eight, strongest first.", maxItems=8
    )


@section
class Trend(Section):
    """A linear trend: a plane fitted to the grey levels."""

    level: float = described(
        "Value at the centre of the image, in grey levels.", unit="grey levels"
    )
    per_row: float = described("Slope downwards, in grey levels per row.", unit="grey levels/px")
    per_column: float = described(
        "Slope to the right, in grey levels per column.", unit="grey levels/px"
    )


@section
class Preparation(Section):
    """What was done to the grey plane before the transform."""

    white: int = described(
        "Largest grey level that the plane's depth can hold.",
        unit="grey levels",
        minimum=1,
        maximum=65535,
    )
    window: str = described(
        "Separable window by which the plane was multiplied after detrending.", enum=WINDOWS
    )
    detrend: str = described("Type of trend that was subtracted.", enum=DETRENDS)
    trend: Trend = described("The trend that was subtracted.")
    periodic: bool = described(
        "Whether the smooth component of the periodic-plus-smooth decomposition was removed."
    )
    jumps: str | None = described(
        "Differences between opposite borders, which restore the smooth component: the bottom row "
        "minus the top row, then the right column minus the left column, as signed little-endian "
        "16-bit integers (32-bit if white exceeds 32767) in base64. Only if periodic is true, and "
        "up to 262,144 of them.",
        unit="grey levels",
        optional=True,
        pattern=_BASE64,
    )


@section
class Spectrum(Section):
    """How the spectrum and its pictures were computed."""

    width: int = described(
        "Width of the pictures in pixels, equal to that of the region.", unit="px", minimum=1
    )
    height: int = described(
        "Height of the pictures in pixels, equal to that of the region.", unit="px", minimum=1
    )
    precision: str = described(
        "Floating-point precision of the transform: 32 or 64 bits.", enum=("single", "double")
    )
    preparation: Preparation = described(
        "What was done to the grey plane before the transform; inversion undoes it."
    )
    dc: float = described(
        "Coefficient at frequency zero: the sum of the prepared plane.", unit="grey levels"
    )
    largest_magnitude: float | None = described(
        "Magnitude that the highest value of the magnitude picture represents; null if that "
        "picture was not made.",
        unit="grey levels",
        minimum=0,
    )
    scale: str = described(
        "Scale of the magnitude picture: log is log(1 + |F|), db ranges from -120 to 0.",
        enum=SCALES,
    )
    bits: int = described("Depth of the pictures in bits.", unit="bit", enum=(8, 16))


@section
class ClippedSamples(Section):
    """Samples whose values would lie beyond black or white."""

    black: int = described("Number of samples below black, which are black.", minimum=0)
    white: int = described("Number of samples above white, which are white.", minimum=0)


@section
class Filtered(Section):
    """What became of the samples of the filtered image."""

    channels: Sequence[str] = described("Channels that were filtered, in order.", minItems=1)
    offsets: Sequence[float] = described(
        "What was added to each of them, in grey levels.", unit="grey levels", minItems=1
    )
    samples: int = described("Number of samples in these channels.", minimum=1)
    clipped: ClippedSamples = described("How many of the samples were clipped.")


@section
class Fidelity(Section):
    """How well a spectrum reproduces the grey plane."""

    exact: bool = described(
        "Whether every grey level is reproduced exactly, after rounding and correction."
    )
    max_abs_error: int = described(
        "Largest error in grey levels, after rounding and correction.",
        unit="grey levels",
        minimum=0,
        maximum=65535,
    )
    corrected_pixels: int = described(
        "Number of pixels whose grey level is taken from the correction; 0 if none is needed.",
        unit="px",
        minimum=0,
    )
    psnr_db: float | None = described(
        "Peak signal-to-noise ratio of the inversion before rounding and correction, in dB; null "
        "if there is no error at all.",
        unit="dB",
    )
    parseval_ratio: float | None = described(
        "Energy of the spectrum in the artifacts divided by that of the prepared plane, 1 if "
        "nothing was lost; null if the latter is not available.",
        minimum=0,
    )
    lost_pixels: int = described(
        "Number of pixels that the window has suppressed.", unit="px", minimum=0
    )


@section
class Correction(Section):
    """Grey levels of the pixels whose error before rounding exceeds 0.45."""

    pixels: int = described("Number of these pixels.", unit="px", minimum=1)
    places: str = described(
        "Their positions, row · width + column with both counted from 0, in increasing order: "
        "unsigned little-endian 32-bit integers in base64.",
        pattern=_BASE64,
    )
    levels: str = described(
        "Their grey levels in the same order: unsigned 8-bit integers (little-endian 16-bit if "
        "white exceeds 255) in base64.",
        unit="grey levels",
        pattern=_BASE64,
    )


@section
class Way(Fidelity):
    """How well one inversion reproduces the grey plane."""

    correction: Correction | None = described(
        "Grey levels that replace those of this inversion; only if it needs a few of them to be "
        "exact.",
        optional=True,
    )


@section
class Ways(Section):
    """Every inversion that the artifacts allow, at least one."""

    spectrum: Way | None = described("From the saved spectrum.", optional=True)
    pictures: Way | None = described("From the magnitude and phase pictures.", optional=True)


@section
class _Origin(Section):
    """The artifacts that a certificate is about; a separate class to put the field first."""

    source: str = described(
        "Artifacts to which these numbers apply: those that allow the best inversion.",
        name="from",
        enum=("pictures", "spectrum"),
    )


@section
class Certificate(Fidelity, _Origin):
    """How well the artifacts, as written, reproduce the grey plane."""

    grey_sha256: str = described(
        "SHA-256 of the grey plane, in hexadecimal, against which a reconstruction is checked: of "
        "its grey levels row by row, one byte each (two, little-endian, if white exceeds 255).",
        pattern=_SHA256,
    )
    ways: Ways = described("Every inversion that the artifacts allow.")


@section
class Artifact(Section):
    """A file that was written along with the record."""

    artifact: str = described("Kind of artifact.")
    name: str = described("Name of the file within the store of artifacts.", minLength=1)
    content_type: str = described("Media type.")
    size: int = described("Size of the file in bytes.", unit="B", name="bytes", minimum=1)
    sha256: str = described("SHA-256 of the file, in hexadecimal.", pattern=_SHA256)


@section
class Opening(Section):
    """First sections of every record: program, source, recipe and outcome."""

    schema: str = described("Name and version of this schema.", const=SCHEMA_NAME)
    outcome: str = described(
        "done: all artifacts listed here were written completely. rejected: the source was "
        "permanently rejected, and error says why.",
        enum=("done", "rejected"),
    )
    tool: Tool = described("The program that wrote the record.")
    source: Source = described("The source file.")
    recipe: Recipe | None = described(
        "How the source was analysed; null if a rejected source came without a valid recipe."
    )


@section
class Rejected(Opening):
    """Record of a source that was permanently rejected."""

    error: Error = described("Why the source was rejected; only if it was.")
    artifacts: Sequence[Artifact] = described("Empty: a rejected source has none.", maxItems=0)


@section
class Done(Opening):
    """Record of a finished run."""

    recipe: Recipe = described("Never null in the record of a finished run.")
    image: Image = described("Properties of the source, from its header.")
    region: Region = described("The region that was analysed.")
    grey: Grey = described("How the channels were converted to the grey plane.")
    statistics: Statistics = described("Statistics of the pixels within the region.")
    sharpness: Sharpness | None = described(
        "How much fine detail the grey plane has; null if it is smaller than 3 by 3 pixels."
    )
    measures: Measures = described("Measures of the spectrum.")
    spectrum: Spectrum = described(
        "How the spectrum and its pictures were computed: everything needed to invert them."
    )
    filtered: Filtered | None = described(
        "What became of the samples of the filtered image; null where there is none."
    )
    certificate: Certificate | None = described(
        "How well the artifacts, as written, reproduce the grey plane; null if they cannot be "
        "inverted, or if there are none."
    )
    artifacts: Sequence[Artifact] = described(
        "All files that were written along with this record; empty if only the record was asked "
        "for."
    )
