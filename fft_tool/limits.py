"""Limits on sources and outputs, checked against the header before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from fft_tool.errors import (
    TooManyBytes,
    TooManyPixels,
    TooMuchMemory,
    TooMuchOutput,
    UnknownFormat,
)

FORMATS = ("png", "tiff", "jpeg", "webp", "bmp", "gif", "avif", "pnm", "npy")

MIB = 1 << 20

FEWER = (
    "ask for fewer or smaller ones (spectrum, precision, bits, colour), crop, "
    "or send a smaller image"
)
"""What to do about artifacts that are too large."""

FIXED_MEMORY = 80 * MIB
"""Bytes taken by the interpreter, the libraries, and each thread's blocks and tables."""


def parse_formats(text: str) -> tuple[str, ...]:
    """Parse a comma-separated allow-list of formats; ``ValueError`` says what is allowed.

    >>> parse_formats("TIFF, png")
    ('png', 'tiff')
    """
    wanted = {word.strip().lower() for word in text.split(",") if word.strip()}
    if not wanted or not wanted <= set(FORMATS):
        raise ValueError(f"should be one or more of {', '.join(FORMATS)}, separated by commas")
    return tuple(name for name in FORMATS if name in wanted)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on the size of a source, the memory of a run and the size of its artifacts.

    >>> import fft_tool as ft
    >>> ft.decode(b"BM", ft.Limits(formats=("png", "tiff")))
    Traceback (most recent call last):
        ...
    fft_tool.errors.UnknownFormat: bmp is not accepted here, only png, tiff

    ``max_memory``, in bytes, is compared with :func:`fft_tool.admission.memory_needed`; None means
    no limit. ``formats`` is an allow-list; the format is detected from the content, never from the
    file name. ``max_output_bytes`` is compared with :func:`fft_tool.admission.output_size` before
    anything is decoded, and again with the artifacts as they are made; None means no limit.
    """

    max_bytes: int = 2048 * MIB
    max_pixels: int = 300_000_000
    max_memory: int | None = None
    formats: tuple[str, ...] = FORMATS
    max_output_bytes: int | None = None

    def check_bytes(self, count: int) -> None:
        """Reject a source of more than ``max_bytes`` bytes."""
        if count > self.max_bytes:
            raise TooManyBytes(
                f"the file has {count:,} bytes, at most {self.max_bytes:,} are accepted: "
                "send a smaller file"
            )

    def check_format(self, name: str) -> None:
        """Reject a format that is not on the allow-list."""
        if name not in self.formats:
            raise UnknownFormat(f"{name} is not accepted here, only {', '.join(self.formats)}")

    def check_pixels(self, width: int, height: int) -> None:
        """Reject a header that declares more than ``max_pixels`` pixels."""
        if width * height > self.max_pixels:
            raise TooManyPixels(
                f"the header says {width} x {height} = {width * height:,} pixels, "
                f"at most {self.max_pixels:,} are accepted: send a smaller image"
            )

    def check_memory(self, needed: int) -> None:
        """Reject a run that is estimated to need more than ``max_memory`` bytes."""
        if self.max_memory is not None and needed > self.max_memory:
            raise TooMuchMemory(
                f"analysing this image takes about {-(-needed // MIB):,} MiB, "
                f"at most {round(self.max_memory / MIB):,} MiB are allowed: crop, "
                "or send a smaller image"
            )

    def check_output(self, count: int, what: str = "the artifacts", remedy: str = FEWER) -> None:
        """Reject artifacts of more than ``max_output_bytes`` bytes in total."""
        if self.max_output_bytes is not None and count > self.max_output_bytes:
            raise TooMuchOutput(
                f"{what} of this image take up to {count:,} bytes, "
                f"at most {self.max_output_bytes:,} are allowed: {remedy}"
            )
