"""Masks that are pictures: a gain for every frequency, drawn by hand or made by a program.

A mask has the size of the image that is filtered, with DC at ``(h // 2, w // 2)`` as in magnitude
pictures: white keeps a frequency, black removes it, grey keeps it in proportion. The smaller one of
the values at a frequency and at its mirror image counts for both, so that the filtered image is
real: what is black on one side is gone. The mean is always kept.

:class:`MaskFile` is what a recipe holds: the name of a file and the SHA-256 of its bytes. The bytes
are added by whoever may read files, see :func:`fft_tool.mask_files.resolve_masks`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import check_finite, check_grey
from fft_tool.codec import image_file
from fft_tool.errors import FftToolError, RecipeError, RecipeFault
from fft_tool.limits import Limits

Levels = NDArray[Any]

LARGEST_FILE = 256 << 20
"""Most bytes that the file of a mask may have."""

BYTES_PER_PIXEL = 2
"""Bytes per pixel of a decoded mask, at most."""

BYTES_OF_LINE = 64
"""Bytes per row and column that a mask takes: positions and gains of a row."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[!-*\-.-~]+")  # printable ASCII without plus and comma
_LONGEST_NAME = 255  # bytes, as in most file systems


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """A mask in memory: ``levels`` (h, w) from 0 to ``white``, DC in the centre."""

    levels: Levels
    white: float = 1.0

    @classmethod
    def of(cls, array: Any) -> Mask:
        """Mask of an array (h, w): booleans, uint8, uint16, or real numbers from 0 to 1.

        >>> float(Mask.of(np.full((3, 4), 51, np.uint8)).white)
        255.0

        Raises ``TypeError`` or ``ValueError`` that says what to pass.
        """
        levels = check_grey(array)
        if levels.dtype == np.bool_:
            return cls(levels)
        if levels.dtype.kind == "u" and levels.dtype.itemsize <= 2:
            return cls(levels, float(np.iinfo(levels.dtype).max))
        if levels.dtype.kind != "f":
            raise TypeError(
                f"mask of type {levels.dtype}: pass booleans, uint8, uint16, or floating-point "
                "numbers from 0 (removes) to 1 (keeps)"
            )
        check_finite(levels)
        if levels.min() < 0 or levels.max() > 1:
            raise ValueError(
                f"mask with values from {levels.min():.6g} to {levels.max():.6g}: they should be "
                "from 0 (removes) to 1 (keeps), for instance numpy.clip(mask, 0, 1)"
            )
        return cls(levels)

    def check_shape(self, shape: tuple[int, int]) -> None:
        """Raise ``ValueError`` unless the mask is for an image of ``shape`` (h, w)."""
        if self.levels.shape != shape:
            raise ValueError(
                f"mask of shape {self.levels.shape} for an image of shape {shape}: they should be "
                "the same, with the mean at [h // 2, w // 2] as in fft_tool.magnitude(spectrum)"
            )

    def mask(
        self, fy: NDArray[Any], fx: NDArray[Any], shape: tuple[int, int]
    ) -> NDArray[np.float32]:
        """Gain at frequencies ``(fy, fx)`` in cycles per pixel, for an image of ``shape``."""
        height, width = shape
        down = np.rint(-fy[:, 0] * height).astype(np.intp)
        across = np.rint(fx[0] * width).astype(np.intp)
        here = self._levels_at(down, across)
        gain = np.minimum(here, self._levels_at(-down, -across)).astype(np.float32)
        gain /= np.float32(self.white)
        gain[np.ix_(down == 0, across == 0)] = 1
        return gain

    def _levels_at(self, down: NDArray[np.intp], across: NDArray[np.intp]) -> Levels:
        height, width = self.levels.shape
        rows = self.levels[(height // 2 + down) % height]
        found: Levels = rows[:, (width // 2 + across) % width]
        return found


@dataclass(frozen=True, slots=True)
class MaskFile:
    """The mask in a file: a grey PNG of up to 16 bits.

    ``file`` is its name, or a path as far as nobody has read it; ``sha256`` that of its bytes, in
    hexadecimal. ``data`` are the bytes, which ``sha256`` stands for where masks are compared,
    hashed and written as text.
    """

    file: str
    sha256: str | None = None
    data: bytes | None = field(default=None, repr=False, compare=False)

    name: ClassVar[str] = "mask"
    form: ClassVar[str] = "mask:FILE[,SHA256]"

    def __post_init__(self) -> None:
        base = base_name(self.file)
        if base in ("", ".", ".."):
            raise ValueError("FILE should be the name of a PNG file, such as repair.png")
        if len(base.encode(errors="replace")) > _LONGEST_NAME:
            raise ValueError(f"FILE should have at most {_LONGEST_NAME} bytes: rename the file")
        if not _NAME.fullmatch(self.file):
            raise ValueError(
                f"FILE {self.file!r} has white space, a comma, a plus or a character outside of "
                "ASCII, which a recipe cannot hold: rename it, for instance to repair.png, or work "
                "in its folder"
            )
        if self.sha256 is not None:
            digest = self.sha256.lower()
            if not _DIGEST.fullmatch(digest):
                raise ValueError(
                    "what follows the comma should be the SHA-256 of FILE, 64 hexadecimal digits; "
                    "rename a FILE that has a comma"
                )
            object.__setattr__(self, "sha256", digest)

    @classmethod
    def parse(cls, parameters: str) -> MaskFile:
        """Parse ``FILE[,SHA256]``; no file is read."""
        file, comma, sha256 = parameters.partition(",")
        return cls(file.strip(), sha256.strip() if comma else None)

    def parameters(self) -> str:
        """Write ``FILE[,SHA256]``."""
        return self.file if self.sha256 is None else f"{self.file},{self.sha256}"

    def __str__(self) -> str:
        return f"{self.name}:{self.parameters()}"

    def resolved(self, data: bytes) -> MaskFile:
        """Return the same mask with its bytes, under the name of the file without its folder.

        Raises ``ValueError`` if they are not those that ``sha256`` names, or are too many.
        """
        if len(data) > LARGEST_FILE:
            raise ValueError(too_large(len(data)))
        found = hashlib.sha256(data).hexdigest()
        if self.sha256 not in (None, found):
            raise ValueError(
                f"the file has the SHA-256 {found}: it is not the mask that is asked for; "
                "find that one, or leave the SHA-256 out to use this one"
            )
        return replace(self, file=base_name(self.file), sha256=found, data=data)

    def check(self, shape: tuple[int, int]) -> None:
        """Raise ``RecipeError`` unless it is a mask for images of ``shape`` (h, w).

        Everything is checked that can be before decoding.
        """
        self._opened(shape)

    def decoded(self, shape: tuple[int, int]) -> Mask:
        """Decode the mask for an image of ``shape`` (h, w); ``RecipeError`` if it cannot be."""
        opened = self._opened(shape)
        try:
            raster = opened.decode()
        except FftToolError as exc:
            raise self._fault(str(exc)) from exc
        return Mask(raster.pixels[:, :, 0], float(raster.white))

    def _opened(self, shape: tuple[int, int]) -> image_file.Encoded:
        if self.data is None:
            raise ValueError(f"{self} has no bytes yet")
        try:
            opened = image_file.open_image(self.data, Limits(formats=("png",)))
        except FftToolError as exc:
            raise self._fault(f"{exc}; a mask is a grey PNG file") from exc
        header = opened.header
        size = "{1:,} x {0:,} pixels".format(*header.shape)
        if header.shape != shape:
            raise self._fault(
                f"the mask has {size}, but what is filtered has {shape[1]:,} x {shape[0]:,}: make "
                "the mask as large as the magnitude picture"
            )
        if header.channels != 1:
            what = "transparency" if header.channels % 2 == 0 else "colour"
            raise self._fault(f"the mask, {size}, has {what}: save it in grey, without alpha")
        if header.frames > 1:
            raise self._fault(f"the mask, {size}, has {header.frames:,} frames: save one of them")
        return opened

    def _fault(self, message: str) -> RecipeError:
        return RecipeError([RecipeFault("filter", str(self), message)])


def base_name(file: str) -> str:
    """Name of a file without its folder.

    >>> base_name("masks/repair.png"), base_name("repair.png")
    ('repair.png', 'repair.png')
    """
    return re.split(r"[/\\]", file)[-1]


def too_large(count: int) -> str:
    """Say that the file of a mask has too many bytes."""
    return f"the file has {count:,} bytes, at most {LARGEST_FILE:,} are accepted: compress it"
