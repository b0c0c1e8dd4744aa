"""Operations on the shape of an image: rotate, flip, crop, resize."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from fft_tool.image.region import FORM as CROP_FORM
from fft_tool.image.region import Crop as Region
from fft_tool.image.region import parse_crop
from fft_tool.operations.operation import (
    SHOWN,
    Layout,
    Operation,
    format_number,
    parse_number,
    require,
)
from fft_tool.recipe import KEYS
from fft_tool.spelling import did_you_mean

if TYPE_CHECKING:
    from typing import Self

    from fft_tool.arrays import Pixels

_COLOUR = next(key.value_type for key in KEYS if key.name == "background")
_WHITE = (255, 255, 255)
_DIRECTIONS = ("horizontal", "vertical")
_LONGEST = 1_000_000  # pixels of a side that can be asked for
_LARGEST_PERCENT = 10_000.0
_ROUNDING = 1e-9  # of a side: what is computed of a whole number of pixels may be above it


@dataclass(frozen=True, slots=True)
class Rotate(Operation):
    """Rotation by any angle; ``fill`` is an 8-bit colour, None the default."""

    angle: float
    fill: tuple[int, int, int] | None = None

    name: ClassVar[str] = "rotate"
    form: ClassVar[str] = "rotate:ANGLE[:FILL]"
    help: ClassVar[str] = "turn by ANGLE degrees counter-clockwise; the canvas grows to hold it all"
    details: ClassVar[str] = (
        "Multiples of 90 are exact. Other angles are interpolated with bicubic splines "
        "(Catmull-Rom, on 4 × 4 pixels) about the centre; the canvas is the smallest that holds "
        "the turned frame, rounded up to whole pixels. The corners are transparent if the image "
        "has alpha, and white otherwise; with FILL, `white`, `black`, `grey` or `#rrggbb`, they "
        "have that colour. Colours are weighted by alpha. Angles count modulo 360."
    )
    examples: ClassVar[tuple[str, ...]] = ("rotate:90", "rotate:12.5", "rotate:-30:black")

    def __post_init__(self) -> None:
        require(math.isfinite(self.angle), "ANGLE should be finite")
        # Twice: the remainder of a tiny negative angle rounds up to 360 itself.
        object.__setattr__(self, "angle", self.angle % 360.0 % 360.0)

    @classmethod
    def parse(cls, parameters: str) -> Self:
        """Parse an angle and, after a colon, a colour."""
        angle, colon, fill = (part.strip() for part in parameters.partition(":"))
        require(bool(angle), "1 number expected, none given")
        degrees = parse_number(angle, "ANGLE")
        if not colon:
            return cls(degrees)
        try:
            return cls(degrees, _COLOUR.parse(fill))
        except ValueError as exc:
            raise ValueError(f"FILL {exc}") from None

    def parameters(self) -> str:
        """Return the angle, and the colour if there is one."""
        fill = "" if self.fill is None else f":{_COLOUR.format(self.fill)}"
        return format_number(self.angle) + fill

    @property
    def quarters(self) -> int | None:
        """Number of quarter turns; None if the angle is not a multiple of 90."""
        turns = self.angle / 90
        return int(turns) if turns.is_integer() else None

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Size of the smallest canvas that holds the turned image."""
        if self.quarters is not None:
            return (width, height) if self.quarters % 2 else (height, width)
        turn = math.radians(self.angle)
        cos, sin = abs(math.cos(turn)), abs(math.sin(turn))
        sides = height * cos + width * sin, height * sin + width * cos
        down, across = (math.ceil(side * (1 - _ROUNDING)) for side in sides)
        return down, across

    def memory(self, before: Layout) -> int:
        """A copy with a border, as real numbers."""
        if self.quarters is not None:
            return 0
        return (before.height + 8) * (before.width + 8) * before.channels * before.real

    def pixel_size(
        self, before: tuple[float, float], height: int, width: int
    ) -> tuple[float, float] | None:
        """Swap by quarter turns; otherwise unknown unless pixels are square."""
        del height, width
        if self.quarters is None:
            return before if before[0] == before[1] else None
        return before[::-1] if self.quarters % 2 else before

    def apply(self, pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
        """Turn the image about its centre."""
        from fft_tool.operations import resampling  # noqa: PLC0415  (loads numpy)

        if self.quarters is not None:
            return resampling.quarter_turns(pixels, self.quarters)
        height, width = self.size(pixels.shape[0], pixels.shape[1])
        fill = self.fill
        if fill is None and pixels.shape[2] in (1, 3):
            fill = _WHITE
        return resampling.rotate(pixels, white, self.angle, (height, width), fill, threads=threads)


@dataclass(frozen=True, slots=True)
class Flip(Operation):
    """Mirror image."""

    direction: Literal["horizontal", "vertical"] = "horizontal"

    name: ClassVar[str] = "flip"
    form: ClassVar[str] = "flip[:horizontal|vertical]"
    help: ClassVar[str] = "mirror left to right (horizontal, the default) or top to bottom"
    details: ClassVar[str] = "Exact; twice gives the image back."
    examples: ClassVar[tuple[str, ...]] = ("flip", "flip:vertical")

    def __post_init__(self) -> None:
        near = did_you_mean(self.direction, _DIRECTIONS)
        require(
            self.direction in _DIRECTIONS,
            f"the direction should be horizontal or vertical, not {self.direction[:SHOWN]!r}{near}",
        )

    @classmethod
    def parse(cls, parameters: str) -> Self:
        """Parse a direction."""
        word = parameters.strip()
        return cls(word) if word else cls()  # type: ignore[arg-type]  # checked when made

    def parameters(self) -> str:
        """Return the direction, which is always written."""
        return self.direction

    def apply(self, pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
        """Reverse the columns or the rows."""
        del white, threads
        return (pixels[:, ::-1] if self.direction == "horizontal" else pixels[::-1]).copy()


@dataclass(frozen=True, slots=True)
class Crop(Operation):
    """A region, in the grammar of the recipe's crop."""

    region: Region

    name: ClassVar[str] = "crop"
    form: ClassVar[str] = "crop:REGION"
    help: ClassVar[str] = "keep only a region"
    details: ClassVar[str] = (
        "REGION is written as in the recipe: `x,y,w,h` in pixels, with (x, y) the top left corner; "
        "`pct:x,y,w,h` in per cent; `square`, the largest in the centre; or `centre:w,h`. A region "
        "that extends beyond the image is refused."
    )
    examples: ClassVar[tuple[str, ...]] = ("crop:10,10,50,50", "crop:square")

    @classmethod
    def parse(cls, parameters: str) -> Self:
        """Parse a region."""
        require(bool(parameters.strip()), f"a region expected: {CROP_FORM}")
        return cls(parse_crop(parameters))

    def parameters(self) -> str:
        """Return the region."""
        return str(self.region)

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Size of the region; raises an error if it extends beyond the image."""
        box = self.region.resolve(width, height)
        return box.height, box.width

    def apply(self, pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
        """Copy the region."""
        del white, threads
        box = self.region.resolve(pixels.shape[1], pixels.shape[0])
        return pixels[box.y : box.y + box.height, box.x : box.x + box.width].copy()


@dataclass(frozen=True, slots=True)
class Resize(Operation):
    """Another size: either ``percent``, or ``width`` with or without ``height``."""

    width: int | None = None
    height: int | None = None
    percent: float | None = None

    name: ClassVar[str] = "resize"
    form: ClassVar[str] = "resize:W,H or resize:W or resize:P%"
    help: ClassVar[str] = "scale to W × H pixels, to W pixels across, or to P per cent"
    details: ClassVar[str] = (
        "With W alone, the aspect is kept. Bicubic (Catmull-Rom); scaling down, the kernel widens "
        "with the step, so that fine patterns do not alias (as Pillow's `BICUBIC` does). Sides are "
        "rounded to whole pixels; a size that rounds to nothing is refused. Colours are weighted "
        "by alpha, so that those of transparent pixels do not bleed."
    )
    examples: ClassVar[tuple[str, ...]] = ("resize:50%", "resize:640,480", "resize:320")

    def __post_init__(self) -> None:
        one = (self.percent is None) != (self.width is None)
        require(one and not (self.height and not self.width), "either pixels or per cent expected")
        for side in (self.width, self.height):
            require(
                side is None or 1 <= side <= _LONGEST,
                f"W and H should be whole pixels from 1 to {_LONGEST:,}",
            )
        require(
            self.percent is None or 0 < self.percent <= _LARGEST_PERCENT,
            f"P should be above 0, at most {_LARGEST_PERCENT:g} per cent",
        )

    @classmethod
    def parse(cls, parameters: str) -> Self:
        """Parse per cent, one side, or two."""
        text = parameters.strip()
        require(bool(text), "a size expected")
        if text.endswith("%"):
            return cls(percent=parse_number(text[:-1].rstrip(), "P"))
        parts = [part.strip() for part in text.split(",")]
        digits = all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts)
        require(digits and len(parts) < 3, "W and H should be whole numbers of pixels")
        return cls(*map(int, parts))

    def parameters(self) -> str:
        """Per cent, or the sides."""
        if self.percent is not None:
            return f"{format_number(self.percent)}%"
        return ",".join(str(side) for side in (self.width, self.height) if side is not None)

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Size of the result; ``ValueError`` if it rounds to nothing."""
        if self.width is not None and self.height is not None:
            return self.height, self.width
        share = self.percent / 100 if self.percent is not None else (self.width or 0) / width
        across = self.width or math.floor(width * share + 0.5)
        down = math.floor(height * share + 0.5)
        require(
            across > 0 and down > 0,
            f"would make {width} x {height} pixels into {across} x {down}, which is no image: "
            "ask for a larger size",
        )
        return down, across

    def pixel_size(
        self, before: tuple[float, float], height: int, width: int
    ) -> tuple[float, float] | None:
        """Scale by the same factors as the image."""
        down, across = self.size(height, width)
        return before[0] * width / across, before[1] * height / down

    def apply(self, pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
        """Resample the rows, then the columns."""
        from fft_tool.operations import resampling  # noqa: PLC0415  (loads numpy)

        height, width = self.size(pixels.shape[0], pixels.shape[1])
        return resampling.resize(pixels, white, (height, width), threads=threads)


KINDS: tuple[type[Operation], ...] = (Rotate, Flip, Crop, Resize)
