"""What operations make of an image, at the size of a screen: all of them, at full resolution first.

A reduced image would show another result: crops, blurs and periods are in pixels of the source.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from fft_tool.codec import image_file
from fft_tool.codec.header import Header
from fft_tool.image.presets import Preset, Rendition
from fft_tool.limits import Limits
from fft_tool.operations.operation import Operation
from fft_tool.operations.prediction import admit
from fft_tool.operations.registry import check_operations
from fft_tool.results.outputs import Source


def draw_preview(
    source: Source,
    operations: Sequence[Operation],
    preset: Preset,
    limits: Limits | None = None,
    *,
    threads: int = 1,
    on_header: Callable[[Header], None] = lambda _: None,
) -> Rendition:
    """Apply operations in sequence, and scale the result down to a preset.

    >>> import numpy as np
    >>> from fft_tool.operations.registry import parse_operations
    >>> data = image_file.encode_image(np.zeros((300, 450), np.uint8), 255)
    >>> operations = parse_operations("rotate:90,invert")
    >>> made = draw_preview(Source("a.png", data), operations, Preset("screen", 90, 90))
    >>> made.width, made.height, made.format
    (60, 90, 'jpeg')

    The picture is a JPEG, or a PNG if it is transparent anywhere. Raises the permanent errors of
    :mod:`fft_tool.errors`, as :func:`~fft_tool.operations.run.run_operations` does.
    """
    from fft_tool.codec.picture_encode import encode  # noqa: PLC0415  (loads numpy)
    from fft_tool.image.renditions import scaled_down, to_eight_bits  # noqa: PLC0415  (as above)
    from fft_tool.operations.run import apply_all  # noqa: PLC0415  (as above)

    check_operations(operations)
    limits = limits or Limits()
    image = image_file.open_image(source.data, limits)
    admit(image.header, operations, limits)
    on_header(image.header)
    raster = image.decode()
    pixels = apply_all(raster.pixels, raster.white, operations, threads=threads)
    shown = to_eight_bits(replace(raster, pixels=pixels), threads=threads)
    size = preset.size_of(shown.shape[1], shown.shape[0])
    picture_format = "png" if shown.shape[2] in (2, 4) else "jpeg"
    data = encode(scaled_down(shown, size), picture_format, threads=threads)
    return Rendition(preset.name, picture_format, *size, data)
