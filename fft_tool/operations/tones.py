"""Operations on tones: every pixel for itself, alpha untouched."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from fft_tool.operations.operation import Layout, Operation, parse_number, require

if TYPE_CHECKING:
    from typing import Self

    from fft_tool.arrays import Doubles, Pixels

_LARGEST = 100.0  # factors and exponents beyond make every image black and white


class Curve(Operation):
    """An operation that maps each level to another, the same way in every colour channel."""

    __slots__ = ()

    @abstractmethod
    def curve(self, levels: Doubles) -> Doubles:
        """Map levels, from 0 (black) to 1 (white); results are clipped to the same range."""

    def apply(self, pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
        """Map every sample but those of alpha; computed in double precision, and rounded."""
        from fft_tool.operations.levels import map_levels  # noqa: PLC0415  (loads numpy)

        return map_levels(pixels, white, self.curve, threads=threads)


@dataclass(frozen=True, slots=True)
class Grayscale(Operation):
    """Grey levels of a colour image."""

    name: ClassVar[str] = "grayscale"
    form: ClassVar[str] = "grayscale"
    help: ClassVar[str] = "grey levels"
    details: ClassVar[str] = (
        "Luma of ITU-R BT.601, `0.299 R + 0.587 G + 0.114 B`, rounded: what the analysis looks at. "
        "The result has one channel, and alpha if there was alpha. Grey images stay as they are."
    )
    examples: ClassVar[tuple[str, ...]] = ("grayscale",)

    def channels(self, channels: int) -> int:
        """One channel, and alpha."""
        return channels if channels < 3 else channels - 2

    def apply(self, pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
        """Replace the colours by their luma."""
        from fft_tool.operations.levels import grayscale  # noqa: PLC0415  (loads numpy)

        return grayscale(pixels, white, threads=threads)


@dataclass(frozen=True, slots=True)
class Sepia(Operation):
    """The tone of an old photograph."""

    name: ClassVar[str] = "sepia"
    form: ClassVar[str] = "sepia"
    help: ClassVar[str] = "the brown tone of an old photograph"
    details: ClassVar[str] = (
        "The usual matrix: `R' = 0.393 R + 0.769 G + 0.189 B`, `G' = 0.349 R + 0.686 G + 0.168 B`, "
        "`B' = 0.272 R + 0.534 G + 0.131 B`, clipped at white. A grey image becomes RGB."
    )
    examples: ClassVar[tuple[str, ...]] = ("sepia",)

    def channels(self, channels: int) -> int:
        """Three channels, and alpha."""
        return channels if channels > 2 else channels + 2

    def apply(self, pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
        """Multiply the colours by the matrix."""
        from fft_tool.operations.levels import sepia  # noqa: PLC0415  (loads numpy)

        return sepia(pixels, white, threads=threads)


@dataclass(frozen=True, slots=True)
class Invert(Curve):
    """The negative."""

    name: ClassVar[str] = "invert"
    form: ClassVar[str] = "invert"
    help: ClassVar[str] = "the negative"
    details: ClassVar[str] = "White minus the level, exact: twice gives the image back."
    examples: ClassVar[tuple[str, ...]] = ("invert",)

    def curve(self, levels: Doubles) -> Doubles:
        """Swap black and white."""
        return 1 - levels


@dataclass(frozen=True, slots=True)
class Contrast(Curve):
    """More or less contrast about middle grey."""

    factor: float

    name: ClassVar[str] = "contrast"
    form: ClassVar[str] = "contrast:FACTOR"
    help: ClassVar[str] = "more contrast (FACTOR above 1) or less (below 1)"
    details: ClassVar[str] = (
        "Distances from middle grey, half of white, are multiplied by FACTOR, from 0 to 100, and "
        "clipped at black and white."
    )
    examples: ClassVar[tuple[str, ...]] = ("contrast:1.6",)

    def __post_init__(self) -> None:
        require(0 <= self.factor <= _LARGEST, f"FACTOR should be from 0 to {_LARGEST:g}")

    def curve(self, levels: Doubles) -> Doubles:
        """Stretch about one half."""
        return (levels - 0.5) * self.factor + 0.5


@dataclass(frozen=True, slots=True)
class Brightness(Curve):
    """Lighter or darker by a share of white."""

    percent: float

    name: ClassVar[str] = "brightness"
    form: ClassVar[str] = "brightness:PERCENT"
    help: ClassVar[str] = "lighter (PERCENT above 0) or darker (below 0)"
    details: ClassVar[str] = (
        "PERCENT of white, from -100 to 100, is added to every level, which is clipped at black "
        "and white: `brightness:20` adds 51 to 8-bit levels. A percent sign may follow."
    )
    examples: ClassVar[tuple[str, ...]] = ("brightness:20", "brightness:-12.5")

    def __post_init__(self) -> None:
        require(-100 <= self.percent <= 100, "PERCENT should be from -100 to 100")

    @classmethod
    def parse(cls, parameters: str) -> Self:
        """Parse a number, with or without a percent sign."""
        require(bool(parameters.strip()), "1 number expected, none given")
        return cls(parse_number(parameters.strip().removesuffix("%").rstrip(), "PERCENT"))

    def curve(self, levels: Doubles) -> Doubles:
        """Add a constant."""
        return levels + self.percent / 100


@dataclass(frozen=True, slots=True)
class Gamma(Curve):
    """Lighter or darker middle tones."""

    gamma: float

    name: ClassVar[str] = "gamma"
    form: ClassVar[str] = "gamma:GAMMA"
    help: ClassVar[str] = "lighter middle tones (GAMMA above 1) or darker ones (below 1)"
    details: ClassVar[str] = (
        "`white · (level / white)^(1 / GAMMA)`, with GAMMA from 0.01 to 100: the convention of "
        "ImageMagick and GIMP; scikit-image and MATLAB take the exponent itself. Black and white "
        "stay as they are."
    )
    examples: ClassVar[tuple[str, ...]] = ("gamma:1.8",)

    def __post_init__(self) -> None:
        require(
            1 / _LARGEST <= self.gamma <= _LARGEST,
            f"GAMMA should be from {1 / _LARGEST:g} to {_LARGEST:g}",
        )

    def curve(self, levels: Doubles) -> Doubles:
        """Raise to a power."""
        powers: Doubles = levels ** (1 / self.gamma)
        return powers


@dataclass(frozen=True, slots=True)
class Posterize(Curve):
    """A few levels only."""

    levels: int = 4

    name: ClassVar[str] = "posterize"
    form: ClassVar[str] = "posterize[:LEVELS]"
    help: ClassVar[str] = "LEVELS (4) levels in each channel"
    details: ClassVar[str] = (
        "Each sample becomes the nearest of LEVELS equally spaced levels, from black to white; "
        "LEVELS is from 2 to 256. A level half way becomes the higher one."
    )
    examples: ClassVar[tuple[str, ...]] = ("posterize:3",)

    def __post_init__(self) -> None:
        require(2 <= self.levels <= 256, "LEVELS should be from 2 to 256")

    def curve(self, levels: Doubles) -> Doubles:
        """Round to the nearest step."""
        steps = self.levels - 1
        return (levels * steps + 0.5) // 1 / steps


@dataclass(frozen=True, slots=True)
class Equalise(Operation):
    """Histogram equalisation."""

    name: ClassVar[str] = "equalise"
    form: ClassVar[str] = "equalise"
    help: ClassVar[str] = "every grey level about equally frequent"
    details: ClassVar[str] = (
        "Histogram equalisation of the luma, at full resolution: one bin per level, also of 16 "
        "bits. A level becomes `white · (c - c0) / (n - c0)`, with `c` the number of pixels that "
        "are not lighter, `c0` those at the darkest level, and `n` all. Colours move with their "
        "luma (chroma is kept) and are clipped. Pixels that are fully transparent are not counted. "
        "An image of a single level stays as it is."
    )
    examples: ClassVar[tuple[str, ...]] = ("equalise",)

    def memory(self, before: Layout) -> int:
        """One plane of luma."""
        return before.pixels * before.sample * (before.channels > 1)

    def apply(self, pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
        """Spread the levels."""
        from fft_tool.operations.levels import equalise  # noqa: PLC0415  (loads numpy)

        return equalise(pixels, white, threads=threads)


KINDS: tuple[type[Operation], ...] = (
    *(Grayscale, Sepia, Invert, Contrast, Brightness, Gamma, Posterize, Equalise),
)
