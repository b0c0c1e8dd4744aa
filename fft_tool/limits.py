"""What is accepted, decided from the header before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from fft_tool.errors import (
    TooManyBytes,
    TooManyPixels,
    TooMuchMemory,
    TooMuchOutput,
    UnknownFormat,
)

FORMATS = ("png", "tiff", "jpeg", "webp", "bmp")

MIB = 1 << 20

FIXED_MEMORY = 80 * MIB
"""Bytes of the interpreter, the libraries, and the blocks and tables of every thread."""


def parse_formats(text: str) -> tuple[str, ...]:
    """Read an allow-list of formats, with commas between; ``ValueError`` says what is allowed.

    >>> parse_formats("TIFF, png")
    ('png', 'tiff')
    """
    wanted = {word.strip().lower() for word in text.split(",") if word.strip()}
    if not wanted or not wanted <= set(FORMATS):
        raise ValueError(f"should be one or more of {', '.join(FORMATS)}, with commas between")
    return tuple(name for name in FORMATS if name in wanted)


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest source that a door takes, and the most that it leaves behind.

    ``max_memory`` is held against :func:`fft_tool.admission.memory_needed`, in bytes; None is no
    limit. ``formats`` is the allow-list of formats, told by content, never by name.
    ``max_output_bytes`` is held against :func:`fft_tool.admission.output_size` before anything is
    decoded, and against the artifacts as they are made; None is no limit.
    """

    max_bytes: int = 2048 * MIB
    max_pixels: int = 300_000_000
    max_memory: int | None = None
    formats: tuple[str, ...] = FORMATS
    max_output_bytes: int | None = None

    def check_bytes(self, count: int) -> None:
        """Refuse a source of more than ``max_bytes`` bytes."""
        if count > self.max_bytes:
            raise TooManyBytes(
                f"the file has {count:,} bytes, {self.max_bytes:,} are accepted: "
                "send a smaller file"
            )

    def check_format(self, name: str) -> None:
        """Refuse a format that is not on the allow-list."""
        if name not in self.formats:
            raise UnknownFormat(f"{name} is not accepted here, only {', '.join(self.formats)}")

    def check_pixels(self, width: int, height: int) -> None:
        """Refuse a header that announces more than ``max_pixels`` pixels."""
        if width * height > self.max_pixels:
            raise TooManyPixels(
                f"the header says {width} x {height} = {width * height:,} pixels, "
                f"{self.max_pixels:,} are accepted: send a smaller image"
            )

    def check_memory(self, needed: int) -> None:
        """Refuse work that is estimated to need more than ``max_memory`` bytes."""
        if self.max_memory is not None and needed > self.max_memory:
            raise TooMuchMemory(
                f"analysing this image takes about {-(-needed // MIB):,} MiB, "
                f"{round(self.max_memory / MIB):,} MiB are allowed: crop, "
                "or send a smaller image"
            )

    def check_output(self, count: int) -> None:
        """Refuse artifacts of more than ``max_output_bytes`` bytes together."""
        if self.max_output_bytes is not None and count > self.max_output_bytes:
            raise TooMuchOutput(
                f"the artifacts of this image take up to {count:,} bytes, "
                f"{self.max_output_bytes:,} are allowed: ask for fewer or smaller ones (spectrum, "
                "precision, bits, colour), crop, or send a smaller image"
            )
