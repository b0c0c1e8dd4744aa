"""How much two images are alike: plain values, as they are printed, stored and sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from fft_tool.validate import Json, number, whole

_MOST_RINGS = 1 << 15
_HASH_BITS = 64


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much the pixels of two images are alike.

    Attributes
    ----------
    width, height
        Size in pixels at which they were compared.
    fitted
        Whether they differed in size, and were scaled down to the smaller one of their widths and
        of their heights.
    white
        The largest grey level that both can hold: the range of the ratio.
    identical
        Whether all grey levels are equal.
    psnr_db
        ``10·log10(white² / mean squared difference)``; None if they are identical.
    ssim
        Mean structural similarity, at most 1; None if a side is shorter than 7 pixels.
    mean_difference, max_difference
        Absolute differences in grey levels.
    correlation
        Pearson's correlation coefficient; None if an image is constant.
    hashes
        Perceptual hashes of both, 16 hexadecimal digits each.
    hash_distance
        Number of bits in which these differ, 0 to 64.
    """

    width: int
    height: int
    fitted: bool
    white: int
    identical: bool
    psnr_db: float | None
    ssim: float | None
    mean_difference: float
    max_difference: float
    correlation: float | None
    hashes: tuple[str, str]
    hash_distance: int

    def to_json(self) -> Json:
        """Return plain values."""
        return {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "hashes": list(self.hashes),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read the values of :meth:`to_json`; raise an error if they have another form."""
        first, second = (f"{int(text, 16):016x}" for text in values["hashes"])
        return cls(
            whole(values["width"], 1, 1 << 40),
            whole(values["height"], 1, 1 << 40),
            values["fitted"] is True,
            whole(values["white"], 1, 65535),
            values["identical"] is True,
            _optional(values["psnr_db"]),
            _optional(values["ssim"]),
            number(values["mean_difference"]),
            number(values["max_difference"]),
            _optional(values["correlation"]),
            (first, second),
            whole(values["hash_distance"], 0, _HASH_BITS),
        )


@dataclass(frozen=True, slots=True)
class Displacement:
    """Where the second image shows what the first one shows: see ``fft_tool.find_shift``."""

    right: float
    down: float
    peak: float
    reliable: bool

    def to_json(self) -> Json:
        """Return plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read the values of :meth:`to_json`; raise an error if they have another form."""
        right, down, peak = (number(values[name]) for name in ("right", "down", "peak"))
        return cls(right, down, peak, values["reliable"] is True)


@dataclass(frozen=True, slots=True)
class Rings:
    """Fourier ring correlation and where it falls below the thresholds, in cycles per pixel.

    A resolution of 0.5 means that the curve stays above to the end, Nyquist; None that there is
    nothing in common beyond chance. See ``fft_tool.ring_correlation``.
    """

    frequency: tuple[float, ...]
    correlation: tuple[float, ...]
    half_bit: tuple[float, ...]
    resolution: Mapping[str, float | None]

    def to_json(self) -> Json:
        """Return plain values."""
        return {
            "frequency": list(self.frequency),
            "correlation": list(self.correlation),
            "half_bit": list(self.half_bit),
            "resolution": dict(self.resolution),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read the values of :meth:`to_json`; raise an error if they have another form."""
        curves = [
            tuple(number(each) for each in values[name][:_MOST_RINGS])
            for name in ("frequency", "correlation", "half_bit")
        ]
        if len(set(map(len, curves))) > 1:
            raise ValueError("curves of different lengths")
        found = {name: _optional(values["resolution"][name]) for name in ("0.143", "half-bit")}
        return cls(curves[0], curves[1], curves[2], found)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that is known of two images: pixels, shift and ring correlation.

    ``shift`` is None if an image is constant.
    """

    likeness: Likeness
    shift: Displacement | None
    rings: Rings

    def to_json(self) -> Json:
        """Return plain values."""
        return {
            **self.likeness.to_json(),
            "shift": None if self.shift is None else self.shift.to_json(),
            "ring_correlation": self.rings.to_json(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read the values of :meth:`to_json`; raise an error if they have another form."""
        shift = values["shift"]
        return cls(
            Likeness.from_json(values),
            None if shift is None else Displacement.from_json(shift),
            Rings.from_json(values["ring_correlation"]),
        )


def _optional(value: Any) -> float | None:
    return None if value is None else number(value)
