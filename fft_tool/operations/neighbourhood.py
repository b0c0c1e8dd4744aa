"""Operations on neighbourhoods: each pixel from those around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from fft_tool.operations.gaussian import gaussian_memory
from fft_tool.operations.operation import Layout, Operation, require

if TYPE_CHECKING:
    from fft_tool.arrays import Pixels

_LARGEST_SIGMA = 1000.0
_KERNEL = (
    "sampled at whole pixels out to 4 SIGMA and normalised; beyond the borders, the image "
    "continues as its mirror image (`c b a | a b c`)"
)


@dataclass(frozen=True, slots=True)
class Blur(Operation):
    """Gaussian blur."""

    sigma: float = 2.0

    name: ClassVar[str] = "blur"
    form: ClassVar[str] = "blur[:SIGMA]"
    help: ClassVar[str] = "Gaussian blur with a standard deviation of SIGMA (2) pixels"
    details: ClassVar[str] = (
        f"The kernel is {_KERNEL}. SIGMA is more than 0, at most {_LARGEST_SIGMA:g}. Colours are "
        "weighted by alpha, so that those of transparent pixels do not bleed, and alpha is blurred "
        "as well; a pixel that ends up fully transparent is black."
    )
    examples: ClassVar[tuple[str, ...]] = ("blur", "blur:3")

    def __post_init__(self) -> None:
        _require_sigma(self.sigma)

    def memory(self, before: Layout) -> int:
        """Real numbers of the whole image, if the kernel is wide."""
        return gaussian_memory(before, self.sigma)

    def apply(self, pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
        """Convolve colours, weighted by alpha, and alpha."""
        from fft_tool.operations.convolution import blur  # noqa: PLC0415  (loads numpy)

        return blur(pixels, white, self.sigma, threads=threads)


@dataclass(frozen=True, slots=True)
class Sharpen(Operation):
    """Unsharp mask."""

    amount: float = 1.0
    sigma: float = 1.0

    name: ClassVar[str] = "sharpen"
    form: ClassVar[str] = "sharpen[:AMOUNT[,SIGMA]]"
    help: ClassVar[str] = "unsharp mask: AMOUNT (1) times what a blur of SIGMA (1) px takes away"
    details: ClassVar[str] = (
        "`level + AMOUNT · (level - blurred)`, clipped at black and white, with the kernel of "
        f"`blur`. AMOUNT is from 0 to 100, SIGMA more than 0, at most {_LARGEST_SIGMA:g}. Alpha "
        "stays as it is, and weights the colours that are blurred."
    )
    examples: ClassVar[tuple[str, ...]] = ("sharpen", "sharpen:1.5,2")

    def __post_init__(self) -> None:
        require(0 <= self.amount <= 100, "AMOUNT should be from 0 to 100")
        _require_sigma(self.sigma)

    def memory(self, before: Layout) -> int:
        """Real numbers of the whole image, if the kernel is wide."""
        return gaussian_memory(before, self.sigma)

    def apply(self, pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
        """Add what a blur takes away."""
        from fft_tool.operations.convolution import sharpen  # noqa: PLC0415  (loads numpy)

        return sharpen(pixels, white, self.amount, self.sigma, threads=threads)


@dataclass(frozen=True, slots=True)
class Edges(Operation):
    """Sobel magnitude."""

    name: ClassVar[str] = "edges"
    form: ClassVar[str] = "edges"
    help: ClassVar[str] = "the strength of edges: Sobel's gradient of the grey levels"
    details: ClassVar[str] = (
        "`√(gx² + gy²)` of the luma, with Sobel's kernels divided by 4, so that a horizontal or "
        "vertical step from black to white gives white on both of its sides; clipped at white. "
        "Beyond the borders, the image continues as its mirror image. The result is grey. "
        "Transparent pixels count as black, and alpha stays as it is."
    )
    examples: ClassVar[tuple[str, ...]] = ("edges",)

    def channels(self, channels: int) -> int:
        """One channel, and alpha."""
        return channels if channels < 3 else channels - 2

    def apply(self, pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
        """Take the magnitude of the gradient."""
        from fft_tool.operations.convolution import edges  # noqa: PLC0415  (loads numpy)

        return edges(pixels, white, threads=threads)


KINDS: tuple[type[Operation], ...] = (Blur, Sharpen, Edges)


def _require_sigma(sigma: float) -> None:
    require(0 < sigma <= _LARGEST_SIGMA, f"SIGMA should be above 0, at most {_LARGEST_SIGMA:g} px")
