"""From image bytes and operations to images: all of them in sequence, and each for itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fft_tool import __version__
from fft_tool.arrays import Pixels
from fft_tool.codec import image_file
from fft_tool.codec.header import Header
from fft_tool.limits import Limits
from fft_tool.operations.naming import COMBINED, INDEPENDENT, plan_operations
from fft_tool.operations.operation import Operation
from fft_tool.operations.prediction import admit
from fft_tool.operations.registry import check_operations, format_operations
from fft_tool.results.outputs import Artifact, Outputs, Source
from fft_tool.results.values import Remark

OnStep = Callable[[str], None]
OnHeader = Callable[[Header], None]
PixelSize = tuple[float, float] | None


def run_operations(
    source: Source,
    operations: Sequence[Operation],
    limits: Limits | None = None,
    *,
    frame: int | None = None,
    value_range: tuple[float, float] | None = None,
    threads: int = 1,
    on_step: OnStep = lambda _: None,
    on_header: OnHeader = lambda _: None,
) -> Outputs:
    """Apply operations to one image, each for itself and all in sequence.

    >>> import numpy as np
    >>> from fft_tool.operations.registry import parse_operations
    >>> data = image_file.encode_image(np.eye(8, dtype=np.uint8), 255)
    >>> outputs = run_operations(Source("eye.png", data), parse_operations("blur:3,sepia"))
    >>> [artifact.name for artifact in outputs]
    ['independent/1-blur.png', 'independent/2-sepia.png', 'combined.png']

    Sizes, memory and limits are checked against the header, before decoding. The same arguments
    give the same bytes, for any number of ``threads``. ``frame`` is the frame or page to decode,
    counted from 1; None is the first, with a remark if there are more. ``value_range`` holds the
    values of black and white of samples that are scaled to 16 bits. ``on_step`` is called with the
    name of each step as it begins, ``on_header`` with the header before decoding. Raises the
    permanent errors of :mod:`fft_tool.errors`.
    """
    check_operations(operations)
    on_step("decode")
    limits = limits or Limits()
    image = image_file.open_image(source.data, limits, frame=frame or 1, value_range=value_range)
    admit(image.header, operations, limits)
    on_header(image.header)
    raster = image.decode()
    start = _Stage(raster.pixels, raster.header.pixel_size_um)
    painter = _Painter(source, raster.white, frame, threads, on_step)
    return Outputs(tuple(painter.paint(start, operations)), None, remarks_on(image.header, frame))


def apply_all(
    pixels: Pixels, white: int, operations: Sequence[Operation], *, threads: int = 1
) -> Pixels:
    """Apply operations one after the other to ``pixels`` (h, w, channels)."""
    for each in operations:
        pixels = each.apply(pixels, white, threads=threads)
    return pixels


@dataclass(frozen=True, slots=True)
class _Stage:
    """An image, and the size of its pixels (x, y) in micrometres."""

    pixels: Pixels
    pixel_size: PixelSize


@dataclass(frozen=True, slots=True)
class _Painter:
    """Applies operations to images of one source and encodes the results."""

    source: Source
    white: int
    frame: int | None
    threads: int
    on_step: OnStep

    def paint(self, start: _Stage, operations: Sequence[Operation]) -> list[Artifact]:
        """Make the independent images and the combined one."""
        names = plan_operations(operations)
        combined = self._applied(start, operations[0])
        artifacts = [self._encoded(INDEPENDENT, names[0], combined, operations[:1])]
        for name, each in zip(names[1:-1], operations[1:], strict=True):
            alone = self._applied(start, each)
            artifacts.append(self._encoded(INDEPENDENT, name, alone, (each,)))
            del alone
        for each in operations[1:]:
            combined = self._applied(combined, each)
        artifacts.append(self._encoded(COMBINED, names[-1], combined, operations))
        return artifacts

    def _applied(self, stage: _Stage, operation: Operation) -> _Stage:
        self.on_step(operation.name)
        pixels, size = stage.pixels, stage.pixel_size
        after = size and operation.pixel_size(size, pixels.shape[0], pixels.shape[1])
        return _Stage(operation.apply(pixels, self.white, threads=self.threads), after)

    def _encoded(
        self, kind: str, name: str, stage: _Stage, operations: Sequence[Operation]
    ) -> Artifact:
        text = {
            "Software": f"fft-tool {__version__}",
            "Source-SHA256": self.source.sha256,
            "Operations": format_operations(operations),
        }
        if self.frame is not None:
            text["Frame"] = str(self.frame)
        data = image_file.encode_image(
            stage.pixels,
            self.white,
            pixel_size_um=stage.pixel_size,
            text=text,
            threads=self.threads,
        )
        return Artifact(kind, name, data)


def remarks_on(header: Header, frame: int | None) -> tuple[Remark, ...]:
    """What the user should know about the frames of the source."""
    if header.frames < 2 or frame is not None:
        return ()
    text = f"only the first of {header.frames:,} frames was processed"
    return (Remark(text, "frame", "N", "processes another one"),)
