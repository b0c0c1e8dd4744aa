"""What operations will make of an image: sizes, memory and bytes, known from its header alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fft_tool.admission import decoding_memory
from fft_tool.codec.header import Header
from fft_tool.errors import CropOutside, OperationFault, OperationsError, TooManyPixels
from fft_tool.limits import FIXED_MEMORY, Limits
from fft_tool.operations.operation import Layout, Operation
from fft_tool.operations.registry import format_operations
from fft_tool.results.registry import png_bytes

_TEXTS = 2 << 10  # bytes of the texts inside an image, without the operations
_ROWS = 40  # rows that operations hold as real numbers, on all threads together
_ENCODING = 3  # copies of an image while it is encoded: scaled, packed, compressed
_REMEDY = "ask for fewer operations, crop or resize first, or send a smaller image"


@dataclass(frozen=True, slots=True)
class Prediction:
    """Layouts of the images that operations make, and the peak memory of making them in bytes."""

    combined: tuple[Layout, ...]
    independent: tuple[Layout, ...]
    memory: int


def admit(header: Header, operations: Sequence[Operation], limits: Limits) -> Prediction:
    """Reject operations that do not suit an image, or would exceed a limit."""
    found = predict(header, operations, limits)
    limits.check_memory(found.memory)
    made = (*found.independent, found.combined[-1])
    texts = _TEXTS + len(format_operations(operations))
    written = sum(largest_file(layout) + texts for layout in made)
    limits.check_output(written, "the images", _REMEDY)
    return found


def predict(header: Header, operations: Sequence[Operation], limits: Limits) -> Prediction:
    """Lay out what operations make, one after the other and each for itself."""
    source = layout_of(header)
    combined = layouts(source, operations, limits)
    alone = [
        layouts(source, [each], limits, first=place, only=True)[-1]
        for place, each in enumerate(operations, 1)
    ]
    files = [largest_file(each) for each in (*alone, combined[-1])]
    pairs = [
        *zip(operations, (source, *combined), combined, strict=False),
        *((each, source, after) for each, after in zip(operations, alone, strict=True)),
    ]
    making = max(
        before.bytes
        + after.bytes
        + max(each.memory(before) + _rows(before, after), _ENCODING * after.bytes)
        for each, before, after in pairs
    )
    # The source, and the result of the first operation until the second has been applied.
    kept = source.bytes + combined[0].bytes
    decoding = decoding_memory(header, source.channels * source.sample) * source.pixels
    peak = max(round(decoding), kept + making + sum(files))
    return Prediction(combined, tuple(alone), FIXED_MEMORY + header.file_bytes + peak)


def layout_of(header: Header) -> Layout:
    """Layout of the decoded image."""
    height, width = header.shape
    return Layout(height, width, header.channels, header.level_bytes)


def layouts(
    source: Layout,
    operations: Iterable[Operation],
    limits: Limits,
    *,
    first: int = 1,
    only: bool = False,
) -> tuple[Layout, ...]:
    """Layout after each operation, applied one after the other.

    ``first`` is the place of the first one in the list, for errors; ``only`` says there that it is
    applied to the original.
    """
    found, before = list[Layout](), source
    for place, each in enumerate(operations, first):
        subject = (
            f"operation {place}, {each}, alone on the original"
            if only
            else (f"operation {place}, {each}")
        )
        try:
            after = each.layout(before)
        except CropOutside as exc:
            raise CropOutside(f"{subject}: {exc}") from None
        except ValueError as exc:
            raise OperationsError([OperationFault(place, str(each), str(exc))]) from None
        if after.pixels > limits.max_pixels:
            raise TooManyPixels(
                f"{subject} would make {after.width} x {after.height} = {after.pixels:,} pixels, "
                f"at most {limits.max_pixels:,} are accepted: ask for a smaller image"
            )
        found.append(after)
        before = after
    return tuple(found)


def _rows(before: Layout, after: Layout) -> int:
    """Bytes of blocks of a single row, which may exceed those of ordinary blocks."""
    return _ROWS * max(each.width * each.channels * each.real for each in (before, after))


def largest_file(layout: Layout) -> int:
    """Upper bound on the bytes of an image as a PNG file, without its texts."""
    return png_bytes(layout.height, layout.width * layout.channels * layout.sample)
